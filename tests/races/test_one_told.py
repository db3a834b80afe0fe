"""A check without a network, told by every tab at once, is booked once. And proof that the race is
real."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from store import ids
from store.db import db
from store.door import away, told
from store.door.models import AwayCheck, ExitCheck
from store.reports import oracle
from tests.door.shop import DoorShop, make_shop
from tests.races.crowd import at_once, inside, without_unique

TABS, CHECKS = 6, 4


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"THREADS": TABS + 1}


@pytest.fixture
def shop(app: Flask) -> DoorShop:
    return make_shop(app)


def tell_at_once(shop: DoorShop) -> tuple[int, int]:
    """Each check is told by every tab; answers how many of them were new to the shop, and how many
    rows were written."""
    now, new = datetime.now(UTC), 0
    ticket = away.Ticket(shop.staff, shop.main, int(now.timestamp() * 1000))
    for _ in range(CHECKS):
        sale = shop.bought()
        said = away.Told("a" * 32, ids.new(), ticket, shop.pass_of(sale), "accepted", now,
                         timedelta())  # fmt: skip
        tell = partial(told.take_in, said, now, 60, shop.key)
        outcomes = at_once([inside(shop.app, tell)] * TABS)
        assert all(isinstance(one, tuple) and one[1] is None for one in outcomes), outcomes
        new += sum(one[0] is False for one in outcomes if isinstance(one, tuple))
    with shop.app.app_context():
        rows = db.session.scalar(select(func.count()).select_from(AwayCheck))
        accepted = db.session.scalar(select(func.count()).select_from(ExitCheck))
    assert accepted == CHECKS
    return new, rows or 0


def faults(shop: DoorShop) -> list[str]:
    with shop.app.app_context():
        return [one.name for one in oracle.audit() if one.count]


def test_what_every_tab_tells_is_booked_once(shop: DoorShop) -> None:
    assert tell_at_once(shop) == (CHECKS, CHECKS)
    assert faults(shop) == []


def test_without_the_guard_it_is_booked_by_each(shop: DoorShop) -> None:
    without_unique(shop.app, "away_checks", "uq_away_checks_scanner_key")
    new, rows = tell_at_once(shop)
    assert new == rows > CHECKS
    assert faults(shop) == ["away_checks_twice"]
