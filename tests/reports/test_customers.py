"""The owner's customers: the figures against the slow way, whatever order things are told in."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from flask import Flask
from sqlalchemy import update

from bench.customers import by_hand, live, shown
from bench.real_year import FILE, rows
from store import outbox, reports
from store.db import db, transaction
from store.reports.claimed import pass_on, take_over
from store.reports.customers import customers
from store.reports.customers.customer_models import Cohort
from store.sales.models import Sale
from tests.conftest import Clock
from tests.reports.shop import SHOPPERS, Shop, Sold
from tests.world import World

NOW = datetime(2026, 11, 3, 15, 20, tzinfo=UTC)
SINCE = datetime(2026, 7, 20, tzinfo=UTC)
Months = dict[int, dict[str, list[int]]]


@pytest.fixture
def shop(app: Flask, clock: Clock) -> Iterator[Shop]:
    clock.set(NOW)
    with app.app_context():
        opened = Shop()
        opened.open()
        yield opened


def months_of(sold: list[Sold]) -> Months:
    """By member and month, in the shop's own time: sales, and what they brought."""
    found: Months = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for one in sold:
        if one.currency == "CNY":
            month = (one.at + timedelta(hours=8)).strftime("%Y-%m")
            of = found[one.member_id][month]
            of[0] += 0 if one.refund else 1
            of[1] += (-1 if one.refund else 1) * sum(line[2] for line in one.lines)
    return found


def hold(sold: list[Sold], first: str, last: str) -> None:
    """Every figure of these months is what the sales say."""
    known = {member: of for member, of in months_of(sold).items() if member}
    found = customers.overview(customers.read({"from": first, "to": last}))
    assert found.settled
    begun = {member: min(of) for member, of in known.items()}
    bought = {
        member for member, of in known.items()
        if any(each[0] for month, each in of.items() if first <= month <= last)
    }  # fmt: skip
    assert found.shoppers == len(bought)
    assert found.new == sum(first <= month <= last for month in begun.values())
    for one in found.months:
        month = customers._text(one.first)
        of = [(member, each[month]) for member, each in known.items() if month in each]
        assert one.shoppers == sum(each[0] > 0 for _, each in of)
        assert one.new == sum(begun[member] == month for member, _ in of)
        assert (one.sales, one.total_minor) == (
            sum(each[0] for _, each in of), sum(each[1] for _, each in of)
        )  # fmt: skip
        whole = [each[month] for each in months_of(sold).values() if month in each]
        assert one.all_sales == sum(each[0] for each in whole)
        assert one.all_minor == sum(each[1] for each in whole)
    for since in found.cohorts:
        mine = [of for member, of in known.items()
                if begun[member] == customers._text(since.first)]  # fmt: skip
        assert since.size == len(mine)
        assert since.so_far_minor == sum(each[1] for of in mine for each in of.values())
    web = {one.member_id for one in sold if _in(one, first, last) and one.channel == "web"}
    here = {one.member_id for one in sold if _in(one, first, last) and one.channel != "web"}
    groups = {one.code: one.shoppers for one in found.groups}
    assert groups == {"both": len(web & here), "web": len(web - here), "shop": len(here - web)}


def _in(one: Sold, first: str, last: str) -> bool:
    month = (one.at + timedelta(hours=8)).strftime("%Y-%m")
    counts = not one.refund and one.currency == "CNY" and one.member_id
    return bool(counts) and first <= month <= last


