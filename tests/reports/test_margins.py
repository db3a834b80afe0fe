"""Margins: what was sold less what it cost then, where that is known, on every page and to nobody
else."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select, update

from store import outbox, reports, sales
from store.catalogue.costs import averaged, cost_text, parse_cost, read_cost, set_cost
from store.catalogue.models import ItemCost
from store.db import transaction
from store.errors import Invalid
from store.reports import figures
from store.sales.models import SaleLine
from tests.conftest import Clock
from tests.reports.shop import ITEMS, Shop, Sold
from tests.sellers.counter import give_to, seller
from tests.world import World

NOW = datetime(2026, 11, 3, 15, 20, tzinfo=UTC)
CHANGE = NOW - timedelta(days=20)


def cost_of(item: int, at: datetime) -> int | None:
    """Made up: the first items have a cost, the last three none; one is known from CHANGE on."""
    if item > ITEMS - 3 or (item == 4 and at < CHANGE):
        return None
    return 1_000 * item + (777 if at >= CHANGE else 3)


def lay_costs() -> None:
    with transaction() as session:
        for item in range(1, ITEMS + 1):
            for at in (datetime(2020, 1, 1, tzinfo=UTC), CHANGE):
                if (known := cost_of(item, at)) is not None:
                    session.execute(insert(ItemCost), [{
                        "item_id": item, "currency": "CNY", "hundredths": known, "starts_at": at,
                        "why": "said",
                    }])  # fmt: skip


def by_hand(sold: list[Sold]) -> tuple[int, int]:
    """(what of the goods without tax is of known cost, that cost), the slow way: a refund gives
    back what its units are of the line's cost."""
    known = cost = 0
    for one in sold:
        places = one.places or range(1, len(one.lines) + 1)
        for place, (item, many, total, tax) in zip(places, one.lines, strict=True):
            sale = one.of or one
            of_one = cost_of(item, sale.at)
            if of_one is None:
                continue
            whole = sale.lines[place - 1][1]
            line_cost = (whole * of_one + 50) // 100
            known += -(total - tax) if one.refund else total - tax
            cost += -(line_cost * many // whole) if one.refund else line_cost
    return known, cost


@pytest.fixture
def shop(app: Flask, clock: Clock) -> Any:
    clock.set(NOW)
    with app.app_context():
        opened = Shop()
        opened.open()
        lay_costs()
        yield opened


def _lines(kind: str, **question: str) -> dict[Any, tuple[int, int]]:
    filters = reports.read({"period": "this_year"} | question)
    found = figures.breakdown(filters, kind, None).lines or []
    return {line.code: (line.figures.costed_minor, line.figures.cost_minor) for line in found}


def test_the_margins_of_a_year_are_those_of_its_lines_by_the_cost_of_then(shop: Shop) -> None:
    chance = random.Random(5)
    shop.trade(chance, NOW - timedelta(days=60), NOW, 60)
    outbox.work()
    first = len(shop.sold)
    # Of what came later its event waits: what it cost is not known yet, and that is said.
    total = reports.takings(reports.read({"period": "this_year"})).figures
    assert (total.costed_minor, total.cost_minor) == by_hand(of_cny(shop.sold))
    assert 0 < total.costed_minor < total.goods_minor
    assert total.margin_minor == total.costed_minor - total.cost_minor
    shops: dict[str, list[Sold]] = defaultdict(list)
    for one in of_cny(shop.sold):
        shops[f"L{one.location_id}"].append(one)
    assert _lines("locations") == {code: by_hand(sold) for code, sold in shops.items()}
    items = _lines("items")
    assert items["ITEM12"] == (0, 0) and items["ITEM1"][1] > 0
    assert sum(cost for _, cost in items.values()) == total.cost_minor
    assert not any(reports.differences().values())
    shop.sell(NOW, (1, 2, 5_000))
    assert len(shop.sold) == first + 1
    waiting = reports.takings(reports.read({"period": "this_year"})).figures
    assert waiting.goods_minor > total.goods_minor and waiting.cost_minor == total.cost_minor
    outbox.work()
    assert not any(reports.differences().values())
    # Negative control: a line that changes its cost is found in each of the sums.
    with transaction() as session:
        known = select(SaleLine.sale_id).where(SaleLine.cost_minor.is_not(None)).limit(1)
        sale = session.scalar(known)
        session.execute(update(SaleLine).where(SaleLine.sale_id == sale).values(cost_minor=1))
    wrong = reports.differences()
    assert min(wrong[f"takings{of}"] for of in ("", "_of_items", "_of_members")) > 0
    reports.rebuild()
    assert not any(reports.differences().values())


def of_cny(sold: list[Sold]) -> list[Sold]:
    return [one for one in sold if one.currency == "CNY"]


def _margin() -> tuple[int, int, int]:
    outbox.work()
    total = reports.takings(reports.read({"period": "today"})).figures
    return total.goods_minor, total.costed_minor, total.cost_minor


def _cost(thing: Any, text: str) -> None:
    with transaction():
        set_cost(thing.id, parse_cost(text, "CNY"), "CNY")


@pytest.mark.usefixtures("context")
def test_bundles_cost_their_parts_and_sellers_goods_all_but_the_commission(
    world: World, clock: Clock
) -> None:
    owner, lin = world.owner(), world.member(funds="2000")
    milk = world.item(price="11.30", tax_rate_bp=1300)
    coffee = world.item("coffee", price="56.50", tax_rate_bp=1300)
    both = world.item("juice", price="56.50", tax_rate_bp=1300, on_hand=0,
                      parts={milk.id: 2, coffee.id: 1})  # fmt: skip
    lamp = world.item("bread", price="113.00", tax_rate_bp=1300)
    give_to(seller(commission_bp=2000, line_fee_minor=0), lamp)
    _cost(milk, "4.005")
    clock.tick(seconds=1)
    # One part of the bundle has no cost: nothing is known of the bundle.
    world.buy(lin, both)
    assert _margin() == (5_000, 0, 0)
    _cost(coffee, "20")
    clock.tick(seconds=1)
    basket = world.buy(lin, (both, 2), milk)
    assert _margin() == (5_000 + 10_000 + 1_000, 11_000, 2 * 2_000 + 1_602 + 401)
    before = _margin()
    with pytest.raises(Invalid):
        _cost(both, "3")
    theirs = world.buy(lin, lamp)
    # Of 113.00 the shop keeps 20 %, 22.60; what is left of the 100.00 without tax is its cost.
    assert _margin() == (before[0] + 10_000, before[1] + 10_000, before[2] + 7_740)
    world.refund(theirs, owner)
    assert _margin() == before
    sales.refund(basket.id, made_by=owner.id, reason="", parts=(sales.Part(1, 1),))
    assert _margin() == (before[0] - 5_000, before[1] - 5_000, before[2] - 2_801)
    assert world.faults() == []


def test_a_cost_is_read_and_written_with_two_decimals_more() -> None:
    for text, currency, hundredths in (
        ("7.2", "CNY", 72_000), ("0.0345", "CNY", 345), ("¥1,250.00", "CNY", 12_500_000),
        ("12", "JPY", 1_200), ("0.25", "JPY", 25), ("1.00005", "KWD", 100_005),
    ):  # fmt: skip
        assert read_cost(text, currency) == hundredths
    for wrong in ("0", "-1", "0.00001", "1,250", "x", "1e3"):
        with pytest.raises(Invalid):
            read_cost(wrong, "CNY")
    assert [cost_text(each, "CNY") for each in (72_000, 345, 40_050)] == [
        "7.20",
        "0.0345",
        "4.0050",
    ]
    assert parse_cost("4.005", "CNY") == 40_050
    assert cost_text(1_225, "JPY") == "12.25"
    # 10 at 1.00 and 5 at 1.01 are 15 at 1.00333….
    assert averaged(10, 10_000, 5, 10_100) == 10_033
    assert averaged(0, 10_000, 5, 10_100) == averaged(7, None, 5, 10_100) == 10_100
