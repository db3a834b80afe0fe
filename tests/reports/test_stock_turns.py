"""How stock turns: flows that equal the movements, and the figures that come of them, reckoned
again day by day."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import insert, select, update

from store import ids, integration, outbox, reports, stock
from store.catalogue.costs import costs_of
from store.catalogue.models import ItemCost
from store.db import db, transaction
from store.errors import Invalid
from store.reports.calendar import day_number
from store.reports.reading import open_books
from store.reports.stock import (
    stock_asked,
    stock_compared,
    stock_lists,
    stock_turnover,
    stock_value,
)
from store.reports.stock.stock_asked import Asked
from store.reports.stock.stock_goods import by_item
from store.stock import slips
from store.stock.models import Level, Movement
from store.stock.work_models import Slip
from tests.conftest import Clock
from tests.reports.shop import ITEMS, Shop
from tests.reports.test_stock_value import delivered, say, table
from tests.world import World

NOW = datetime(2026, 11, 3, 15, 20, tzinfo=UTC)
REASONS = ("sold", "sold", "sold", "received", "counted", "moved", "returned", "written_off")


@pytest.fixture
def settings(settings: dict[str, object]) -> dict[str, object]:
    return settings | {"TIME_ZONE": "America/New_York"}  # Its clocks were put back two days ago.


def trade(chance: random.Random, many: int) -> list[dict[str, Any]]:
    """Movements at random moments of a hundred days, never below zero; and the levels they make."""
    left: dict[tuple[int, int], int] = defaultdict(int)
    found = []
    for at in sorted(NOW - timedelta(days=100) * chance.random() for _ in range(many)):
        place = (chance.randrange(1, ITEMS), chance.randrange(1, 4))
        reason = chance.choice(REASONS) if left[place] else "received"
        out = reason in ("sold", "written_off") or (
            reason in ("moved", "counted") and chance.random() < 0.5
        )
        quantity = -chance.randint(1, left[place]) if out else chance.randint(1, 30)
        left[place] += quantity
        found.append({"item_id": place[0], "location_id": place[1], "quantity": quantity,
                      "reason": reason, "at": at})  # fmt: skip
    with transaction() as session:
        session.execute(insert(Movement), found)
        session.execute(insert(Level), [
            {"item_id": item, "location_id": where, "on_hand": many, "shelf": ""}
            for (item, where), many in left.items()
        ])  # fmt: skip
    return found


def by_hand(app: Flask, moves: list[dict[str, Any]], days: int, place: int | None, ago: int) -> Any:
    """{item: (on hand, sold, stood, summed)} by going through the days until so many days ago."""
    zone = ZoneInfo(str(app.config["TIME_ZONE"]))
    last = day_number(NOW.astimezone(zone).date()) - ago
    found = {}
    for item in {move["item_id"] for move in moves}:
        own = [(day_number(move["at"].astimezone(zone).date()), move) for move in moves
               if move["item_id"] == item and place in (None, move["location_id"])]  # fmt: skip
        own = [(on, move) for on, move in own if on <= last]
        ends = [sum(move["quantity"] for on, move in own if on <= day)
                for day in range(last - days, last + 1)]  # fmt: skip
        sold = -sum(move["quantity"] for on, move in own
                    if on > last - days and move["reason"] in ("sold", "returned"))  # fmt: skip
        places = {where for _, move in own for where in [move["location_id"]]}
        shown = any(
            sum(m["quantity"] for _, m in own if m["location_id"] == where) > 0
            or any(m["location_id"] == where and on > last - days for on, m in own)
            for where in places
        )  # fmt: skip
        if shown:
            found[item] = (ends[-1], sold, ends[0], sum(ends[1:]))
    return found


def said(days: int, place: int | None, ago: int) -> Any:
    until = (NOW - timedelta(days=ago)).date().isoformat() if ago else ""
    asked = stock_asked.read(
        {"days": str(days), "location": f"L{place}" if place else "", "until": until}
    )
    books = open_books()
    of = by_item(books, asked).c
    query = select(of.item_id, of.on_hand, of.sold, of.stood, of.summed)
    return {row[0]: tuple(row[1:]) for row in books.connection.execute(query)}


def test_flows_are_the_movements_whoever_sums_them_up(app: Flask, clock: Clock) -> None:
    clock.set(NOW)
    with app.app_context():
        Shop().open()
        moves = trade(random.Random(11), 400)
        for folded in (False, True):
            if folded:
                integration.follow()
                assert reports.fold(1) == 400 and reports.fold(1) == 0
            for days, place, ago in (
                (30, None, 0), (90, None, 0), (30, 2, 0), (365, 1, 0), (30, None, 30), (30, 2, 17),
                (90, 3, 61), (30, 1, 99),
            ):  # fmt: skip
                hand = by_hand(app, moves, days, place, ago)
                mine = said(days, place, ago)
                assert {item: mine[item][:2] for item in mine} == {
                    item: hand[item][:2] for item in mine
                }
                assert hand.keys() == mine.keys()
                # A place that neither has any nor sold any is in no row.
                if place is not None:
                    assert mine == hand
        assert reports.differences()["stock_flows"] == 0
        db.session.execute(update(Movement).where(Movement.id == 7).values(quantity=10_000))
        db.session.commit()
        assert reports.differences()["stock_flows"] == 2, "a day and a month"


def test_turnover_is_what_was_sold_of_what_lay_there(world: World, clock: Clock) -> None:
    clock.set(NOW - timedelta(days=200))
    app, lin, owner = world.app, world.member(funds="9000"), world.owner()
    milk, tea = world.item(on_hand=100, price="10.00"), world.item("coffee", on_hand=40)
    pack = world.item("juice", on_hand=0, price="18.00", parts={milk.id: 2})
    depot = world.place("DEPOT", kind="warehouse")
    for thing, cost in ((milk, "4"), (tea, "20")):
        say(app, thing, cost)
    for days in range(100, 0, -10):
        clock.set(NOW - timedelta(days=days))
        world.buy(lin, (milk, 3), pack)
    clock.set(NOW)
    bread = world.item("bread", on_hand=7)
    office = world.client_for(owner)
    with app.app_context():
        outbox.work()
        integration.follow()
        reports.fold(1)
        asked = stock_asked.read({})
        turns = stock_turnover.turnover(asked)
        # Eight times five went, 80 to 10 days ago: 50 at the end, 90 when the days began.
        assert turns.sold_minor == 40 * 400 and turns.dead == 1
        ends = [100 - 5 * sum(1 for gone in range(100, 0, -10) if gone >= ago)
                for ago in range(89, -1, -1)]  # fmt: skip
        assert turns.average_minor == (sum(ends) * 400 + 40 * 2000 * 90 + 45) // 90
        whole = turns.average_minor * 90
        assert turns.turns_tenths == (20 * turns.sold_minor * 365 + whole) // (2 * whole)
        assert turns.days_left == (50 * 400 + 40 * 2000) * 90 // (40 * 400)
        assert turns.dead_minor == 40 * 2000, "tea lay there; bread is new and not dead"
        values = [one.value_minor for one in stock_turnover.months(asked)]
        assert values[-1] == stock_value.value(asked).worth.value_minor == 50 * 400 + 80_000
        assert values[0] == 100 * 400 + 80_000
        assert [one.item_id for one in stock_lists.listed(asked, "dead", None).goods] == [tea.id]
        _check_then(asked, milk.id)
        fast = stock_lists.listed(asked, "fast", None).goods
        assert [(one.item_id, one.sold) for one in fast] == [(milk.id, 40)]
        assert costs_of([bread.id], "CNY") == {} and depot
        assert db.session.scalars(select(ItemCost.why)).all() == ["said", "said"]
    assert table(office, "/owner/stock.csv?table=dead")[tea.code]["last_sold"] == ""
    for kind in stock_lists.KINDS:
        assert office.get(f"/owner/stock/{kind}").status_code == 200
        assert office.get(f"/owner/stock/{kind}?until=2026-08-05").status_code == 200
    places = table(office, "/owner/stock.csv?table=locations")["MAIN"]
    assert (places["pieces_before"], places["sold_before"]) == ("130", "40.00")
    for name, value in (("categories", "1160.00"), ("brands", "800.00"), ("months", "1160.00")):
        assert value in office.get(f"/owner/stock.csv?table={name}&until=2026-08-05").text
    page = office.get("/owner/stock").text
    assert "?until=2026-08-05" in page and "/owner/stock/items?until=2026-08-05" in page
    assert world.faults() == []


def _check_then(asked: Asked, milk_id: int) -> None:
    """Beside these 90 days stand the 90 before, as one asks for them by their last day."""
    found, then = stock_compared.compared(asked), stock_asked.read({"until": "2026-08-05"})
    assert then == asked.before and found.comparable
    assert found.turned == stock_turnover.turnover(then)
    # Milk: 100 stood there from the 200th day ago on; ten went 100 and 90 days ago.
    assert found.was == stock_value.value(then, counted=False)
    assert found.was.worth.value_minor == 90 * 400 + 40 * 2000
    assert found.turned.sold_minor == 10 * 400 and found.turned.to_order == 0
    [milk] = stock_lists.listed(asked, "fast", None).goods
    [then_milk] = stock_lists.listed(then, "fast", None).goods
    assert (milk.item_id, milk.stood, milk.sold_before) == (milk_id, 90, 10)
    assert (then_milk.on_hand, then_milk.sold) == (milk.stood, milk.sold_before)
    # Each place beside the others is what it is when one asks for it alone.
    for one in found.places:
        alone = stock_asked.read({"location": one.part.code})
        assert one.turns == replace(stock_turnover.turnover(alone), to_order=0)
        assert one.before.value_minor == stock_value.value(alone.before).worth.value_minor
    for wrong in ("2026-11-04", "1990-01-01", "yesterday", "20260805"):
        with pytest.raises(Invalid):
            stock_asked.read({"until": wrong})


def test_what_runs_out_is_ordered_with_one_tap(world: World, clock: Clock) -> None:
    clock.set(NOW - timedelta(days=60))
    lin, owner = world.member(funds="9000"), world.owner()
    milk, tea = world.item(on_hand=70, price="10.00"), world.item("coffee", on_hand=90)
    gone = world.item("juice", on_hand=20, price="10.00")
    office = world.client_for(owner)
    delivered(office, milk, 1)
    for days in range(30, 0, -1):
        clock.set(NOW - timedelta(days=days - 1, hours=1))
        world.buy(lin, (milk, 2), tea)
        if days < 11:
            world.buy(lin, (gone, 2))
    clock.set(NOW)
    rows = table(office, "/owner/stock.csv?table=reorder&days=30")
    # Milk: 11 left, 2 a day, for 28 days 56. Juice: none left, 20 in 30 days, for 28 days 18.7.
    assert {code: (row["on_hand"], row["to_order"], row["supplier"]) for code, row in rows.items()
            } == {milk.code: ("11", "45", "Dairy"), gone.code: ("0", "19", "")}  # fmt: skip
    # The owner's first page says how many, as the worker counted; the list is of now.
    assert "/owner/stock/reorder" not in office.get("/owner").text
    with world.app.app_context():
        assert reports.count_orders() and not reports.count_orders()
    many = len(table(office, "/owner/stock.csv?table=reorder"))
    today = office.get("/owner").text
    assert many and f">{many}<" in today.partition('href="/owner/stock/reorder"')[2][:300]
    page = office.get("/owner/stock/reorder?days=30").text
    assert page.index("Without a supplier") < page.index("Dairy") and 'value="45"' in page
    key = ids.new()
    form = {"at": "MAIN", "supplier": "Dairy", "key": key, f"quantity_{milk.id}": "45",
            f"quantity_{tea.id}": ""}  # fmt: skip
    order = office.post("/desk/purchases", form)
    again = office.post("/desk/purchases", form)
    assert order.status_code == 303 and again.location == order.location, "a second tap is none"
    for wrong in ({"quantity_x": "1"}, {"quantity_999999": "1"}, {f"quantity_{tea.id}": "-1"}):
        assert office.post("/desk/purchases", form | {"key": ids.new()} | wrong).status_code == 422
    with world.app.app_context():
        assert len(db.session.scalars(select(Slip).where(Slip.kind == "purchase")).all()) == 1
        slip = int(order.location.rsplit("/", 1)[-1])
        assert [(one.item_id, one.quantity) for one in slips.scanned(slip)] == [(milk.id, 45)]
    assert office.post(f"{order.location}/sendings").status_code == 303
    rows = table(office, "/owner/stock.csv?table=reorder&days=30")
    assert set(rows) == {gone.code}, "what is on its way is counted off"
    clock.tick(minutes=6)
    with world.app.app_context():
        assert reports.count_orders()
    today = office.get("/owner").text
    assert f">{many - 1}<" in today.partition('href="/owner/stock/reorder"')[2][:300]
    assert stock.MAIN and world.faults() == []
