"""More of the demo shop that has a page: what staff, an owner or somebody's mail leads to."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from sqlalchemy import select

from store import clock, identity, sales
from store.db import db, transaction
from store.demo.goods import OWNER
from store.integration.models import Webhook
from store.payment.costs.models import SettlementFile
from store.reports import figures
from store.reports.daily import daily
from store.reports.stock import stock_lists
from store.sales.guests import denials
from store.sales.guests.guest_models import GuestMail
from tests.world import Visitor

__all__ = ["more_pages", "more_things"]


def more_things(app: Flask, staff: Visitor) -> dict[str, Any]:
    """What has a page and is not there by itself."""
    till_sale = _sold_at_the_till(staff)
    with app.test_request_context():
        return {"till_sale": till_sale} | _rows(str(app.config["SECRET_KEY"]))


def _rows(secret: str) -> dict[str, Any]:
    with transaction():
        hook = Webhook(
            url="https://example.com/" + "a-long-address-of-another-system/" * 9,
            topics=["sale.paid", "item.changed"], secret="known-to-the-tests-only",
            seen_id=0, next_at=clock.now(), made_at=clock.now(),
        )  # fmt: skip
        db.session.add(hook)
        sale = sales.receipts(limit=1)[0].id
        address = "somebody.with.a.rather.long.address@example.com"
        db.session.add(GuestMail(sale_id=sale, value=address, at=clock.now()))
        db.session.flush()
        found: dict[str, Any] = {"webhook": hook.id, "not_mine": sale}
    found["file"] = db.session.scalar(select(SettlementFile.id).limit(1))
    found["k"] = denials.key_of(secret.encode(), sale, address)
    owner = identity.find(OWNER.email)
    assert owner is not None
    found["daily"] = daily.stop_path(owner.id).rpartition("/")[2]
    return found


def _sold_at_the_till(staff: Visitor) -> str:
    staff.get("/desk/till")
    for code in ("LONG", "D310"):
        staff.post("/desk/till/lines", code=code)
    page = staff.get("/desk/till").text
    form: dict[str, Any] = dict(re.findall(r'name="(key|seen-\d+)" value="([^"]+)"', page))
    if "age_checked" in page:
        form["age_checked"] = "18"
    sold = staff.post("/desk/till/sales", form | {"means": "cash", "given": "200000"})
    assert sold.status_code == 303 and "/sales/" in sold.location, sold.text
    return str(sold.location).rpartition("/")[2].partition("?")[0]


def more_pages(things: dict[str, Any]) -> dict[str, list[str]]:
    """The same pages with other lists in them, by who sees them."""
    return {
        "staff": ["/desk/items?which=retired", "/desk/labels?which=changed"],
        "owner": [
            *(f"/owner/stock/{kind}" for kind in stock_lists.KINDS),
            *(f"/owner/takings/{kind}?period=this_year" for kind in figures.BREAKDOWNS),
            "/owner/takings?period=this_month", "/owner/log?verb=persons.listed",
            "/owner/labels?which=dead", "/owner/labels?which=unpaid", "/owner/start/buying",
            "/owner/start/desk", "/owner/start/offers", "/owner/start/mail", "/owner/start/stripe",
            "/owner/takings?period=dates&from=2020-01-01&to=2020-01-02",
        ],
    }  # fmt: skip
