"""The last one, wanted by orders, by a shopper at the shelf, by a sweep, all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from store import clock, ids, stock
from store.db import db, repeatable, transaction
from store.stock import Want, reservations
from store.stock.models import Reservation
from tests.races.crowd import at_once, buy_at_once, inside, wanted, words
from tests.world import Thing, World

ROUNDS, CONTROL_ROUNDS, ORDERS = 12, 60, 8


def order(world: World, *things: Thing, seconds: float = 600) -> Callable[[], str]:
    """Keeps one of each for a sale of its own."""
    sale = ids.new()
    wants = [Want(thing.id, world.location, 1) for thing in things]

    @repeatable
    def kept() -> str:
        with transaction():
            now = clock.now()
            stock.reserve(wants, sale, now + timedelta(seconds=seconds), now)
        return "kept"

    return kept


def outcomes_of(app: Flask, jobs: list[Callable[[], str]]) -> Counter[str]:
    found = at_once([inside(app, job) for job in jobs])
    return Counter(
        one if isinstance(one, str) else getattr(one, "code", repr(one)) for one in found
    )


def fresh(world: World, milk: Thing) -> None:
    """One on the shelf, kept for nobody."""
    with world.app.app_context():
        with transaction() as session:
            for sale in session.scalars(select(Reservation.sale_id).distinct()).all():
                stock.release(sale, clock.now())
        short = 1 - stock.on_hand(milk.id, world.location)
    if short:
        world.stock(milk, short)


def test_without_the_lock_the_last_one_is_kept_more_than_once(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The careless way: look in one moment, write in another, with no row held between."""

    def unlocked(places: object) -> dict[tuple[int, int], int]:
        return stock.levels(sorted(places))  # type: ignore[call-overload]

    def careless(wants: list[Want], sale: str, ends: object, at: object) -> None:
        places = {(want.item_id, want.location_id) for want in wants}
        free = stock.available([place[0] for place in places], [place[1] for place in places])
        db.session.rollback()
        if any(free[place].available < 1 for place in places):
            raise stock.OutOfStock
        with transaction():
            real(wants, sale, ends, at)  # type: ignore[arg-type]

    real = reservations.reserve
    monkeypatch.setattr(reservations, "lock_levels", unlocked)
    monkeypatch.setattr(reservations, "_kept", lambda places, at: {})
    milk = world.item(on_hand=1)

    def job() -> str:
        now = clock.now()
        want = [Want(milk.id, world.location, 1)]
        careless(want, ids.new(), now + timedelta(minutes=5), now)
        return "kept"

    for _ in range(CONTROL_ROUNDS):
        fresh(world, milk)
        if outcomes_of(app, [job] * ORDERS)["kept"] > 1:
            return
    pytest.fail("no race was seen, so the tests below prove nothing")


def test_without_the_lock_on_the_level_postgresql_keeps_it_twice(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock alone taken away. SQLite has one writer, there is nothing to take away."""
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            return

    def unlocked(places: object) -> dict[tuple[int, int], int]:
        return stock.levels(sorted(places))  # type: ignore[call-overload]

    monkeypatch.setattr(reservations, "lock_levels", unlocked)
    milk = world.item(on_hand=1)
    for _ in range(CONTROL_ROUNDS):
        fresh(world, milk)
        if outcomes_of(app, [order(world, milk) for _ in range(ORDERS)])["kept"] > 1:
            return
    pytest.fail("no race was seen, so the tests below prove nothing")


def test_the_last_one_is_kept_once(world: World, app: Flask) -> None:
    milk = world.item(on_hand=1)
    for number in range(ROUNDS):
        fresh(world, milk)
        found = outcomes_of(app, [order(world, milk) for _ in range(ORDERS)])
        assert found == {"kept": 1, "out_of_stock": ORDERS - 1}, number
    assert world.faults() == []


def test_orders_of_the_same_goods_the_other_way_round_do_not_block_each_other(
    world: World, app: Flask
) -> None:
    goods = [world.item(on_hand=40), world.item("bread", on_hand=40)]
    jobs = [order(world, *(goods if at % 2 else goods[::-1])) for at in range(ORDERS)]
    assert outcomes_of(app, jobs) == {"kept": ORDERS}
    with app.app_context():
        found = stock.available([thing.id for thing in goods])
    assert {one[:3] for one in found.values()} == {(40, ORDERS, 40 - ORDERS)}


def test_a_shopper_at_the_shelf_and_an_order_both_have_their_say(world: World, app: Flask) -> None:
    """The shopper holds it and always gets it. An order that came later is refused; one that came
    first is found to be overbooked."""
    milk, lin = world.item(price="1", on_hand=1), world.member(funds="1000")
    for _ in range(ROUNDS):
        fresh(world, milk)
        bought: list[object] = []

        def shop() -> str:
            bought.extend(buy_at_once(app, [wanted(world, lin, (milk, 1))]))  # noqa: B023
            return "tried"

        found = outcomes_of(app, [shop, *(order(world, milk) for _ in range(3))])
        assert words(bought) == {"sold": 1}
        with app.app_context():
            level = stock.available([milk.id])[milk.id, world.location]
            over = stock.overbooked(milk.id, world.location)
        assert level.on_hand == 0
        assert len(over) == level.reserved == found["kept"] <= 1
    assert world.faults() == []


def test_what_is_taken_let_go_and_swept_at_once_ends_once(world: World, app: Flask) -> None:
    """Its end has not come yet, or just comes: taken or given up, never both, never twice."""
    milk = world.item(on_hand=ROUNDS)
    for number in range(ROUNDS):
        keep = order(world, milk, seconds=0.05 if number % 2 else 600)
        inside(app, keep)()
        with app.app_context():
            sale = db.session.scalar(
                select(Reservation.sale_id).where(Reservation.ended_at.is_(None))
            )
            before = stock.on_hand(milk.id, world.location)
            db.session.rollback()
        assert sale

        @repeatable
        def take(sale: str = sale) -> str:
            with transaction():
                stock.take_reserved(sale, clock.now())
            return "taken"

        @repeatable
        def let_go(sale: str = sale) -> str:
            with transaction():
                return "let go" if stock.release(sale, clock.now()) else "nothing"

        def tidy() -> str:
            return "swept" if reservations.sweep() else "nothing"

        found = outcomes_of(app, [take, let_go, take, tidy])
        ended = found["taken"] + found["let go"] + found["swept"]
        assert ended <= 1, found
        with app.app_context():
            reservations.sweep()
            left = stock.on_hand(milk.id, world.location)
            open_ = select(func.count()).select_from(Reservation)
            assert db.session.scalar(open_.where(Reservation.how == "taken")) == ROUNDS - left
        assert before - left == found["taken"]
    with app.app_context():
        gone = [fault for fault in world.faults() if "sales_not_their_movements" not in fault]
    assert gone == []
