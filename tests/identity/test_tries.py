"""Limits on guessing: over processes and restarts, in parallel, and never against the owner."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from store import clock, create_app
from store.db import db, transaction
from store.errors import TooMany
from store.identity import add_member, passwords, sign_ins, tries
from store.identity.callers import WRONG_BY_PERSON, Caller
from store.identity.models import Member, Try
from store.identity.tries import Limit
from tests.identity.conftest import PASSWORD, Browser
from tests.identity.test_passwords import CountingHasher

Open = Callable[..., Browser]


def wrong(browser: Browser, who: str = "anna@shop.example") -> int:
    return browser.sign_in(who, "not the password").status_code


def test_the_sixth_wrong_password_is_not_even_looked_at(
    browser: Open, people: dict[str, int], clock: Any
) -> None:
    eve = browser("198.51.100.66")
    assert [wrong(eve) for _ in range(7)] == [403] * 5 + [429] * 2
    refused = eve.sign_in("anna@shop.example")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 901
    assert "wait 15 min" in refused.text
    clock.tick(minutes=15, seconds=1)
    assert eve.sign_in("anna@shop.example").status_code == 303


def test_nobody_is_limited_as_somebody_is(browser: Open, people: dict[str, int]) -> None:
    eve = browser("198.51.100.66")
    assert [wrong(eve, "nobody@shop.example") for _ in range(6)] == [403] * 5 + [429]


def test_two_limits_of_one_kind_hold_both(app: Flask) -> None:
    """The first must not be hidden by the second, whatever they are called."""
    with app.app_context():
        limits = [Limit("guess", "here", 1), Limit("guess", "anywhere", 9)]
        tries.begin(limits)
        with pytest.raises(TooMany):
            tries.begin(limits)


def test_the_spelling_does_not_give_more_tries(browser: Open, people: dict[str, int]) -> None:
    eve = browser("198.51.100.66")
    spellings = ["anna@shop.example", "ANNA@shop.example", " anna@shop.example",
                 "Anna@Shop.Example", "ａnna@shop.example", "aNNa@shop.example"]  # fmt: skip
    assert [wrong(eve, spelling) for spelling in spellings] == [403] * 5 + [429]


def test_new_browsers_and_neighbours_in_the_same_ipv6_network_are_one_address(
    browser: Open, people: dict[str, int]
) -> None:
    addresses = [f"2001:db8:1:2::{number}" for number in range(6)]
    assert [wrong(browser(address)) for address in addresses] == [403] * 5 + [429]
    assert wrong(browser("2001:db8:1:3::1")) == 403


def test_shoppers_behind_a_proxy_that_maps_ipv4_are_not_one_address(
    browser: Open, people: dict[str, int]
) -> None:
    assert wrong(browser("::ffff:198.51.100.7")) == 403
    assert [wrong(browser("198.51.100.7")) for _ in range(5)] == [403] * 4 + [429]
    assert wrong(browser("::ffff:203.0.113.9")) == 403, "another shopper is not shut out by them"
    networks = {Caller(f"::ffff:10.0.0.{one}", "", b"").network for one in range(1, 4)}
    assert networks == {"10.0.0.1", "10.0.0.2", "10.0.0.3"}


def test_the_right_password_starts_afresh(browser: Open, people: dict[str, int]) -> None:
    anna = browser()
    for _ in range(3):
        assert [wrong(anna) for _ in range(4)] == [403] * 4
        anna = browser()
        assert anna.sign_in("anna@shop.example").status_code == 303
        anna = browser()


def test_the_owner_of_a_device_is_never_locked_out(
    browser: Open, people: dict[str, int], clock: Any
) -> None:
    anna = browser()
    anna.sign_in("anna@shop.example")
    anna.post("/sign-out", page="/me")
    guessers = [browser(f"198.51.100.{number}") for number in range(WRONG_BY_PERSON + 3)]
    told = [wrong(guesser) for guesser in guessers]
    assert told == [403] * WRONG_BY_PERSON + [429] * 3
    assert [wrong(browser()) for _ in range(2)] == [429, 429]
    assert anna.sign_in("anna@shop.example").status_code == 303
    anna.post("/sign-out", page="/me")
    # Its own allowance is one: a stolen phone guesses no more than anybody.
    assert [wrong(anna) for _ in range(6)] == [403] * 5 + [429]


def test_a_device_cookie_helps_only_with_the_member_who_used_it(
    browser: Open, people: dict[str, int]
) -> None:
    mei = browser("198.51.100.66")
    mei.sign_in("13800138000")
    mei.post("/sign-out", page="/me")
    assert [wrong(mei) for _ in range(6)] == [403] * 5 + [429]
    mark = (mei.cookie("device") or "").partition(".")[2]
    forged = browser("198.51.100.66")
    forged.client.set_cookie("device", f"{'x' * 43}.{mark}")
    assert wrong(forged) == 429


def test_one_address_cannot_try_everybody(
    browser: Open, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.identity.callers.WRONG_BY_ADDRESS", 12)
    eve = browser("198.51.100.66")
    told = [wrong(eve, f"person{number}@shop.example") for number in range(15)]
    assert told == [403] * 12 + [429] * 3
    assert browser().sign_in("anna@shop.example").status_code == 303


def test_sign_ups_and_look_ups_from_one_address_are_limited(
    browser: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.identity.callers.SIGN_UPS_BY_ADDRESS", 3)
    monkeypatch.setattr("store.identity.callers.LOOK_UPS_BY_ADDRESS", 3)
    told = [browser().sign_up(f"new{number}@shop.example").status_code for number in range(5)]
    assert told == [303] * 3 + [429] * 2
    asked = [
        browser().post("/start", identifier=f"new{number}@shop.example").status_code
        for number in range(5)
    ]
    assert asked == [200] * 3 + [429] * 2


def test_the_limit_outlives_a_restart_and_counts_every_process(
    app: Flask, browser: Open, people: dict[str, int], settings: dict[str, Any]
) -> None:
    other = create_app(settings)
    told = [wrong(Browser(one, "198.51.100.66")) for one in (app, other, app, other, app, other)]
    assert told == [403] * 5 + [429]
    restarted = create_app(settings)
    assert wrong(Browser(restarted, "198.51.100.66")) == 429
    for one in (other, restarted):
        with one.app_context():
            db.session.remove()
            db.engine.dispose()


def _guess(caller: Caller, number: int) -> str:
    try:
        sign_ins.sign_in("anna@shop.example", f"guess {number}", lambda: f"{number}", caller)
    except sign_ins.WrongPassword:
        return "looked at"
    except TooMany:
        return "refused"
    return "in"


def test_parallel_guesses_are_never_looked_at_more_than_five_times(
    app: Flask, people: dict[str, int]
) -> None:
    hasher = CountingHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords.set_hasher(hasher)
    caller = Caller(address="198.51.100.66", browser="", key=b"key")
    together = threading.Barrier(8)

    def guess(number: int) -> str:
        if number < 8:
            together.wait(10)
        with app.app_context():
            return _guess(caller, number)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(guess, range(160)))
    passwords.set_hasher(passwords.QUICK)
    assert told.count("looked at") == hasher.verified <= 5
    assert told.count("refused") == 160 - hasher.verified
    with app.app_context():
        assert db.session.query(Try).filter(Try.scope == "sign_in_pair").count() <= 5


def test_counting_before_writing_would_let_more_than_five_through(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race that the order of `tries.begin` closes is real: look first, write after."""
    gate = threading.Barrier(8)

    def careless(limits: list[Limit]) -> list[int]:
        full = any(tries._wait_s(Limit(one.scope, one.subject, one.most - 1)) for one in limits)
        db.session.rollback()
        gate.wait(10)
        if full:
            raise TooMany(retry_after_s=1)
        with transaction() as session:
            session.add_all(
                Try(scope=one.scope, subject=one.subject, at=clock.now()) for one in limits
            )
        return []

    monkeypatch.setattr(tries, "begin", careless)
    caller = Caller(address="198.51.100.66", browser="", key=b"key")

    def guess(number: int) -> str:
        with app.app_context():
            return _guess(caller, number)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(guess, range(8)))
    assert told.count("looked at") > 5


