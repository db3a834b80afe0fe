from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from store import outbox, reports
from store.reports import breakdowns, figures, listing
from store.reports.calendar import day_number
from store.reports.reading import open_books
from tests.conftest import Clock
from tests.reports.shop import ITEMS, Shop, Sold, brand_of, local, measures

NOW = datetime(2026, 11, 3, 15, 20, tzinfo=UTC)
QUESTIONS: tuple[dict[str, str], ...] = (
    {}, {"period": "today"}, {"period": "this_month"}, {"period": "last_month", "by": "week"},
    {"period": "this_year", "by": "month"}, {"period": "this_year", "by": "day"},
    {"from": "2025-12-20", "to": "2026-10-26", "by": "week"},
    {"from": "2026-10-24", "to": "2026-10-26", "by": "hour"},
    {"period": "this_year", "location": "L2"}, {"period": "this_year", "channel": "web"},
    {"period": "this_month", "means": "cash", "location": "L1"},
    {"period": "this_year", "category": "c2"}, {"period": "this_month", "category": "c2"},
    {"period": "this_year", "item": "ITEM3"}, {"period": "this_month", "item": "ITEM3"},
    {"period": "this_year", "shopper": "4"}, {"period": "this_year", "currency": "JPY"},
    {"period": "this_year", "item": "ITEM5", "by": "hour", "location": "L1"},
    {"period": "this_year", "category": "c1", "by": "hour"},
    {"period": "this_year", "brand": "Brand 1"}, {"period": "this_month", "staff": "2"},
    {"period": "this_year", "shopper": "2", "category": "c3", "channel": "shelf"},
)  # fmt: skip


@pytest.fixture
def shop(app: Flask, clock: Clock) -> Iterable[Shop]:
    clock.set(NOW)
    with app.app_context():
        opened = Shop()
        opened.open()
        yield opened


@pytest.mark.parametrize(
    ("database", "zone", "turn"),
    [
        ("sqlite", "Asia/Shanghai", 0), ("postgresql", "Europe/London", 1),
        ("postgresql", "America/New_York", 0), ("sqlite", "Asia/Kolkata", 1),
    ],
    indirect=["database"],
)  # fmt: skip
def test_every_figure_is_the_sum_of_its_sales(app: Flask, shop: Shop, zone: str, turn: int) -> None:
    """Random sales over a year and the days of a clock change; some are rolled up, some wait. Each
    question is asked in two zones before all is rolled up, and in the others after."""
    app.config["TIME_ZONE"] = zone
    chance = random.Random(zone)
    shop.trade(chance, NOW - timedelta(days=330), NOW, 20)
    shop.trade(chance, NOW - timedelta(days=14), NOW, 20)
    outbox.work()
    shop.trade(chance, NOW - timedelta(days=330), NOW, 20)
    shop.trade(chance, NOW - timedelta(days=9), NOW - timedelta(days=8), 10)
    assert outbox.pending() > 10
    for question in QUESTIONS[turn::2]:
        _check(shop, reports.read(question), zone)
    assert not any(reports.differences().values())
    outbox.work()
    assert outbox.pending() == 0
    for question in QUESTIONS[1 - turn :: 2]:
        _check(shop, reports.read(question), zone)
    assert not any(reports.differences().values())


