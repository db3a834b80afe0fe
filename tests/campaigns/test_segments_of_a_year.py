"""Segments over a real year of 4,372 customers: the shop's figures are those of the file itself.

An invoice is one sale with a line for each kind of goods in it; what was cancelled went back of an
earlier sale of the same customer, whichever it was. The file lies beside the project.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import pytest
from flask import Flask
from sqlalchemy import insert

from bench import real_year
from store import ids, reports
from store.catalogue.models import Category, Item
from store.db import db
from store.identity.models import Member
from store.reports.customers import segments
from store.reports.customers.segments import Segment
from store.sales.models import Refund, RefundLine, Sale, SaleLine
from tests.conftest import Clock, Database
from tests.world import World

NOW = datetime(2011, 12, 10, 12, tzinfo=UTC)
TODAY = NOW.date()
KINDS = 4


class Invoice(NamedTuple):
    """An invoice of a customer: pence by the kind of goods; below zero it went back."""

    customer: int
    at: datetime
    minor: dict[int, int]


class Bought(NamedTuple):
    """What it came to in the shop; what went back counts in the channel of its sale."""

    day: date
    total: int
    channel: str
    kinds: frozenset[int]


@cache
def year() -> list[Invoice]:
    """The invoices of customers, in the order of time, by plain reading."""
    found: dict[str, Invoice] = {}
    pence: dict[str, int | None] = {}
    with gzip.open(real_year.FILE, "rt", encoding="utf-8", newline="") as file:
        for number, item, _, quantity, at, price, customer, *_ in csv.reader(file):
            if not customer.isdigit():
                continue  # The head, and sales in nobody's name.
            if price not in pence:
                exact = Decimal(price) * 100
                pence[price] = int(exact) if exact == int(exact) else None
            each = pence[price]
            if each is None:
                continue  # Finer than a penny.
            one = found.get(number)
            if one is None:
                when = datetime.fromisoformat(at).replace(tzinfo=UTC)
                one = found[number] = Invoice(int(customer), when, {})
            kind = 1 + sum(item.encode()) % KINDS
            one.minor[kind] = one.minor.get(kind, 0) + int(quantity) * each
    return sorted(found.values(), key=lambda one: one.at)


Year = dict[int, list[Bought]]


@pytest.fixture
def shop(world: World, app: Flask, clock: Clock, database: Database) -> Iterator[Year]:
    if not real_year.FILE.exists():
        pytest.skip(f"{real_year.FILE.name} is not beside this project")
    clock.set(NOW)
    app.config |= {"CURRENCY": "GBP", "TIME_ZONE": "Europe/London"}
    with app.app_context():
        # All of them take a while: once is enough to see that the figures are right.
        yield _filled(world.location, 1 if database.kind == "sqlite" else 8)


def _filled(place: int, every: int) -> Year:
    """The year as sales and refunds; answers the invoices of each customer."""
    rows: dict[type[Any], list[dict[str, Any]]] = defaultdict(list)
    of: Year = defaultdict(list)
    last: dict[int, tuple[str, str]] = {}
    for number, one in enumerate(one for one in year() if one.customer % every == 0):
        made, total, mine = ids.encode(number, 20), sum(one.minor.values()), of[one.customer]
        if total >= 0:
            last[one.customer] = made, ("shelf", "web", "till")[one.at.hour % 3]
            _sell(rows, one, made, place, last[one.customer][1])
        elif one.customer in last:
            _give_back(rows, one, made, last[one.customer][0])
        else:
            continue  # Bought before the file begins.
        mine.append(Bought(one.at.date(), total, last[one.customer][1], frozenset(one.minor)))
    person = {"name": "", "role": "shopper", "created_at": NOW}
    with db.engine.begin() as own:
        own.execute(insert(Category), [
            {"id": at, "code": f"k{at}", "names": {"en": f"Kind {at}"}}
            for at in range(1, KINDS + 1)
        ])  # fmt: skip
        own.execute(insert(Item), [
            {"id": at, "code": f"K{at}", "names": {"en": f"Goods {at}"}, "descriptions": {},
             "category_id": at, "tax_rate_bp": 0, "created_at": NOW, "updated_at": NOW}
            for at in range(1, KINDS + 1)
        ])  # fmt: skip
        own.execute(insert(Member), [person | {"id": one} for one in of])
        for table in (Sale, SaleLine, Refund, RefundLine):
            own.execute(insert(table), rows[table])
        if own.dialect.name == "postgresql":
            own.exec_driver_sql("ANALYZE")  # As it does by itself before long.
    reports.rebuild()
    return of


def _sell(rows: Any, one: Invoice, made: str, place: int, channel: str) -> None:
    rows[Sale].append({
        "id": made, "member_id": one.customer, "key": made, "contents": "", "location_id": place,
        "channel": channel, "means": "account", "state": "paid", "currency": "GBP",
        "total_minor": sum(one.minor.values()), "tax_minor": 0, "created_at": one.at,
    })  # fmt: skip
    rows[SaleLine] += [
        {"sale_id": made, "position": kind, "item_id": kind, "names": {}, "quantity": 1,
         "unit_minor": max(minor, 0), "total_minor": minor, "tax_minor": 0, "tax_rate_bp": 0,
         "kind": "goods"}
        for kind, minor in one.minor.items()
    ]  # fmt: skip


def _give_back(rows: Any, one: Invoice, made: str, sale: str) -> None:
    total = -sum(one.minor.values())
    rows[Refund].append({"id": made, "sale_id": sale, "total_minor": total, "tax_minor": 0,
                         "reason": "", "made_by": one.customer, "created_at": one.at})  # fmt: skip
    rows[RefundLine].append({"refund_id": made, "position": 1, "item_id": 1, "quantity": 1,
                             "total_minor": total, "tax_minor": 0})  # fmt: skip


def by_hand(of: Year, wanted: dict[str, Any]) -> set[int]:
    """The same question, asked of the file's own lines."""
    found = set()
    since = TODAY - timedelta(days=wanted.get("days", 10_000) - 1)
    quiet = TODAY - timedelta(days=wanted.get("quiet_days", -10_000) - 1)
    channel, kind = wanted.get("channel"), wanted.get("category_id")
    for customer, bought in of.items():
        here = [one for one in bought if one.day >= since and channel in (None, one.channel)]
        sales = [one for one in here if one.total >= 0]
        net = sum(one.total for one in here)
        if (
            wanted.get("least_times", 1) <= len(sales) <= wanted.get("most_times", 10**9)
            and wanted.get("least_minor", -(10**12)) <= net <= wanted.get("most_minor", 10**12)
            and not any(one.day >= quiet for one in bought if one.total >= 0)
            and (kind is None or any(kind in one.kinds for one in sales))
        ):
            found.add(customer)
    return found


