"""Returns: every figure is what the plainest reckoning over the refunds comes to, and all reasons
together are what the takings call refunded."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from flask import Flask
from sqlalchemy import insert

from store import ids, outbox, reports
from store.db import transaction
from store.reports.calendar import zone
from store.reports.returned import returned, returned_list
from store.reports.returned.returned import NO_RETURN, UNSAID
from store.sales.returns.return_models import REASONS, Return, ReturnDecision
from tests.conftest import Clock
from tests.reports.shop import Shop, Sold
from tests.reports.test_today import _signed_in

NOW = datetime(2026, 11, 3, 15, 20, tzinfo=UTC)
QUESTIONS: tuple[dict[str, str], ...] = (
    {"period": "this_year", "by": "month"}, {"period": "this_week"},
    {"from": "2026-10-01", "to": "2026-11-03", "location": "L2"},
    {"period": "this_year", "category": "c2", "channel": "web"},
    {"period": "this_year", "item": "ITEM3"}, {"period": "last_year"},
)  # fmt: skip


class Told(NamedTuple):
    """What a refund's return says: why, and the decisions of each line."""

    why: str
    decisions: dict[int, list[tuple[str, int]]]


def _declare(shop: Shop, chance: random.Random) -> dict[str, Told]:
    """Four of five refunds are returns, with a reason or none, decided unit by unit."""
    told = {}
    with transaction() as session:
        for refund in (one for one in shop.sold if one.refund):
            if chance.random() < 0.2:
                continue
            why, return_id = chance.choice((*REASONS, "")), ids.new()
            session.execute(insert(Return), [{
                "id": return_id, "sale_id": refund.of_sale, "code": ids.short_code(8),
                "key": return_id, "way": "shop", "why": why, "reason": "in words",
                "state": "received", "made_by": 1, "created_at": refund.at,
            }])  # fmt: skip
            decisions: dict[int, list[tuple[str, int]]] = {}
            for position, (_, many, *_rest) in _lines(shop, refund):
                each = Counter(chance.choices(("resell", "quarantine", "scrap"), k=many))
                decisions[position] = list(each.items())
                session.execute(insert(ReturnDecision), [
                    {"return_id": return_id, "refund_id": refund.id, "key": "k",
                     "position": position, "quantity": units, "decision": decision,
                     "location_id": 2, "note": "", "made_by": 1, "at": refund.at}
                    for decision, units in each.items()
                ])  # fmt: skip
            told[refund.id] = Told(why or UNSAID, decisions)
    return told


def _lines(shop: Shop, refund: Sold) -> Iterable[tuple[int, Any]]:
    """The refund's lines with their positions in the sale."""
    return zip(shop.positions[refund.id], refund.lines, strict=True)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_every_figure_of_the_returns_is_the_sum_of_its_refunds(app: Flask, clock: Clock) -> None:
    clock.set(NOW)
    with app.app_context():
        shop, chance = Shop(), random.Random(5)
        shop.open()
        shop.trade(chance, NOW - timedelta(days=300), NOW, 90)
        told = _declare(shop, chance)
        outbox.work()
        shop.trade(chance, NOW - timedelta(days=20), NOW, 30)
        for question in QUESTIONS:
            filters = reports.read(question)
            for why in (None, "damaged", NO_RETURN):
                _check(shop, told, filters, why)


