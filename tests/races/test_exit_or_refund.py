"""A pass and a refund of the same sale in the same instant: what was given back does not leave.

A refund after the check is somebody who came back; a check that is accepted after the refund was
done is goods that walk out unpaid. When each of the two was done is read from the test's own clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask

from store import door, sales
from store.db import transaction
from store.door import checks, passes
from tests.door.shop import DoorShop, make_shop
from tests.races.crowd import at_once, inside

ROUNDS = 25

Use = Callable[[str, door.Check, bytes], object]


@pytest.fixture
def shop(app: Flask) -> DoorShop:
    return make_shop(app)


def left_after_the_refund(shop: DoorShop, use: Use, monkeypatch: pytest.MonkeyPatch) -> int:
    """In how many rounds a check went on to let the goods out although the refund was done."""
    take, wrong = checks.take, 0
    let_out: list[float] = []

    def noted_take(*given: Any) -> bool:
        let_out.append(time.monotonic())
        return take(*given)

    monkeypatch.setattr(checks, "take", noted_take)
    for number in range(ROUNDS):
        sale_id = shop.bought()
        text = shop.pass_of(sale_id)
        let_out.clear()

        def refund(sale_id: str = sale_id, wait_s: float = number % 5 / 1000) -> float:
            time.sleep(wait_s)
            sales.refund(sale_id, made_by=shop.staff)
            return time.monotonic()

        def leave(text: str = text) -> None:
            with suppress(door.PassRefunded):
                use(text, shop.asked(), shop.key)

        refunded, left = at_once([inside(shop.app, refund), inside(shop.app, leave)])
        assert isinstance(refunded, float), refunded
        assert not isinstance(left, BaseException), left
        wrong += bool(let_out and let_out[-1] > refunded)
    return wrong


def test_what_was_given_back_does_not_leave(
    shop: DoorShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert left_after_the_refund(shop, door.check, monkeypatch) == 0


def test_a_careless_door_lets_out_what_was_given_back(
    shop: DoorShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks at the sale in one moment and uses the pass in another."""

    def careless(text: str, asked: door.Check, secret: bytes) -> None:
        receipt = checks._paid_here(passes.read(text), asked, secret)
        time.sleep(0.02)
        with transaction():
            checks.take(receipt.id, asked)

    assert left_after_the_refund(shop, careless, monkeypatch) > 0
