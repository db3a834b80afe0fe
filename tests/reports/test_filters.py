from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import reports
from store.errors import Invalid
from store.reports import figures, listing
from store.reports.filters import BY, PERIODS
from tests.conftest import Clock
from tests.reports.shop import Shop

NOW = datetime(2026, 11, 3, 15, 20, tzinfo=UTC)
FIELDS = ("period", "from", "to", "by", "currency", "location", "channel", "category", "item",
          "shopper", "hour", "kind")  # fmt: skip


@pytest.fixture
def shop(app: Flask, clock: Clock) -> Iterator[Shop]:
    clock.set(NOW)
    with app.app_context():
        opened = Shop()
        opened.open()
        opened.sell(NOW, (1, 1, 100))
        yield opened


def test_periods_are_the_shop_s_own_days(shop: Shop) -> None:
    spans = {
        name: (reports.read({"period": name}).first, reports.read({"period": name}).last)
        for name in PERIODS if name != "dates"
    }  # fmt: skip
    day = date(2026, 11, 3)
    assert spans["today"] == (day, day), "23:20 in Shanghai"
    assert spans["this_week"] == (date(2026, 11, 2), day)
    assert spans["last_week"] == (date(2026, 10, 26), date(2026, 11, 1))
    assert spans["last_month"] == (date(2026, 10, 1), date(2026, 10, 31))
    assert spans["last_year"] == (date(2025, 1, 1), date(2025, 12, 31))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("period", "fortnight"), ("from", "yesterday"), ("from", "2026-02-30"),
        ("from", "1066-10-14"), ("to", "9999-12-31"), ("to", "20261103"), ("by", "minute"),
        ("currency", "XXY"), ("location", "NOWHERE"), ("channel", "fax"), ("category", "c99"),
        ("item", "NOTHING"), ("shopper", "99"), ("shopper", "9" * 30), ("shopper", "a@b.example"),
        ("hour", "24"), ("hour", "-1"), ("kind", "all sorts"), ("item", "\ud800"),
        ("location", "x" * 400), ("category", "\x07"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(shop: Shop, field: str, value: str) -> None:
    more = {"period": "dates"} if field in ("from", "to") else {}
    with pytest.raises(Invalid) as refusal:
        reports.read(more | {field: value})
    assert refusal.value.field == field


def test_a_range_is_limited_and_in_order(shop: Shop) -> None:
    with pytest.raises(Invalid) as refusal:
        reports.read({"from": "1999-01-01", "to": "2026-01-01"})
    assert refusal.value.field == "to"
    with pytest.raises(Invalid):
        reports.read({"from": "2026-01-02", "to": "2026-01-01"})


def test_many_days_are_shown_by_week_or_month(shop: Shop) -> None:
    assert reports.read({"from": "2017-01-01", "to": "2026-11-03", "by": "day"}).by == "month"
    assert reports.read({"from": "2024-01-01", "to": "2026-11-03", "by": "day"}).by == "week"
    assert reports.read({"period": "this_year", "by": "day"}).by == "day"
    assert reports.read({"period": "today"}).by == "hour"


def test_an_item_is_found_by_any_of_its_codes_and_a_shopper_by_number(shop: Shop) -> None:
    filters = reports.read({"item": "ITEM3", "shopper": "2"})
    assert filters.item and filters.item.id == 3
    assert filters.shopper and filters.shopper.names == {"": "Shopper 2"}


good = st.fixed_dictionaries(
    {},
    optional={
        "period": st.sampled_from(PERIODS), "by": st.sampled_from(BY),
        "location": st.sampled_from(("L1", "L3", "")), "channel": st.sampled_from(("web", "till")),
        "category": st.sampled_from(("c1", "c2")), "item": st.sampled_from(("ITEM1", "ITEM9")),
        "shopper": st.sampled_from(("1", "5")), "currency": st.sampled_from(("JPY", "CNY")),
        "hour": st.integers(0, 23).map(str), "kind": st.sampled_from(("sales", "refunds")),
        "from": st.dates(date(2024, 1, 1), date(2026, 1, 1)).map(str),
        "to": st.dates(date(2026, 1, 1), date(2027, 1, 1)).map(str),
    },
)  # fmt: skip
bad = st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=30), max_size=5)
quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(question=good)
def test_an_address_asks_the_same_question_again(shop: Shop, question: dict[str, str]) -> None:
    filters = reports.read(question)
    assert reports.read(filters.address()) == filters


@quick
@given(question=st.one_of(good, bad, st.builds(lambda a, b: a | b, good, bad)))
def test_any_question_is_answered_or_refused(shop: Shop, question: dict[str, Any]) -> None:
    try:
        filters = reports.read(question)
    except Invalid as refusal:
        assert refusal.field in FIELDS
        return
    report = reports.takings(filters)
    assert report.figures.total_minor in (0, 100)
    assert sum(line.figures.total_minor for line in report.series) == report.figures.total_minor
    assert figures.breakdown(filters, "shoppers", 5).many in (0, 1)
    listing.entries(filters, None, 5)
