"""Held money leaves once: by the timer of several processes, the shopper's word, a refund and a
complaint, all at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from store import clock, delivery, sales
from store.db import db, repeatable, transaction
from store.payment import escrow
from store.payment.escrow_models import Escrow
from store.sales.orders import fulfilment, receiving
from tests.conftest import Clock
from tests.races.crowd import at_once, inside
from tests.world import Somebody, Thing, World

ROUNDS, CONTROL_ROUNDS = 5, 40


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"ESCROW_DAYS": 7}


def arrived(world: World, lin: Somebody, milk: Thing) -> str:
    sale = world.order(lin, (milk, 2), address=world.address(lin))
    with world.app.app_context():
        [parcel] = delivery.of_sale(sale.id)
        for event in ("pick", "pack", "ship", "deliver"):
            fulfilment.step(parcel.id, event, made_by=lin.id, carrier="SF", tracking="1")
    return sale.id


@repeatable
def careless_release(sale_id: str) -> None:
    """It looks whether the money is held, and then releases it."""
    found = escrow.find(sale_id)
    held = found.held_minor if found is not None and found.state == "arrived" else 0
    db.session.rollback()
    if held:
        with transaction() as session:
            out = {"state": "released", "held_minor": 0, "released_at": clock.now()}
            session.execute(update(Escrow).where(Escrow.sale_id == sale_id).values(**out))
            escrow._move("takings", "escrow", held, "CNY", "escrow_out", sale_id)


def test_a_careless_timer_releases_twice(clock: Clock, world: World, app: Flask) -> None:
    world.zone((5000, "6"))
    lin, milk = world.member(funds="5000"), world.item(price="1", on_hand=500)
    for _ in range(CONTROL_ROUNDS):
        sale_id = arrived(world, lin, milk)
        at_once([inside(app, lambda: careless_release(sale_id))] * 8)  # noqa: B023
        if world.faults():
            return
    pytest.fail("no race was seen, so the tests below prove nothing")


def test_timers_the_shopper_a_refund_and_a_complaint_at_once(
    clock: Clock, world: World, app: Flask
) -> None:
    world.zone((5000, "6"))
    lin, milk = world.member(funds="1000"), world.item(price="10", on_hand=50)
    for number in range(ROUNDS):
        sale_id = arrived(world, lin, milk)
        clock.tick(days=8)

        def word(sale_id: str = sale_id) -> object:
            return receiving.received(sale_id, lin.id)

        def back(sale_id: str = sale_id) -> object:
            return sales.refund(sale_id, made_by=lin.id, parts=[sales.Part(1, 1)])

        def wrong(sale_id: str = sale_id) -> object:
            return receiving.complain(sale_id, lin.id, "It is broken")

        jobs: list[Callable[[], object]] = [escrow.release_due] * 3 + [word, back]
        if number % 2:
            jobs.append(wrong)
        said = at_once([inside(app, job) for job in jobs])
        codes = {getattr(one, "code", repr(one)) for one in said if isinstance(one, BaseException)}
        assert codes <= {"escrow_over"}
        with app.app_context():
            found = escrow.find(sale_id)
            assert found is not None
            assert (found.state, found.held_minor) in (("released", 0), ("disputed", 1600))
            if found.state == "disputed":
                receiving.decide(sale_id, "release", made_by=lin.id, note="We looked at it")
        assert world.faults() == []
