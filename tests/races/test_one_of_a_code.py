"""What has a code of its own is made once by many taps at the same moment, and the others are told
so in words: nobody reads that the shop is away."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Flask

from store import catalogue, stock
from store.db import transaction
from store.identity import pins
from tests.races.crowd import at_once, inside
from tests.world import World

TAPS = 5


def refused(app: Flask, made: Any) -> list[str]:
    """The codes of the refusals of all taps but one."""

    def tap() -> object:
        with transaction():
            return made()

    outcomes = at_once([inside(app, tap)] * TAPS)
    failed = [one for one in outcomes if isinstance(one, BaseException)]
    assert len(failed) == TAPS - 1, outcomes
    return sorted({str(getattr(one, "code", repr(one))) for one in failed})


def test_a_place_or_an_item_is_added_once(world: World, app: Flask) -> None:
    assert refused(app, partial(stock.add_location, "QUAY", "Quay")) == ["location_taken"]
    new = partial(catalogue.add_item, names={"en": "Tea"}, sku="T1", tax_rate_bp=0)
    assert refused(app, new) == ["code_taken"]
    assert world.faults() == []


def test_of_pins_that_are_set_at_once_one_holds(world: World, app: Flask) -> None:
    lin = world.member("Lin")
    jobs: list[Any] = [
        inside(app, partial(pins.set_pin, lin.id, pin, lambda: True))
        for pin in ("135790", "246801", "975310")
    ]
    assert at_once(jobs) == [None] * 3
