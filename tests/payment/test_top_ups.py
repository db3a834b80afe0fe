"""Top-ups from the page to the books: every way in which a provider may behave ends in the money
being there once, or not at all."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from store.payment import attempts
from store.payment.gateways import Approved
from store.payment.gateways.simulated import LATE_S, WISHES, Simulated
from tests.conftest import Clock
from tests.world import Visitor, World

GATEWAY = Simulated(b"known-to-the-tests-only", hang_s=0)


def start(visitor: Visitor, wish: str, amount: str = "50", key: str = "") -> str:
    """Ask for a top-up on the page; answers its id."""
    if not key:
        page = visitor.get(f"/me/top-up/ways?amount={amount}").text
        found = re.search(r'name="key" value="(\w+)"', page)
        assert found
        key = found[1]
    answer = visitor.post("/me/top-up", key=key, wish=wish, amount=amount, means="simulated")
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.location).path.rpartition("/")[2]


def state(visitor: Visitor, top_up_id: str) -> str:
    page = visitor.get(f"/me/top-up/{top_up_id}").text
    found = re.search(r'data-state="(\w+)"', page)
    assert found, page
    return found[1]


def settle(runner: FlaskCliRunner) -> int:
    """What the worker does again and again."""
    return int(runner.invoke(args=["payment", "settle"]).stdout)


# wish: what the page says at once, what is true in the end, how many the worker settled.
ENDS = {
    "approve": ("captured", "captured", 0),
    "decline": ("failed", "failed", 0),
    "late": ("pending", "captured", 1),
    "twice": ("captured", "captured", 0),
    "time_out": ("pending", "captured", 1),
    "never": ("pending", "pending", 0),
}


def test_every_wish_has_an_end() -> None:
    assert ENDS.keys() == set(WISHES)


@pytest.mark.parametrize("wish", WISHES)
def test_each_wish_from_the_page_to_the_books(
    world: World, runner: FlaskCliRunner, clock: Clock, wish: str
) -> None:
    lin = world.member()
    visitor = world.client_for(lin)
    at_once_, at_last, settled = ENDS[wish]
    top_up_id = start(visitor, wish)
    assert state(visitor, top_up_id) == at_once_
    assert world.balance(lin) == (5000 if at_once_ == "captured" else 0)
    assert settle(runner) == 0  # It has only just begun: the provider gets a moment.
    clock.tick(seconds=LATE_S + 1)
    assert settle(runner) == settled
    assert settle(runner) == 0
    assert state(visitor, top_up_id) == at_last
    assert world.balance(lin) == (5000 if at_last == "captured" else 0)
    assert world.faults() == []


def test_what_stays_open_for_a_day_is_given_up_and_late_money_is_still_booked(
    world: World, runner: FlaskCliRunner, clock: Clock, app: Flask
) -> None:
    lin = world.member()
    visitor = world.client_for(lin)
    top_up_id = start(visitor, "never")
    clock.tick(hours=23)
    assert settle(runner) == 0
    clock.tick(hours=2)
    assert settle(runner) == 1
    assert state(visitor, top_up_id) == "expired"
    assert settle(runner) == 0
    with app.app_context():
        assert attempts.settle(top_up_id, Approved("late")) == "captured"
    assert world.balance(lin) == 5000
    assert world.faults() == []


def test_the_same_page_sent_twice_is_one_top_up(world: World) -> None:
    lin = world.member()
    visitor = world.client_for(lin)
    first = start(visitor, "approve", key="the-key-of-one-page")
    assert start(visitor, "approve", key="the-key-of-one-page") == first
    other = {"key": "the-key-of-one-page", "wish": "approve", "amount": "60", "means": "simulated"}
    answer = visitor.post("/me/top-up", other)
    assert answer.status_code == 409
    assert world.balance(lin) == 5000
    assert world.faults() == []


def test_two_members_with_one_key_have_a_top_up_each(world: World) -> None:
    lin, mei = world.member(), world.member()
    ours = {start(world.client_for(one), "approve", key="one-key-for-two") for one in (lin, mei)}
    assert len(ours) == 2
    assert world.balance(lin) == world.balance(mei) == 5000


def test_the_shopper_may_ask_the_provider_now(world: World, clock: Clock) -> None:
    lin = world.member()
    visitor = world.client_for(lin)
    top_up_id = start(visitor, "late")
    for _ in range(3):
        assert visitor.post(f"/me/top-up/{top_up_id}/checks").status_code == 303
    assert state(visitor, top_up_id) == "pending"
    clock.tick(seconds=LATE_S)
    for _ in range(3):
        visitor.post(f"/me/top-up/{top_up_id}/checks")
    assert state(visitor, top_up_id) == "captured"
    assert world.balance(lin) == 5000


def test_somebody_elses_top_up_can_neither_be_seen_nor_asked_about(
    world: World, clock: Clock
) -> None:
    lin, mei = world.member(), world.member()
    top_up_id = start(world.client_for(lin), "late")
    clock.tick(seconds=LATE_S)
    other = world.client_for(mei)
    assert other.get(f"/me/top-up/{top_up_id}").status_code == 404
    assert other.post(f"/me/top-up/{top_up_id}/checks").status_code == 404
    assert world.balance(lin) == 0