def test_segments_of_a_real_year_are_those_of_the_file(shop: Year) -> None:
    assert len({one.customer for one in year()}) == 4_372
    chance, seen = random.Random(7), set()
    plain: list[dict[str, Any]] = [
        {"least_times": 1}, {"days": 30}, {"quiet_days": 90}, {"least_minor": 500_000},
        {"days": 365, "most_times": 1}, {"category_id": 3, "days": 60}, {"channel": "web"},
        {"days": 90, "least_times": 3, "least_minor": 50_000, "quiet_days": 10},
        {"most_minor": 0},
    ]  # fmt: skip
    for wanted in plain + [_some(chance) for _ in range(20)]:
        segment = Segment("GBP", **wanted)
        found = segments.members(segment)
        assert set(found) == by_hand(shop, wanted), wanted
        seen.add(len(found))
    assert len(seen) > 15 and max(seen) > len(shop) * 0.9


def _some(chance: random.Random) -> dict[str, Any]:
    """Some conditions at once, as nobody has thought of them."""
    every = {
        "days": chance.choice((7, 30, 90, 180, 374)), "least_times": chance.randint(1, 5),
        "most_times": chance.randint(5, 30), "least_minor": chance.choice((1, 20_000, 100_000)),
        "most_minor": chance.choice((150_000, 500_000)), "category_id": chance.randint(1, KINDS),
        "channel": chance.choice(("web", "shelf", "till")),
        "quiet_days": chance.choice((5, 20, 60, 120)),
    }  # fmt: skip
    return {name: every[name] for name in chance.sample(sorted(every), chance.randint(1, 4))}
