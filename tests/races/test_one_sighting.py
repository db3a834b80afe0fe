"""A bad sticker stands on its list once, and a scan of a walk is written down once, however many
people and repeated requests tell of it at the same moment."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from store.db import db, transaction
from store.labels import bad_stickers, walks
from store.labels.judging import Shop
from store.labels.models import BadSticker
from store.labels.walk_models import WalkFind
from tests.races.crowd import at_once, inside, without_unique
from tests.world import World

MANY = 6
SHOP = Shop("http://localhost", "a-key", "CNY")
FORGED = "http://localhost/i/TEA9?l=MADE00UP00000"


def telling(world: World) -> tuple[Callable[[], None], Callable[[], None], int]:
    """Somebody scans a forged sticker as a shopper; staff do on a walk, with one key; the walk."""
    by, tea = world.staff(), world.item("tea", code="TEA9", gtin=None)
    with world.app.app_context(), transaction():
        walk = walks.begin(world.location, by.id, "key-of-the-walk")
    seen = bad_stickers.Sighting("foreign", world.location, tea.id)

    def shopper() -> None:
        with transaction():
            bad_stickers.report(seen)

    def staff() -> None:
        with transaction():
            walks.scan(walk, FORGED, "A1", "the-same-key", by.id, SHOP)

    return shopper, staff, walk


def written(app: Flask) -> tuple[list[int], int]:
    """How often each row of the list was seen, and how many finds there are."""
    with app.app_context():
        times = list(db.session.scalars(select(BadSticker.times).order_by(BadSticker.id)))
        return times, len(list(db.session.scalars(select(WalkFind.id))))


def test_without_the_guards_both_are_written_down_again(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    shopper, staff, _ = telling(world)
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX uq_bad_stickers_open")
    without_unique(app, "walk_finds", "uq_walk_finds_walk_id_key")
    monkeypatch.setattr(walks, "_with_key", lambda walk_id, key: None)
    assert at_once([inside(app, shopper), inside(app, staff)] * 2) == [None] * 4
    times, finds = written(app)
    assert len(times) > 1 and finds == 2


def test_each_is_written_down_once(world: World, app: Flask) -> None:
    shopper, staff, _ = telling(world)
    assert at_once([inside(app, shopper), inside(app, staff)] * MANY) == [None] * 2 * MANY
    # Every shopper counts, and the one scan of the walk, which was repeated.
    assert written(app) == ([MANY + 1], 1)
    assert world.faults() == []
