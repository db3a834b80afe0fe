"""A payment from outside buys once, whoever brings the answer: notices, our own asking, the
shopper's return, and who gives it up, all at the same moment."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from store import ids, sales, stock
from store.db import db, repeatable, transaction
from store.payment import asking, attempts
from store.payment.gateways import Answer, Approved, Notice, Order
from store.payment.gateways.simulated import Simulated
from store.payment.models import OPEN, Attempt, Payback, Transfer
from store.sales.paying import paying
from tests.races.crowd import at_once, inside, without_unique
from tests.world import Somebody, Thing, World

ROUNDS = 6


class Paid(Simulated):
    """Whoever asks it is told that the money came."""

    def status(self, order: Order) -> Answer:
        return Approved("provider-1", order.amount_minor, order.currency)


GATEWAY = Paid(b"known-to-the-tests-only", hang_s=0)


def held(
    world: World, app: Flask, member: Somebody, item: Thing, key: str = "", *, order: bool = False
) -> str:
    """A payment that nobody has answered, for one of the item; of a web order where it says so."""
    lines, key = (sales.Line(item.id, 1),), key or ids.new()
    asked: sales.Buy | sales.Order = sales.Buy(
        member.id, world.location, "CNY", lines, key, means="simulated"
    )
    if order:
        asked = sales.Order(member.id, world.location, "CNY", lines, key, "collect", 500,
                            place_id=world.location, means="simulated")  # fmt: skip
    with app.app_context():
        return paying.pay(paying.Paying(asked, GATEWAY, wish="never"))


@repeatable
def careless_settle(attempt_id: str) -> None:
    """It looks whether the payment is open, and then settles it."""
    waits = db.session.get_one(Attempt, attempt_id).state in OPEN
    db.session.rollback()
    if waits:
        with transaction() as session:
            came = update(Attempt).where(Attempt.id == attempt_id).values(state="captured")
            session.execute(came)
            paying._paid(session.get_one(Attempt, attempt_id))


def booked(app: Flask, attempt_id: str) -> int:
    with app.app_context():
        query = select(func.count()).where(Transfer.attempt_id == attempt_id)
        return int(db.session.scalar(query) or 0)


def free(app: Flask, world: World, item: Thing) -> int:
    with app.app_context():
        return stock.available([item.id], [world.location])[item.id, world.location].available


def test_a_careless_settlement_sells_and_sends_back_what_paid_for_it(
    world: World, app: Flask
) -> None:
    without_unique(app, "transfers", "uq_transfers_attempt_id")
    lin, milk = world.member(), world.item(on_hand=100)
    for _ in range(60):
        attempt_id = held(world, app, lin, milk)
        at_once([inside(app, lambda: careless_settle(attempt_id))] * 8)  # noqa: B023
        if booked(app, attempt_id) > 1:
            assert world.faults() != []
            return
    pytest.fail("no race was seen, so the tests below prove nothing")


def test_notices_questions_and_who_gives_up_together_are_one_sale(world: World, app: Flask) -> None:
    lin, milk = world.member(), world.item(on_hand=ROUNDS + 1)
    for number in range(ROUNDS):
        attempt_id = held(world, app, lin, milk, order=number % 2 == 1)
        paid = Notice(attempt_id, milk.price_minor, "CNY", Approved("provider-1"))

        def told(notice: Notice = paid, digest: str = f"{number:064}") -> object:
            return attempts.take_notice(notice, digest)

        def asked(attempt_id: str = attempt_id) -> object:
            return asking.ask_about(attempts.find(attempt_id), GATEWAY)

        def left(attempt_id: str = attempt_id) -> object:
            return attempts.give_up(attempt_id)

        jobs = [inside(app, one) for one in (told, told, told, asked, asked, asked, left, left)]
        assert not [one for one in at_once(jobs) if isinstance(one, BaseException)]
        assert booked(app, attempt_id) == 1
    # Half of them were orders, whose goods wait on the shelf.
    assert (world.left(milk), free(app, world, milk)) == (1 + ROUNDS // 2, 1)
    assert world.faults() == []


def test_two_payments_for_one_basket_at_once_are_one_sale_and_one_goes_back(
    world: World, app: Flask
) -> None:
    lin, milk = world.member(), world.item(on_hand=ROUNDS)
    for number in range(ROUNDS):
        key, order_too = ids.new(), number % 2 == 1
        both = [held(world, app, lin, milk, key, order=order_too)]
        with app.app_context():
            attempts.give_up(both[0])
        both.append(held(world, app, lin, milk, key, order=order_too))
        order = Order("", milk.price_minor, "CNY")

        def pays(attempt_id: str, order: Order = order) -> object:
            return attempts.settle(attempt_id, GATEWAY.status(replace(order, id=attempt_id)))

        jobs = [inside(app, lambda one=one: pays(one)) for one in both * 3]  # type: ignore[misc]
        assert at_once(jobs) == ["captured"] * 6
    with app.app_context():
        back = db.session.scalar(select(func.count()).select_from(Payback))
    assert (free(app, world, milk), back) == (0, ROUNDS)
    assert world.faults() == []


def test_orders_for_the_last_two_at_once_are_kept_for_two(world: World, app: Flask) -> None:
    """That the race is real without the lock on the level, tests/races/test_reservations.py
    shows."""
    milk, people = world.item(on_hand=2), [world.member() for _ in range(6)]
    jobs = [inside(app, lambda one=one: held(world, app, one, milk, order=True)) for one in people]  # type: ignore[misc]
    said = at_once(jobs)
    kept = [one for one in said if isinstance(one, str)]
    assert [getattr(one, "code", "kept") for one in said].count("out_of_stock") == 4
    for attempt_id in kept:
        with app.app_context():
            asking.ask_about(attempts.find(attempt_id), GATEWAY)
    assert (len(kept), world.left(milk), free(app, world, milk)) == (2, 2, 0)
    assert world.faults() == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_who_pays_while_another_way_is_chosen_has_bought(world: World, app: Flask) -> None:
    """On SQLite whoever writes waits before reading; on PostgreSQL the payment was read as open,
    and then waited for."""
    lin, milk, key = world.member(), world.item(on_hand=5), ids.new()
    first, reached = held(world, app, lin, milk, key), threading.Event()

    def settled() -> None:
        with app.app_context(), transaction():
            mine = attempts.locked(first)
            reached.set()
            time.sleep(0.5)
            answer = Approved("provider-1", mine.amount_minor, mine.currency)
            attempts.step(mine, "paid", "notice", answer=answer)

    thread = threading.Thread(target=settled, daemon=True)
    thread.start()
    reached.wait(30)
    lines = (sales.Line(milk.id, 1),)
    asked = sales.Buy(lin.id, world.location, "CNY", lines, key, means="simulated")
    with app.app_context(), pytest.raises(paying.AlreadyPaid):
        paying.pay(paying.Paying(asked, GATEWAY, way="other", wish="never"))
    thread.join(30)
    with app.app_context():
        assert db.session.get_one(Attempt, first).state == "captured"
    assert (booked(app, first), world.left(milk), free(app, world, milk)) == (1, 4, 4)
    assert world.faults() == []
