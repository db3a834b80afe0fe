"""A day of a till is closed once, however many close it at once, and no sale falls between two
days."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from store import ids, sales
from store.db import db, in_transaction
from store.sales.till import till_days
from store.sales.till.till_days import Closing
from store.sales.till.till_models import Till, TillDay
from tests.races.crowd import at_once, inside, words
from tests.world import World

HANDS = 6


def close_at_once(world: World, app: Flask, *, selling: bool = True) -> int:
    """Six close the same day while somebody sells; answers how many were told that they did."""
    sam, milk = world.staff(), world.item(price="12", on_hand=50)
    people = [world.staff() for _ in range(HANDS)]
    line = (sales.Line(milk.id, 1),)

    def sell() -> str:
        asked = sales.Buy(
            None, world.location, "CNY", line, ids.new(), "till", sam.id, means="cash"
        )
        return sales.buy(asked).sale_id

    with app.app_context():
        day = till_days.open_day(world.location, sam.id, "CNY", 0, "", made_by=sam.id)
        sell()
        mine = till_days.count(day, {"cash": 1_200}, made_by=sam.id)

    def closing(person: int) -> Any:
        return lambda: till_days.close_day(Closing(day, mine, 1_200), made_by=person)

    jobs: list[Any] = [inside(app, closing(one.id)) for one in people]
    outcomes = at_once([*jobs, inside(app, sell)] if selling else jobs)
    refused = words([one for one in outcomes if not isinstance(one, int | str)])
    assert set(refused) <= {"till_closed", "till_changed"}
    return sum(isinstance(one, int) for one in outcomes)


def test_a_day_is_closed_once(world: World, app: Flask) -> None:
    closed = close_at_once(world, app)
    assert closed <= 1  # The sale may have been first: then all are told to count again.
    with app.app_context():
        sam = db.session.execute(text("SELECT seller_id FROM tills")).scalar_one()
        day = till_days.open_day(world.location, sam, "CNY", 0, "", made_by=sam)
        mine = till_days.count(day, {"cash": 1_200 if closed else 2_400}, made_by=sam)
        assert till_days.close_day(Closing(day, mine, 0), made_by=sam) == 1 + closed
    assert world.faults() == []


def test_without_the_guards_it_is_closed_again(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day looks open to everybody, and nobody writes down that it is not."""

    def careless(day_id: str) -> tuple[Till, TillDay]:
        session = in_transaction()
        day = session.get_one(TillDay, day_id)
        till = session.get_one(Till, day.till_id)
        session.expunge(day)
        day.closed_at = None
        return till, day

    monkeypatch.setattr(till_days, "_day", careless)
    monkeypatch.setattr(till_days, "_write", lambda *said: 1)
    assert close_at_once(world, app, selling=False) > 1
    assert any("till_cash_off" in fault for fault in world.faults())