def _guess_in_a_process(settings: dict[str, Any], first: int, told: Any) -> None:
    app = create_app(settings)
    caller = Caller(address="198.51.100.66", browser="", key=b"key")
    with app.app_context():
        for number in range(first, first + 20):
            told.put(_guess(caller, number))


def test_processes_that_guess_together_share_the_five(
    app: Flask, people: dict[str, int], settings: dict[str, Any]
) -> None:
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    workers = [
        context.Process(target=_guess_in_a_process, args=(settings, first, told))
        for first in (0, 100)
    ]
    for worker in workers:
        worker.start()
    answers = [told.get(timeout=60) for _ in range(40)]
    for worker in workers:
        worker.join(20)
    assert answers.count("looked at") <= 5 and answers.count("in") == 0
    assert answers.count("looked at") + answers.count("refused") == 40


def test_a_password_changed_while_it_was_checked_lets_nobody_in(
    app: Flask, people: dict[str, int]
) -> None:
    """The old password was right when it was looked at; by the time of the sign-in it is not."""
    from_elsewhere = passwords.hashed("a new sentence")

    def changed_meanwhile() -> str:
        with transaction() as session:
            session.execute(update(Member).values(password_hash=from_elsewhere))
        return "0" * 64

    caller = Caller(address="192.0.2.1", browser="", key=b"key")
    with app.app_context():
        with pytest.raises(sign_ins.WrongPassword):
            sign_ins.sign_in("anna@shop.example", PASSWORD, changed_meanwhile, caller)
        assert sign_ins.of_member(people["anna"]) == []


@pytest.mark.usefixtures("context")
def test_two_people_may_be_called_the_same() -> None:
    with transaction():
        assert (
            add_member("a@shop.example", PASSWORD, name="Anna").id
            != add_member("b@shop.example", PASSWORD, name="Anna").id
        )
