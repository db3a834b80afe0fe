"""The life of a payment, cell by cell: what every event does in every state, to the state, to the
books and to what is told."""

from __future__ import annotations

import pytest
from flask import Flask

from store import ids
from store.db import db, transaction
from store.payment import asking, attempts, events, topups
from store.payment.attempts import EVENTS, TRANSITIONS
from store.payment.calls import Breaker, GatewayAway, call
from store.payment.gateways import (
    Answer,
    Approved,
    Declined,
    GatewayTimeout,
    NoticeForeign,
    Order,
    Pending,
)
from store.payment.gateways.simulated import Simulated
from store.payment.models import CAME, OPEN, STATES, Attempt
from tests.conftest import Clock
from tests.world import Somebody, World

GATEWAY = Simulated(b"known-to-the-tests-only", hang_s=0)

# The same table once more, as a person reads it: a row for each state, a column for each event, in
# the order of EVENTS; "." changes nothing.
COLUMNS = (
    "asked", "authorised", "paid", "declined", "given_up", "sent_part_back", "sent_all_back",
    "disputed", "kept", "kept_rest",
)  # fmt: skip
TABLE = """
created         pending authorised captured failed expired .               .        .        .        .
pending         pending authorised captured failed expired .               .        .        .        .
authorised      .       .          captured failed expired .               .        .        .        .
captured        .       .          .        .      .       partly_refunded refunded disputed .        .
partly_refunded .       .          .        .      .       partly_refunded refunded disputed .        .
refunded        .       .          .        .      .       .               .        .        .        .
failed          .       .          captured .      .       .               .        .        .        .
expired         .       .          captured .      .       .               .        .        .        .
disputed        .       .          .        .      .       .               refunded .        captured partly_refunded
"""  # noqa: E501
CELLS = [
    (row.split()[0], event, became)
    for row in TABLE.strip().splitlines()
    for event, became in zip(COLUMNS, row.split()[1:])
]


def test_the_table_is_the_one_that_people_read() -> None:
    assert set(EVENTS) == set(COLUMNS)
    assert {state for state, _, _ in CELLS} == set(STATES)
    assert {(state, event): became for state, event, became in CELLS if became != "."} == (
        TRANSITIONS
    )


ANSWERS: dict[str, Answer] = {
    "asked": Pending("r"), "authorised": Pending("r", to_capture=True), "paid": Approved("r"),
    "declined": Declined("no"),
}  # fmt: skip
WAYS = {
    "created": (), "pending": ("asked",), "authorised": ("authorised",), "captured": ("paid",),
    "failed": ("declined",), "expired": ("given_up",), "disputed": ("paid", "disputed"),
    "partly_refunded": ("paid", "sent_part_back"), "refunded": ("paid", "sent_all_back"),
}  # fmt: skip
"""How each state is reached."""


@pytest.mark.usefixtures("context", "clock")
def test_each_event_in_each_state(world: World) -> None:
    lin = world.member()
    for before, event, became in CELLS:
        mine = in_state(lin, before)
        held, told = world.balance(lin), len(events.of_attempt(mine))
        expected = before if became == "." else became
        for _ in range(3):
            assert happens(mine, event) == expected, (before, event)
            event = event if TRANSITIONS.get((expected, event)) in (None, expected) else "none"
        came = 500 if expected == "captured" and before in (*OPEN, "failed", "expired") else 0
        assert world.balance(lin) - held == came, (before, event)
        moved = expected != before
        assert len(events.of_attempt(mine)) - told >= moved
    # That money went back was only told here; where none is on its way the audit finds it out.
    assert [one for one in world.faults() if "paybacks_off" not in one] == []


def happens(attempt_id: str, event: str) -> str:
    """Let an event happen, by the way in which it comes to the shop."""
    if event in ANSWERS:
        return attempts.settle(attempt_id, ANSWERS[event])
    if event == "given_up":
        return attempts.give_up(attempt_id)
    with transaction():
        return attempts.step(attempts.locked(attempt_id), event, "staff")


