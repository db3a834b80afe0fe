from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import BigInteger, literal_column, select

from store.db import db
from store.reports import calendar
from store.reports.calendar import Span, day_number
from store.reports.models import WHOLE_DAY, WHOLE_MONTH, WHOLE_YEAR
from tests.conftest import Clock
from tests.reports.shop import local

ZONES = (
    "Asia/Shanghai", "Europe/London", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu",
    "Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo", "Pacific/Apia", "Pacific/Chatham",
)  # fmt: skip


@pytest.mark.parametrize("zone", ZONES)
def test_the_database_knows_the_day_and_hour_of_the_shop_s_clock(app: Flask, zone: str) -> None:
    """Moments at random and about every change of the clock, for spans short and long."""
    app.config["TIME_ZONE"] = zone
    chance = random.Random(zone)
    with app.app_context():
        for days in (1, 30, 700):
            first = datetime(2010, 1, 1, tzinfo=UTC) + timedelta(days=chance.randrange(7000))
            day = local(first, zone)[0]
            span = Span(day, day + days - 1)
            moments = [first + timedelta(days=days * chance.random()) for _ in range(40)]
            for since, _ in calendar._changes(zone, span):
                change = calendar.moment_of(since)
                moments += [change + timedelta(microseconds=step) for step in (-1, 0, 1)]
            for moment in moments:
                at = literal_column(str(calendar.microseconds(moment)), BigInteger)
                query = select(calendar.local_day(at, span), calendar.local_hour(at, span))
                assert tuple(db.session.execute(query).one()) == local(moment, zone), moment


def test_the_day_the_clock_goes_back_has_its_hours_twice_in_one_place(app: Flask) -> None:
    app.config["TIME_ZONE"] = "Europe/Berlin"
    with app.app_context():
        day = day_number(date(2026, 10, 25))
        assert calendar.midnight(day + 1) - calendar.midnight(day) == timedelta(hours=25)
        early, late = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
        for moment in (early, late):
            at = literal_column(str(calendar.microseconds(moment)), BigInteger)
            assert db.session.scalar(select(calendar.local_hour(at, Span(day, day)))) == 2


def test_the_pieces_of_a_span_cover_each_day_once(app: Flask, clock: Clock) -> None:
    clock.set(datetime(2026, 11, 23, 4, tzinfo=UTC))
    now = day_number(date(2026, 11, 23))
    chance = random.Random(1)
    with app.app_context():
        for _ in range(300):
            first = now - chance.randrange(1500)
            span = Span(first, min(first + chance.choice((0, 3, 40, 400, 1500)), now))
            for longest in (WHOLE_DAY, WHOLE_MONTH, WHOLE_YEAR):
                covered: list[int] = []
                for months, part in calendar.pieces(span, longest):
                    assert months <= longest
                    covered += _days(months, part)
                assert covered == sorted(set(covered)), "a day is in two pieces"
                inside = [day for day in covered if day <= now]
                assert inside == list(range(span.first, span.last + 1))


def test_a_year_that_runs_is_read_from_one_row(app: Flask, clock: Clock) -> None:
    clock.set(datetime(2026, 11, 23, 4, tzinfo=UTC))
    span = Span(day_number(date(2026, 1, 1)), day_number(date(2026, 11, 23)))
    with app.app_context():
        assert calendar.pieces(span, WHOLE_YEAR) == [(WHOLE_YEAR, Span(span.first, span.first))]
        yesterday = span._replace(last=span.last - 1)
        assert len(calendar.pieces(yesterday, WHOLE_YEAR)) == 2, "whole months, then days"


def _days(months: int, part: Span) -> list[int]:
    if months == WHOLE_DAY:
        return list(range(part.first, part.last + 1))
    days: list[int] = []
    for day in range(part.first, part.last + 1):
        if day == calendar.month_start(day, months):
            after = calendar.date_of(day + 32 if months == WHOLE_MONTH else day + 366)
            end = after.replace(day=1) if months == WHOLE_MONTH else date(after.year, 1, 1)
            days += range(day, day_number(end))
    return days
