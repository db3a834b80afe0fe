from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import insert

from store import clock, ids
from store.db import transaction
from store.identity.models import Member, SignIn
from tests.browser import OpenPhone
from tests.live import Start
from tests.reports.shop import Shop


def _owner_at(app: Flask, live_server: Start, page: Page) -> str:
    """A shop with some days of sales, open, and its owner signed in on this page."""
    secret, now = ids.secret(), clock.now()
    with app.app_context():
        shop = Shop()
        shop.open()
        for days in (1, 2, 9):
            shop.sell(now - timedelta(days=days), (1, 2, 1250), (4, 1, 300))
        with transaction() as session:
            session.add(Member(id=100, name="The owner", role="owner", created_at=now))
            session.flush()
            session.execute(insert(SignIn), [{
                "digest": ids.digest(secret), "member_id": 100, "created_at": now, "seen_at": now,
                "expires_at": now + timedelta(days=9), "ended_at": None,
            }])  # fmt: skip
    server: Any = live_server()
    port = server.url.rpartition(":")[2]
    page.context.add_cookies([{"name": f"visit-{port}", "value": secret, "url": server.url}])
    day = (now - timedelta(days=4)).date()
    return f"{server.url}/owner/takings?from={day}&to={now.date()}&by=day"


def test_the_chart_draws_what_the_table_says(
    app: Flask, live_server: Start, open_phone: OpenPhone
) -> None:
    """The phone fixture also fails this test for anything that the content policy forbids."""
    page = open_phone(desk=True)
    page.goto(_owner_at(app, live_server, page))
    expect(page.locator("#takings-chart canvas")).to_be_visible()
    expect(page.locator(".chart-legend span")).to_have_count(2)
    drawn = page.locator("#takings-chart canvas").evaluate(
        """(canvas) => {
             const all = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
             return all.data.filter((value, at) => at % 4 === 3 && value > 200).length;
           }"""
    )
    assert drawn > 2000, "the bars are there"


def test_without_script_the_table_says_it_all(
    app: Flask, live_server: Start, open_phone: OpenPhone
) -> None:
    page = open_phone(script=False)
    page.goto(_owner_at(app, live_server, page))
    expect(page.locator("#takings-chart")).to_be_hidden()
    expect(page.locator("table[data-chart] tbody tr")).to_have_count(5)