def test_the_figures_are_those_of_the_sales_in_whatever_order_they_are_told(shop: Shop) -> None:
    """Sales of an earlier month come late, refunds, some at a time; a guest's purchase is claimed,
    and was the first."""
    chance = random.Random(3)
    for _ in range(4):
        shop.trade(chance, SINCE, NOW, 8)
        outbox.work()
    early = shop.sell(SINCE - timedelta(days=20), (1, 1, 500), channel="till", means="cash")
    with transaction() as session:  # In nobody's name, until a member claims it.
        session.execute(update(Sale).where(Sale.id == early.id).values(member_id=None, sold_by=1))
    outbox.work()
    with transaction() as session:
        session.execute(update(Sale).where(Sale.id == early.id).values(member_id=SHOPPERS))
        take_over([early.id], SHOPPERS)
    assert not any(reports.differences().values())
    theirs = [one.id for one in shop.sold if one.member_id == 2 and not one.refund]
    with transaction() as session:  # Two accounts of one person are one from now on.
        session.execute(update(Sale).where(Sale.id.in_(theirs)).values(member_id=3))
        pass_on(theirs, 2, 3)
    assert not any(reports.differences().values())
    told = [one if one is not early else one.__class__(**vars(one) | {"member_id": SHOPPERS})
            for one in shop.sold]  # fmt: skip
    told = [one.__class__(**vars(one) | {"member_id": 3}) if one.member_id == 2 else one
            for one in told]  # fmt: skip
    hold(told, "2026-06", "2026-11")
    hold(told, "2026-08", "2026-08")
    hold(told, "2026-07", "2026-09")
    with transaction() as session:  # The audit sees what is wrong.
        session.execute(update(Cohort).values(shoppers=Cohort.shoppers + 1))
    assert reports.differences()["cohorts"]
    db.session.rollback()
    waiting = shop.sell(NOW, (1, 1, 100))
    assert waiting and not customers.overview(customers.read({})).settled


@pytest.mark.skipif(not FILE.exists(), reason="the real year is not beside this project")
def test_a_real_quarter_is_what_its_file_says(app: Flask, clock: Clock) -> None:
    """The first months of a real gift shop; `python -m bench customers` does the whole year."""
    end = datetime(2011, 2, 28, 12, tzinfo=UTC)
    found = [row for row in rows(110_000) if row.at < end]
    clock.set(end)
    with app.app_context():
        live(found, "CNY")
        assert shown("2010-12", "2011-02") == by_hand(found, "2010-12", "2011-02", hours=8)


def test_the_owner_looks_at_all_and_at_one_and_it_is_in_the_log(world: World, app: Flask) -> None:
    milk = world.item("oat-milk", price="4.00", on_hand=30)
    lin, owner, staff = world.member(funds="50"), world.owner(), world.staff()
    olga = world.client_for(owner)
    assert "Nothing was sold" in olga.get("/owner/customers").text
    with app.app_context():
        world.buy(lin, (milk, 2))
        assert "still being added up" in olga.get("/owner/customers").text
        outbox.work()
    page = olga.get("/owner/customers").text
    assert f"/owner/customers/{lin.id}" in page and "still being added up" not in page
    for bad in ("period=x", "from=2026", "from=2026-13", "from=2026-05&to=2026-04",
                "from=1990-01&to=2026-01", "to=0001-01"):  # fmt: skip
        assert olga.get(f"/owner/customers?{bad}").status_code == 422, bad
    for period in ("this_year", "last_year", "all"):
        assert olga.get(f"/owner/customers?period={period}").status_code == 200
    for table, head in (("months", "month"), ("cohorts", "cohort"), ("channels", "where")):
        text = olga.get(f"/owner/customers.csv?table={table}").text
        rows = list(csv.reader(StringIO(text.lstrip("\ufeff"))))
        assert rows[0][0] == head and any("8.00" in row for row in rows[1:])
    assert olga.get("/owner/customers.csv?table=x").status_code == 422
    story = olga.get(f"/owner/customers/{lin.id}").text
    assert lin.email in story and "8.00" in story and "Oat" in story
    assert olga.get("/owner/customers/999999").status_code == 404
    assert "Looked at" in olga.get("/owner/log?verb=person.seen").text
    sam = world.client_for(staff)
    assert sam.get("/owner/customers").status_code == 403
    assert sam.get(f"/owner/customers/{lin.id}").status_code == 403
    assert world.faults() == []