def _check(shop: Shop, told: dict[str, Told], filters: reports.Filters, why: str | None) -> None:
    inside = [one for one in shop.sold if _fits(one, filters)]
    backs = [one for one in inside if one.refund and why in (None, _why(told, one))]
    found = returned.returned(filters, why)

    def sums(some: Iterable[Sold], goods: Callable[[int], bool] = lambda item: True) -> Any:
        chosen = [(one, line) for one in some for line in one.lines
                  if goods(line[0]) and _wanted(line[0], filters)]  # fmt: skip
        return (len({one.id for one, _ in chosen}), sum(line[1] for _, line in chosen),
                sum(line[2] for _, line in chosen))  # fmt: skip

    def said(back: returned.Back) -> Any:
        return back.refunds, back.units, back.total_minor

    sold = [line for one in inside if not one.refund for line in one.lines
            if _wanted(line[0], filters)]  # fmt: skip
    assert said(found.figures) == sums(backs)
    assert found.figures.sold == sum(line[1] for line in sold)
    by_why: dict[str, list[Sold]] = defaultdict(list)
    for one in backs:
        by_why[_why(told, one)].append(one)
    assert {row.code: said(row.back) for row in found.reasons} == {
        key: sums(some) for key, some in by_why.items() if sums(some)[0]
    }
    if why is None:
        assert found.figures.total_minor == reports.takings(filters).figures.refunded_minor
    for row in found.series:
        assert row.span is not None
        part = [one for one in backs if row.span.first_date <= _day(one) <= row.span.last_date]
        assert said(row.back) == sums(part)
    for row in found.tables["items"]:
        assert said(row.back)[1:] == sums(backs, row.key.__eq__)[1:]
        assert row.back.sold == sum(line[1] for line in sold if line[0] == row.key)
    assert sum(row.back.total_minor for row in found.tables["locations"]) == (
        found.figures.total_minor
    )
    for row in found.tables["locations"]:
        there = [one for one in backs if one.location_id == row.key]
        assert said(row.back)[1:] == sums(there)[1:]

    became: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in backs:
        for position, (item, many, total, _) in _lines(shop, one):
            if not _wanted(item, filters):
                continue
            done = 0
            for decision, units in told[one.id].decisions[position] if one.id in told else ():
                share = total * (done + units) // many - total * done // many
                done += units
                became[decision][0] += units
                became[decision][1] += share
    decided = {each.decision: [each.units, each.total_minor] for each in found.became}
    rest = decided.pop("", [0, 0])
    assert decided == dict(became)
    assert rest[1] + sum(one[1] for one in became.values()) == found.figures.total_minor

    behind = list(returned_list.all_entries(returned_list.Asked(filters, why)))
    assert sorted(one.id for one in behind) == sorted(one.id for one in backs if sums([one])[0])
    assert sum(one.total_minor for one in behind) == found.figures.total_minor
    assert sum(one.quantity for one in behind) == found.figures.units
    scrapped = list(returned_list.all_entries(returned_list.Asked(filters, why, "scrap")))
    assert [sum(one.quantity for one in scrapped), sum(one.total_minor for one in scrapped)] == (
        became.get("scrap", [0, 0])
    )


def _fits(one: Sold, filters: reports.Filters) -> bool:
    return (
        filters.first <= _day(one) <= filters.last
        and one.currency == filters.currency
        and (not filters.location or one.location_id == filters.location.id)
        and (not filters.channel or one.channel == filters.channel)
    )


def _wanted(item: int, filters: reports.Filters) -> bool:
    if filters.item:
        return item == filters.item.id
    return not filters.category or (item > 1 and 1 + item % 3 == filters.category.id)


def _day(one: Sold) -> Any:
    return one.at.astimezone(zone()).date()


def _why(told: dict[str, Told], one: Sold) -> str:
    return told[one.id].why if one.id in told else NO_RETURN


def test_the_page_shows_reasons_and_opens_the_refunds_behind_them(app: Flask, clock: Clock) -> None:
    clock.set(NOW)
    with app.app_context():
        shop = Shop()
        shop.open()
        sale = shop.sell(NOW - timedelta(days=2), (1, 2, 3000), (2, 2, 1001))
        shop.give_back(sale, NOW - timedelta(hours=1), 1, 2)
        _declare(shop, random.Random(2))
    owner = _signed_in(app, "owner", 100)
    page = owner.get("/owner/returns?from=2026-10-28&to=2026-11-03").text
    assert "25.01" in page and "75.0 %" in page
    listed = owner.get("/owner/returns/list?from=2026-10-28&to=2026-11-03").text
    assert f"/desk/sales/{sale.id}" in listed
    said = owner.get("/owner/returns/list.csv?from=2026-10-28&to=2026-11-03").text
    assert said.count(sale.id) == 3 and "25.01" not in said
    assert owner.get("/owner/returns?why=boredom").status_code == 422
    assert owner.get("/owner/returns.csv?table=moods").status_code == 422
    for table in ("reasons", "time", "items", "categories", "locations", "channels", "became"):
        assert "25.01" in owner.get(
            f"/owner/returns.csv?from=2026-10-28&to=2026-11-03&table={table}"
        ).text or (table in ("items", "categories", "became"))
