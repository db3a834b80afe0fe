"""A coupon that is used once, and several tills at once: one has it, the others are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import update

from store.db import in_transaction, transaction
from store.membership import coupons
from store.membership.models import CouponCode
from tests.membership.making import coupon
from tests.races.crowd import buy_at_once, look_then_act, wanted, without_checks, words
from tests.world import Somebody, World

ROUNDS, TILLS = 5, 6


def once_each(world: World, app: Flask, rounds: int) -> list[int]:
    """How many of several members had a coupon that holds once, each round."""

    def made(number: int, _people: list[Somebody]) -> str:
        coupon(world, "amount", 1000, f"ONCE-{number}", uses=1)
        return f"ONCE-{number}"

    return had(world, app, rounds, made)


def own_code(world: World, app: Flask, rounds: int) -> list[int]:
    """How many had a code of somebody's own: the member on two devices, and others who got it."""
    with app.app_context():
        coupon(world, "amount", 1000, "PEARS")

    def made(_number: int, people: list[Somebody]) -> str:
        people[-1] = people[0]
        with transaction():
            return str(coupons.code_of(coupons.give("PEARS", people[0].id)))

    return had(world, app, rounds, made)


def had(
    world: World, app: Flask, rounds: int, made: Callable[[int, list[Somebody]], str]
) -> list[int]:
    """How many had the coupon that is `made`, each round, of those who tried at once."""
    milk = world.item(price="12.50", on_hand=10_000)
    people = [world.member(funds="5000") for _ in range(TILLS)]
    found = []
    for number in range(rounds):
        with app.app_context():
            code = made(number, people)
        buys = [replace(wanted(world, one, (milk, 1)), coupon=code) for one in people]
        outcome = words(buy_at_once(app, buys))
        assert outcome.keys() <= {"sold", "coupon_refused"}, outcome
        found.append(outcome["sold"])
        if outcome["sold"] > 1:
            break
    return found


def unguarded(coupon_id: int, _member_id: int | None) -> bool:
    counted = update(CouponCode).where(CouponCode.id == coupon_id)
    in_transaction().execute(counted.values(used=CouponCode.used + 1))
    return True


def test_without_the_guard_a_coupon_is_had_twice(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_then_act(monkeypatch.setattr)
    monkeypatch.setattr(coupons, "_count", unguarded)
    without_checks(app, "coupons", "ck_coupons_used")
    many = once_each(world, app, 40)
    assert max(many) > 1, f"no race was seen, so the test below proves nothing: {many}"
    assert any("coupons_miscounted" in fault for fault in world.faults())


def test_a_coupon_is_had_once(world: World, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    look_then_act(monkeypatch.setattr)
    without_checks(app, "coupons", "ck_coupons_used")
    assert once_each(world, app, ROUNDS) == [1] * ROUNDS
    assert world.faults() == []


def test_without_the_guard_a_member_s_own_code_is_had_twice(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_then_act(monkeypatch.setattr)
    monkeypatch.setattr(coupons, "_count", unguarded)
    without_checks(app, "coupons", "ck_coupons_used")
    many = own_code(world, app, 40)
    assert max(many) > 1, f"no race was seen, so the test below proves nothing: {many}"


def test_a_member_s_own_code_is_had_once_and_by_them(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_then_act(monkeypatch.setattr)
    without_checks(app, "coupons", "ck_coupons_used")
    assert own_code(world, app, ROUNDS) == [1] * ROUNDS
    assert world.faults() == []
