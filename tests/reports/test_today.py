from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from store import ids, outbox
from store.db import transaction
from store.identity.models import Member, SignIn, StaffRight
from store.stock.work_models import Task
from tests.conftest import Clock
from tests.reports.shop import Shop

NOW = datetime(2026, 11, 3, 6, 20, tzinfo=UTC)
"""A Tuesday, 14:20 in Shanghai."""
WEEK = timedelta(days=7)


def _signed_in(app: Flask, role: str, number: int) -> FlaskClient:
    secret = ids.secret()
    with app.app_context(), transaction() as session:
        session.add(Member(id=number, name=f"The {role}", role=role, created_at=NOW))
        session.flush()
        session.execute(insert(SignIn), [{
            "digest": ids.digest(secret), "member_id": number, "created_at": NOW, "seen_at": NOW,
            "expires_at": NOW + WEEK, "ended_at": None,
        }])  # fmt: skip
    client = app.test_client()
    client.set_cookie("visit", secret, domain="localhost")
    return client


def _text(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_today_is_held_against_the_same_weekday_up_to_the_same_time(
    app: Flask, clock: Clock
) -> None:
    clock.set(NOW)
    shop = Shop()
    with app.app_context():
        shop.open()
        shop.sell(NOW - timedelta(hours=1), (1, 2, 3000), (2, 1, 1000), channel="web")
        shop.sell(NOW - timedelta(days=1), (1, 1, 9900))
        shop.sell(NOW - WEEK - timedelta(hours=2), (1, 1, 2000))
        # Last Tuesday's evening is still to come today: it is in the hours, not in the comparison.
        shop.sell(NOW - WEEK + timedelta(hours=5), (1, 1, 7700))
        outbox.work()
        with transaction() as session:
            session.execute(insert(Task), [{
                "kind": "count", "location_id": 2, "item_id": 1, "note": "", "times": 1,
                "opened_at": NOW,
            }])  # fmt: skip
    owner = _signed_in(app, "owner", 100)
    page = owner.get("/owner").text
    said = _text(page)
    assert "Takings ¥ 40 .00 100 % more · was ¥20.00" in said
    assert "19:00 ¥0.00 ¥77.00" in said, "the whole of last Tuesday, hour by hour"
    assert "99.00" not in said
    assert "/desk/tasks?at=L2" in page
    assert "Web ¥40.00 100.0%" in said
    # A question about another time goes to the page that answers it.
    moved = owner.get("/owner?period=last_week&by=day")
    assert (moved.status_code, moved.location) == (
        302, "/owner/takings?period=last_week&by=day"
    )  # fmt: skip
    elsewhere = _text(owner.get("/owner?location=L2").text)
    assert "Nothing was sold today" in elsewhere

    # Somebody of the staff who may see the takings sees no list that they could not open.
    accountant = _signed_in(app, "staff", 101)
    with app.app_context(), transaction() as session:
        session.add(StaffRight(member_id=101, rights=["see_sales"], set_at=NOW))
    assert "/desk/tasks?at=" not in accountant.get("/owner").text