def in_state(member: Somebody, wanted: str) -> str:
    with transaction():
        asked = attempts.Wanted(member.id, 500, "CNY", ids.new())
        mine = attempts.begin(asked, "simulated", "top_up", topups.LASTS)
    for event in WAYS[wanted]:
        happens(mine.id, event)
    assert state_of(mine.id) == wanted
    return mine.id


def state_of(attempt_id: str) -> str:
    state = db.session.get_one(Attempt, attempt_id, populate_existing=True).state
    db.session.rollback()
    return state


def test_money_that_came_never_leaves_by_an_answer() -> None:
    for state in CAME:
        assert not [event for event in ANSWERS if (state, event) in TRANSITIONS]


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(
    "answer", [Approved("r", 499, "CNY"), Approved("r", 501, "CNY"), Approved("r", 500, "JPY")]
)
def test_another_sum_than_was_asked_for_is_not_this_payment(world: World, answer: Approved) -> None:
    lin = world.member()
    mine = in_state(lin, "pending")
    with pytest.raises(NoticeForeign):
        attempts.settle(mine, answer)
    assert (state_of(mine), world.balance(lin)) == ("pending", 0)


class Liar(Simulated):
    """It says that another sum was paid."""

    def status(self, order: Order) -> Answer:
        return Approved("r", order.amount_minor - 1, order.currency)


@pytest.mark.usefixtures("context")
def test_a_provider_that_was_asked_and_tells_another_sum_is_shown_and_not_believed(
    world: World, clock: Clock
) -> None:
    mine = in_state(world.member(), "pending")
    clock.tick(minutes=1)
    assert asking.ask_again({"simulated": Liar(b"k")}) == 0
    assert state_of(mine) == "pending"
    assert [one.refused for one in events.of_attempt(mine)][-1] == "notice_foreign"
    assert events.refused() == {("simulated", "notice_foreign"): 1}


@pytest.mark.usefixtures("context")
def test_what_waits_long_is_asked_about_seldom(world: World, clock: Clock) -> None:
    asked = []

    class Silent(Simulated):
        def status(self, order: Order) -> Answer:
            asked.append(clock.now)
            return Pending("r")

    in_state(world.member(), "pending")
    for _ in range(360):
        clock.tick(seconds=10)
        asking.ask_again({"simulated": Silent(b"k")})
    assert 10 < len(asked) < 30


# Calls


def fails() -> Answer:
    raise OSError("reset")


@pytest.mark.usefixtures("context")
def test_a_gateway_is_never_called_inside_a_transaction() -> None:
    with transaction(), pytest.raises(RuntimeError):
        call(GATEWAY, lambda: Approved("r"))


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("rubbish", [None, "yes", {"paid": True}, 1])
def test_rubbish_is_no_answer(rubbish: object) -> None:
    with pytest.raises(GatewayTimeout):
        call(GATEWAY, lambda: rubbish)  # type: ignore[type-var]
    assert call(GATEWAY, lambda: Approved("r")) == Approved("r")


def test_a_gateway_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    breaker = Breaker(most=3, rest_s=0.05)
    for _ in range(3):
        assert breaker.lets_through("one")
        breaker.note("one", worked=False)
    assert not breaker.lets_through("one")
    assert breaker.lets_through("another")
    breaker._failed["one"] = (3, 0.0)  # The rest is over.
    assert breaker.lets_through("one")
    assert not breaker.lets_through("one")  # One may try; the others wait for it.
    breaker.note("one", worked=True)
    assert breaker.lets_through("one")


@pytest.mark.usefixtures("context")
def test_who_wants_to_pay_by_a_gateway_that_is_away_is_told_at_once(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.payment.calls.BREAKER", Breaker(most=1))
    with pytest.raises(GatewayTimeout):
        call(GATEWAY, fails)
    lin = world.member()
    wanted = attempts.Wanted(lin.id, 500, "CNY", ids.new())
    with pytest.raises(GatewayAway):
        topups.top_up(wanted, GATEWAY, most_minor=1000)
    assert world.balance(lin) == 0
    assert topups.waiting(lin.id) == []
    assert world.faults() == []
