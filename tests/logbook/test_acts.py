"""The logbook: every act of staff is in it, with what was before and after, and stays there."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from store import catalogue, identity, logbook
from store.db import db, shop_engine, transaction
from store.identity import members, passwords
from store.logbook import VERBS, Act
from store.sales.refunds import approvals
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    passwords.set_hasher(passwords.QUICK)
    yield
    passwords.set_hasher(passwords.STRONG)


def _acts(app: Flask) -> list[Act]:
    with app.app_context():
        return list(db.session.scalars(select(Act).order_by(Act.id)))


def test_every_act_has_a_code_that_is_known_in_words_and_written_somewhere() -> None:
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "store").rglob("*.py"))
    calls = re.findall(r"logbook\.note\(\s*([^,]+),", source) + re.findall(r"\bnote\(\s*(\"[^,]+),",
                                                                         source)  # fmt: skip
    noted = {code for call in calls for code in re.findall(r'"([a-z_]+\.[a-z_]+)"', call)}
    noted |= {*approvals._VERBS.values()}
    words = (ROOT / "templates/reports/act_words.html").read_text("utf-8")
    assert noted == set(VERBS)
    assert {code for code in VERBS if f"'{code}':" not in words} == set()
    assert {kind for kind in VERBS.values() if f"'{kind}':" not in words} == set()


def test_what_staff_do_is_written_down_with_what_was_before_and_after(
    world: World, app: Flask, runner: FlaskCliRunner
) -> None:
    milk, lin = world.item("oat-milk", price="4.00", on_hand=10), world.member(funds="100")
    sale = world.buy(lin, milk)
    staff, owner, new = world.staff(), world.owner(), world.member("Mei")
    assert _acts(app) == [], "nothing was done by staff so far"
    desk, office = world.client_for(staff), world.client_for(owner)
    said = {"name_en": "Oat milk", "tax_rate": "13", "price": "4.50"}
    assert desk.post(f"/desk/items/{milk.id}", said).status_code == 303
    assert (
        desk.post("/desk/stock/counts", code=milk.code, at="MAIN", counted="8").status_code == 303
    )
    desk.get(f"/desk/sales/{sale.id}")
    assert desk.post(f"/desk/sales/{sale.id}/refunds", reason="sour").status_code == 303
    office.post(f"/owner/people/{new.id}/role", role="staff")
    office.post(f"/owner/people/{new.id}/role", role="staff")  # Nothing is different.
    office.get("/owner/people", query_string={"who": lin.email})
    runner.invoke(args=["stock", "receive", milk.code, "5"])
    with app.app_context(), transaction():
        key = identity.issue_token(members.by_id(staff.id), ["sales:write", "stock:write"])
    api = app.test_client().post(
        f"/api/v1/stock/{milk.code}/receipts", json={"location": "MAIN", "quantity": 2},
        headers={"Authorization": f"Bearer {key}", "Idempotency-Key": "one"},
    )  # fmt: skip
    assert api.status_code == 201
    found = [(act.verb, act.member_id, act.via, act.object) for act in _acts(app)]
    its, sold = str(milk.id), sale.id
    assert [one for one in found if one[0] != "item.changed"] == [
        ("price.set", staff.id, "page", its), ("stock.counted", staff.id, "page", its),
        ("person.seen", staff.id, "page", str(lin.id)), ("refund.made", staff.id, "page", sold),
        ("role.set", owner.id, "page", str(new.id)),
        ("person.seen", owner.id, "page", str(lin.id)),
        ("goods.received", None, "command", its), ("goods.received", staff.id, "key", its),
    ]  # fmt: skip
    by_verb = {act.verb: act for act in _acts(app)}
    price, role = by_verb["price.set"], by_verb["role.set"]
    assert (price.before, price.after) == ({"price_minor": 400}, {"price_minor": 450})
    assert (role.before, role.after) == ({"role": "shopper"}, {"role": "staff"})
    assert by_verb["stock.counted"].after == {"book": 9, "counted": 8}
    assert price.request == by_verb["item.changed"].request != role.request
    told = " ".join(f"{act.before} {act.after} {act.request}" for act in _acts(app))
    assert not any(name in told for name in (lin.name, lin.email, "sour"))
    assert world.faults() == []

    page = office.get("/owner/log")
    assert "Refunded" in page.text and "stock receive" in page.text and page.status_code == 200
    of_milk = office.get(
        "/owner/log", query_string={"kind": "item", "object": its, "who": staff.id}
    )
    assert "Set a price" in of_milk.text and "Changed a role</span>" not in of_milk.text
    sheet = office.get("/owner/log.csv", query_string={"verb": "goods.received"}).text
    rows = list(csv.DictReader(io.StringIO(sheet.removeprefix("\ufeff"))))
    assert [row["via"] for row in rows] == ["key", "command"]
    for bad in ("who=x", "verb=no.such", "kind=none", "from=2027-02-30", "before=1-x"):
        assert office.get(f"/owner/log?{bad}").status_code == 422, bad
    assert office.get("/owner/log?from=2001-01-02&to=2001-01-01").status_code == 200


def test_nobody_can_change_or_remove_what_is_written(world: World, app: Flask) -> None:
    owner, milk = world.owner(), world.item(on_hand=1)
    with app.app_context():
        with logbook.acting(owner.id, "page"), transaction():
            catalogue.set_price(milk.id, 777, world.currency)
        for statement in ("UPDATE acts SET verb = 'item.added'", "DELETE FROM acts"):
            with pytest.raises(DBAPIError, match="only added to"), shop_engine().begin() as own:
                own.execute(text(statement))
        db.session.rollback()
        assert [act.verb for act in db.session.scalars(select(Act))] == ["price.set"]


def test_an_act_that_does_not_happen_is_not_written(world: World, app: Flask) -> None:
    owner, staff, milk = world.owner(), world.staff(), world.item(on_hand=1)
    office, desk = world.client_for(owner), world.client_for(staff)
    assert office.post(f"/owner/people/{owner.id}/role", role="staff").status_code == 409
    assert desk.post(f"/desk/items/{milk.id}", tax_rate="13", price="-1").status_code == 422
    assert desk.get("/owner/log").status_code == 403
    with app.app_context(), logbook.acting(owner.id, "page"):
        with pytest.raises(RuntimeError, match="undone"), transaction():
            catalogue.set_price(milk.id, 777, world.currency)
            raise RuntimeError("undone")
        # Outside of a transaction nothing can be noted.
        with pytest.raises(RuntimeError, match="must be called inside"):
            logbook.note("price.set", milk.id)
    assert _acts(app) == []


def test_pages_go_on_where_the_one_before_ended(world: World, app: Flask) -> None:
    owner, milk = world.owner(), world.item()
    with app.app_context(), logbook.acting(owner.id, "page"), transaction():
        for price in range(1, 121):
            catalogue.set_price(milk.id, price, world.currency)
    office, seen, address = world.client_for(owner), [], "/owner/log?verb=price.set"
    for _ in range(3):
        page = office.get(address).text
        seen += re.findall(r"<span>¥([\d.]+)</span>", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address = older[1].replace("&amp;", "&") if older else ""
    assert seen == [f"{price / 100:.2f}" for price in range(120, 0, -1)]