def _check(shop: Shop, filters: reports.Filters, zone: str) -> None:
    """The report against the plainest reckoning there is."""
    items = _items(filters)
    fitting = [sale for sale in shop.sold if _fits(sale, filters, items)]
    inside = [sale for sale in fitting if _day(sale, zone) in range(*_ends(filters))]
    report = reports.takings(filters, most=99)
    assert asdict(report.figures) == measures(inside, items), filters

    step = 7 if filters.span.days <= 35 else 364
    shift = -(-filters.span.days // step) * step
    past = [
        sale for sale in fitting
        if _day(sale, zone) + shift in range(*_ends(filters)) and _by_now(sale, shift, zone)
    ]  # fmt: skip
    assert asdict(report.before) == measures(past, items), filters

    for line in report.series:
        if filters.by == "hour":
            part = [sale for sale in inside if local(sale.at, zone)[1] == int(line.code)]
        else:
            assert line.span
            part = [s for s in inside if line.span.first <= _day(s, zone) <= line.span.last]
        assert asdict(line.figures) == measures(part, items), (filters, line)

    keys: dict[str, Callable[[Sold], Any]] = {
        "locations": lambda sale: sale.location_id,
        "channels": lambda sale: sale.channel,
        "means": lambda sale: sale.means,
        "shoppers": lambda sale: sale.member_id,
    }
    for breakdown in report.breakdowns:
        assert breakdown.lines is not None
        found = {line.key: asdict(line.figures) for line in breakdown.lines}
        if breakdown.kind in keys:
            groups: dict[Any, list[Sold]] = defaultdict(list)
            for sale in inside:
                groups[keys[breakdown.kind](sale)].append(sale)
            assert found == {key: measures(part, items) for key, part in groups.items()}
        else:
            assert found == _by_goods(inside, items, breakdown.kind), filters
        totals = [line.figures.total_minor for line in breakdown.lines]
        assert totals == sorted(totals, reverse=True)

    if filters.span.days <= 62 and items is None:
        tills = [sale for sale in inside if sale.channel == "till"]
        sold = {sale.location_id: measures([one for one in tills
                if one.location_id == sale.location_id], items) for sale in tills}  # fmt: skip
        staff = breakdowns.read_breakdown(open_books(), filters, "staff", None).lines or []
        assert {line.key: asdict(line.figures) for line in staff} == sold

    entries = list(listing.all_entries(filters))
    assert sorted(entry.id for entry in entries) == sorted(sale.id for sale in inside)
    assert sum(entry.total_minor for entry in entries) == report.figures.total_minor
    assert [entry.at for entry in entries] == sorted((e.at for e in entries), reverse=True)


def _items(filters: reports.Filters) -> set[int] | None:
    if filters.item:
        return {filters.item.id}
    if filters.brand:
        return {item for item in range(1, ITEMS + 1) if brand_of(item) == filters.brand}
    return _category(filters.category.id) if filters.category else None


def _category(category_id: int) -> set[int]:
    return {item for item in range(2, ITEMS + 1) if 1 + item % 3 == category_id}


def _fits(sale: Sold, filters: reports.Filters, items: set[int] | None) -> bool:
    return (
        sale.currency == filters.currency
        and (not filters.location or sale.location_id == filters.location.id)
        and (not filters.channel or sale.channel == filters.channel)
        and (not filters.means or sale.means == filters.means)
        and (not filters.shopper or sale.member_id == filters.shopper.id)
        and (not filters.staff or (sale.channel, sale.location_id) == ("till", filters.staff.id))
        and (items is None or bool(items & {line[0] for line in sale.lines}))
    )


def _day(sale: Sold, zone: str) -> int:
    return local(sale.at, zone)[0]


def _ends(filters: reports.Filters) -> tuple[int, int]:
    return filters.span.first, filters.span.last + 1


def _by_now(sale: Sold, shift: int, zone: str) -> bool:
    """On the day that runs today, only what was sold until this time of the day counts."""
    today, _ = local(NOW, zone)
    if _day(sale, zone) + shift != today:
        return _day(sale, zone) + shift < today
    return sale.at < NOW - timedelta(days=shift) + _clock_change(shift, zone)


def _clock_change(shift: int, zone: str) -> timedelta:
    there = NOW.astimezone(ZoneInfo(zone))
    then = (there.replace(tzinfo=None) - timedelta(days=shift)).replace(tzinfo=ZoneInfo(zone))
    return (there.utcoffset() or timedelta()) - (then.utcoffset() or timedelta())


def _by_goods(sold: list[Sold], items: set[int] | None, kind: str) -> dict[Any, dict[str, int]]:
    groups: dict[Any, set[int]] = defaultdict(set)
    for sale in sold:
        for item, *_ in sale.lines:
            if items is None or item in items:
                groups[_key(item, kind)].add(item)
    found = {}
    for key, goods in groups.items():
        part = [sale for sale in sold if goods & {line[0] for line in sale.lines}]
        found[key] = measures(part, goods)
    return found


def _key(item: int, kind: str) -> int | str | None:
    if kind == "items":
        return item
    if kind == "brands":
        return brand_of(item)
    return 1 + item % 3 if item > 1 else None


def test_currencies_are_never_added_up(shop: Shop) -> None:
    shop.sell(NOW, (1, 1, 1250), currency="CNY")
    shop.sell(NOW, (1, 1, 980), currency="JPY")
    report = reports.takings(reports.read({"period": "today"}))
    assert report.figures.total_minor == 1250
    report = reports.takings(reports.read({"period": "today", "currency": "JPY"}))
    assert report.figures.total_minor == 980
    outbox.work()
    assert reports.takings(reports.read({})).currencies == ["CNY", "JPY"]


def test_the_average_is_of_sales_before_refunds_and_rounded_half_up(shop: Shop) -> None:
    first = shop.sell(NOW, (1, 1, 1000))
    shop.sell(NOW, (1, 1, 1001))
    shop.give_back(first, NOW)
    report = reports.takings(reports.read({"period": "today"}))
    assert (report.figures.average_minor, report.figures.total_minor) == (1001, 1001)
    assert reports.takings(reports.read({"period": "last_year"})).figures.average_minor is None


def test_a_refund_counts_on_the_day_it_was_made(shop: Shop) -> None:
    sale = shop.sell(NOW - timedelta(days=1), (2, 3, 900))
    outbox.work()
    shop.give_back(sale, NOW)
    yesterday = reports.takings(reports.read({"period": "yesterday"})).figures
    today = reports.takings(reports.read({"period": "today"})).figures
    assert (yesterday.total_minor, yesterday.quantity) == (900, 3)
    assert (today.total_minor, today.quantity, today.refunded_minor) == (-900, -3, 900)


def test_a_report_is_of_one_moment(shop: Shop, app: Flask) -> None:
    """What is sold and rolled up while a report is read is in all of its parts or in none."""
    shop.sell(NOW, (1, 1, 500))
    filters = reports.read({"period": "today"})
    books = open_books()
    assert figures._in_all(books, filters, filters.span).total_minor == 500

    def sell_and_sum_up() -> None:
        with app.app_context():
            Shop().sell(NOW, (1, 1, 700))
            outbox.work()

    other = threading.Thread(target=sell_and_sum_up)
    other.start()
    other.join()
    assert figures._in_all(books, filters, filters.span).total_minor == 500
    assert figures._in_all(open_books(), filters, filters.span).total_minor == 1200


def test_a_day_of_25_hours_is_whole(app: Flask, shop: Shop) -> None:
    app.config["TIME_ZONE"] = "Europe/London"
    for hour in range(26):
        shop.sell(datetime(2026, 10, 24, 23, tzinfo=UTC) + timedelta(hours=hour), (1, 1, 100))
    day = {"from": "2026-10-25", "to": "2026-10-25"}
    report = reports.takings(reports.read(day))
    assert report.figures.sales == 25
    assert [line.figures.sales for line in report.series] == [1, 2, *[1] * 22]
    assert report.filters.span.first == day_number(date(2026, 10, 25))


def test_means_of_many_sales_are_read_from_the_sums(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where goods or a shopper are chosen must the sales themselves be read; of many that
    would take long, and the page says so."""
    monkeypatch.setattr(breakdowns, "_MOST_SALES_FROM_LINES", 2)
    for means, total in (("account", 900), ("cash", 500), ("cash", 200)):
        shop.sell(NOW, (1, 1, total), means=means)
    outbox.work()
    shop.sell(NOW, (1, 1, 50), means="card")

    def means_of(**more: str) -> dict[str, int] | None:
        filters = reports.read({"period": "today"} | more)
        lines = reports.breakdown(filters, "means", None).lines
        return None if lines is None else {line.code: line.figures.total_minor for line in lines}

    assert means_of() == {"account": 900, "cash": 700, "card": 50}
    assert means_of(means="cash") == {"cash": 700}
    assert means_of(item="ITEM1") is None

    def bought(kind: str, who: str) -> int | None:
        filters = reports.read({"period": "today", "shopper": who})
        lines = reports.breakdown(filters, kind, None).lines
        return None if lines is None else sum(line.figures.total_minor for line in lines)

    # So is what somebody bought: a shopper has few sales, and nobody all those of the tills.
    who = str(shop.sold[0].member_id)
    assert reports.takings(reports.read({"period": "today", "shopper": who})).figures.sales == 4
    for kind in ("items", "categories", "brands", "means"):
        assert bought(kind, who) is None
    assert bought("locations", who) == bought("channels", who) == 1650
    monkeypatch.setattr(breakdowns, "_MOST_SALES_FROM_LINES", 4)
    assert bought("items", who) == bought("brands", who) == bought("means", who) == 1650
