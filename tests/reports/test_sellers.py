"""Takings by seller: what was sold counts for whose it was then, whoever's it is now."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import insert

from store import outbox, reports
from store.catalogue.models import ItemSeller, Seller
from store.db import transaction
from store.reports import listing
from store.reports.calendar import zone
from store.reports.returned import returned
from store.sellers.models import Contract
from tests.conftest import Clock
from tests.reports.shop import Shop, Sold, measures

NOW = datetime(2026, 11, 3, 15, 20, tzinfo=UTC)
OPENED = datetime(2020, 1, 1, tzinfo=UTC)
OWNED: dict[int, list[tuple[datetime, int | None]]] = {
    4: [(OPENED, 1)],
    5: [(OPENED, 1), (NOW - timedelta(days=100), 2)],
    6: [(NOW - timedelta(days=9, hours=5), 2)],
    7: [(OPENED, 2), (NOW - timedelta(days=200), None), (NOW - timedelta(days=20), 1)],
}
"""Whose these items are from when on; all others are the house's."""
QUESTIONS: tuple[dict[str, str], ...] = (
    {"period": "this_year", "by": "month"}, {"from": "2026-10-20", "to": "2026-11-03"},
    {"period": "this_year", "location": "L2", "channel": "web"},
    {"period": "this_year", "category": "c2"}, {"period": "today"},
)  # fmt: skip


def _open() -> Shop:
    shop = Shop()
    shop.open()
    with transaction() as session:
        session.execute(insert(Seller), [
            {"id": at, "code": f"S{at}", "names": {"en": f"Seller {at}"}, "created_at": OPENED}
            for at in (1, 2)
        ])  # fmt: skip
        session.execute(insert(Contract), [
            {"seller_id": at, "commission_bp": 1000, "line_fee_minor": 0, "fee_bp": 0,
             "calendar": "days", "calendar_day": 7, "starts_at": OPENED, "made_at": OPENED}
            for at in (1, 2)
        ])  # fmt: skip
        session.execute(insert(ItemSeller), [
            {"item_id": item, "seller_id": seller, "starts_at": since}
            for item, history in OWNED.items() for since, seller in history
        ])  # fmt: skip
    return shop


def _owner(item: int, at: datetime) -> int:
    owner = 0
    for since, seller in OWNED.get(item, []):
        owner = (seller or 0) if since <= at else owner
    return owner


def _by_owner(shop: Shop, inside: list[Sold]) -> dict[int, dict[str, int]]:
    """The plainest reckoning: each line for whose its item was at the moment of its sale."""
    parts: dict[int, list[tuple[Sold, set[int]]]] = defaultdict(list)
    for one in inside:
        at = shop.sold_at(one)
        for owner in {_owner(line[0], at) for line in one.lines}:
            parts[owner].append((one, {line[0] for line in one.lines
                                       if _owner(line[0], at) == owner}))  # fmt: skip
    found = {}
    for owner, some in parts.items():
        each = [measures([one], items) for one, items in some]
        found[owner] = {name: sum(figures[name] for figures in each) for name in each[0]}
    return found


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_takings_of_each_seller_are_what_was_theirs_then(app: Flask, clock: Clock) -> None:
    clock.set(NOW)
    with app.app_context():
        shop = _open()
        chance = random.Random(11)
        shop.trade(chance, NOW - timedelta(days=300), NOW, 40)
        outbox.work()
        shop.trade(chance, NOW - timedelta(days=30), NOW, 40)
        for rolled_up in (False, True):
            assert bool(outbox.pending()) is not rolled_up
            for question in QUESTIONS:
                _check(shop, question)
            assert not any(reports.differences().values())
            outbox.work()


def _check(shop: Shop, question: dict[str, str]) -> None:
    filters = reports.read(question)
    by_owner = _by_owner(shop, _cut(shop, filters))
    lines = reports.breakdown(filters, "sellers", None).lines
    assert lines is not None
    # Each seller's own returns, as the page of returns tells them and as one asks for them alone.
    back = returned.returned(filters, None)
    told = {row.key: row.back for row in back.tables["sellers"]}
    assert {key: theirs.total_minor for key, theirs in told.items()} == {
        key: one["refunded_minor"] for key, one in by_owner.items() if one["refunds"]
    }
    for key, theirs in told.items():
        code = f"S{key}" if key else "0"
        alone = returned.returned(reports.read(question | {"seller": code}), None)
        assert alone.figures == theirs._replace(refunds=alone.figures.refunds)
    # What of it the commission is, others look at.
    no_costs = {"costed_minor": 0, "cost_minor": 0}
    assert {line.key: asdict(line.figures) | no_costs for line in lines} == by_owner, question
    for line in lines:
        one = reports.read(question | {"seller": line.code})
        report = reports.takings(one)
        assert asdict(report.figures) | no_costs == by_owner[int(line.key or 0)], one
        assert sum(each.figures.total_minor for each in report.series) == (
            report.figures.total_minor
        )
        behind = list(listing.all_entries(one))
        assert sum(entry.total_minor for entry in behind) == report.figures.total_minor, one
        assert sum(entry.quantity for entry in behind) == report.figures.quantity


def _cut(shop: Shop, filters: reports.Filters) -> list[Sold]:
    """What these filters choose, lines of other categories left out."""
    found = []
    for sale in shop.sold:
        day = sale.at.astimezone(zone()).date()
        lines = tuple(
            line for line in sale.lines
            if not filters.category or (line[0] > 1 and 1 + line[0] % 3 == filters.category.id)
        )  # fmt: skip
        if (
            filters.first <= day <= filters.last
            and sale.currency == filters.currency
            and (not filters.location or sale.location_id == filters.location.id)
            and (not filters.channel or sale.channel == filters.channel)
            and lines
        ):
            found.append(replace(sale, lines=lines))
    return found
