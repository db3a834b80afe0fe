"""A top-up is booked once, whoever brings the answer: the provider's notice, our own asking, and
the shopper's return to the page, all at the same moment and more than once."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from store import clock, ids, payment
from store.db import db, repeatable, transaction
from store.payment import asking, attempts, topups
from store.payment.calls import BREAKER
from store.payment.gateways import Approved, Notice
from store.payment.gateways.simulated import Simulated
from store.payment.models import OPEN, Attempt
from tests.races.crowd import at_once, inside
from tests.world import Somebody, World

ROUNDS = 15
GATEWAY = Simulated(b"known-to-the-tests-only", hang_s=0)


def pending(world: World, app: Flask, member: Somebody) -> str:
    """A top-up whose provider did not answer."""
    BREAKER.close()
    with app.app_context():
        wanted = attempts.Wanted(member.id, 5000, "CNY", ids.new(), "time_out")
        return topups.top_up(wanted, GATEWAY, most_minor=500_000).id


@repeatable
def careless_settle(top_up_id: str) -> str:
    """It looks whether the top-up was booked, and then books it."""
    mine = db.session.get_one(Attempt, top_up_id)
    if mine.state in OPEN:
        with transaction() as session:
            payment.deposit(
                mine.member_id or 0, mine.amount_minor, mine.currency, "gateway:simulated"
            )
            session.execute(update(Attempt).where(Attempt.id == top_up_id).values(state="captured"))
    return "captured"


def test_a_careless_settlement_books_twice(world: World, app: Flask) -> None:
    lin = world.member()
    for _ in range(60):
        top_up_id, before = pending(world, app, lin), world.balance(lin)
        outcomes = at_once([inside(app, lambda: careless_settle(top_up_id))] * 8)  # noqa: B023
        assert outcomes == ["captured"] * 8
        if world.balance(lin) - before > 5000:
            return
    pytest.fail("no race was seen, so the test below proves nothing")


def test_notice_worker_and_return_together_book_once(world: World, app: Flask) -> None:
    lin = world.member()
    later = clock.now() + timedelta(hours=1)
    for number in range(1, ROUNDS + 1):
        top_up_id = pending(world, app, lin)
        notice = Notice(top_up_id, 5000, "CNY", Approved(f"notice-{number}"))

        def told(notice: Notice = notice) -> object:
            return attempts.take_notice(notice)

        def asked() -> object:
            return asking.ask_again({GATEWAY.name: GATEWAY}, at=later)

        def returned(top_up_id: str = top_up_id) -> None:
            asking.ask_about(topups.find(top_up_id, lin.id), GATEWAY)

        outcomes = at_once(
            [
                inside(app, one)
                for one in (told, told, told, asked, asked, returned, returned, returned)
            ]
        )
        assert not [one for one in outcomes if isinstance(one, BaseException)], outcomes
        assert world.balance(lin) == 5000 * number
    assert world.faults() == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_one_that_is_paid_while_another_way_is_chosen_stays_booked(
    world: World, app: Flask
) -> None:
    """On SQLite whoever writes waits before reading; on PostgreSQL it has read the top-up as open,
    and then waits for it."""
    lin, key = world.member(), ids.new()
    first = chosen(app, lin, key, "time_out")
    mine, reached = booking(app, first)
    reached.wait(30)
    assert chosen(app, lin, key, "approve", way="other") == first
    mine.join(30)
    with app.app_context():
        assert db.session.get_one(Attempt, first).state == "captured"
    assert world.balance(lin) == 5000
    assert world.faults() == []


def test_of_two_ways_at_once_the_second_waits_for_the_first(world: World, app: Flask) -> None:
    lin = world.member()
    for number in range(1, ROUNDS + 1):
        key = ids.new()
        chosen(app, lin, key, "time_out")
        ways = [
            inside(app, lambda way=way, key=key: chosen(app, lin, key, "time_out", way=way))  # type: ignore[misc]
            for way in ("one", "two", "three", "four")
        ]
        outcomes = at_once(ways)
        assert not [one for one in outcomes if isinstance(one, BaseException)], outcomes
        with app.app_context():
            states = db.session.scalars(
                select(Attempt.state).where(Attempt.key == key).order_by(Attempt.number)
            ).all()
        assert [state in OPEN for state in states] == [False] * (len(states) - 1) + [True], number
    assert world.faults() == []


def chosen(app: Flask, member: Somebody, key: str, wish: str, way: str = "") -> str:
    """The top-up that the page with this key has begun, or found."""
    BREAKER.close()
    with app.app_context():
        wanted = attempts.Wanted(member.id, 5000, "CNY", key, wish, way)
        return topups.top_up(wanted, GATEWAY, most_minor=500_000).id


def booking(app: Flask, attempt_id: str) -> tuple[threading.Thread, threading.Event]:
    """Somebody who books the money, and takes a moment with the top-up in hand."""
    reached = threading.Event()

    def book() -> None:
        with app.app_context(), transaction():
            mine = attempts.locked(attempt_id)
            reached.set()
            time.sleep(0.5)
            attempts.step(mine, "paid", "notice", answer=Approved("provider-1"))

    thread = threading.Thread(target=book, daemon=True)
    thread.start()
    return thread, reached
