"""What was done without a network is told by every tab of the device at once: it is done once."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from store.db import db, in_transaction
from store.late import acts
from store.late.models import LateAct
from store.stock.models import Movement
from tests.late.test_late import Device
from tests.races.crowd import at_once
from tests.world import Thing, World

TABS = 6


def tell_at_once(world: World, milk: Thing) -> list[Any]:
    """Six tabs tell the same act in the same moment; what each was answered."""
    sam = world.staff()
    tabs = [Device(world, sam) for _ in range(TABS)]
    goods = {"quantity": "5", "seen": "0", "again": "1"}
    told = [partial(tab.stock, "receipts", "one", milk, **goods) for tab in tabs]
    return sorted(_outcome(answer) for answer in at_once(told))


def _outcome(answer: Any) -> str:
    failed = isinstance(answer, BaseException) or answer.status_code != 200
    return "failed" if failed else str(answer.get_json(force=True)["outcome"])


def received(app: Flask, milk: Thing) -> int:
    query = select(func.count()).where(Movement.item_id == milk.id, Movement.quantity == 5)
    with app.app_context():
        return int(db.session.scalar(query) or 0)


def test_one_tab_does_it(world: World, app: Flask) -> None:
    milk = world.item(on_hand=1)
    assert tell_at_once(world, milk) == ["done"] + ["known"] * (TABS - 1)
    assert received(app, milk) == 1 and world.left(milk) == 6
    assert world.faults() == []


def test_without_the_guard_it_is_done_again(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each looks before its act whether the key is there, as who has no table with keys would."""
    looked = []

    def careless(arrival: acts.Arrival) -> None:
        mine = LateAct.member_id == arrival.member_id
        looked.append(in_transaction().scalar(select(func.count()).where(mine)))

    monkeypatch.setattr(acts, "take", careless)
    milk = world.item(on_hand=1)
    tell_at_once(world, milk)
    assert looked == [0] * TABS
    assert received(app, milk) > 1
