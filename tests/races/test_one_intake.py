"""A list goes in once, however many work on it at once."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from store import intake
from store.catalogue.intake_models import Intake
from store.db import db, in_transaction
from store.intake import pieces, staging
from tests.races.crowd import at_once, inside
from tests.world import World

HANDS, ROWS = 4, 24


def go_in_at_once(
    world: World, app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, int]:
    """Four take in the same list; answers how many pieces it had, and how many were taken."""
    monkeypatch.setattr(staging, "PIECE", 4)
    lines = "".join(f"R-{n},Thing {n},1.00,3\n" for n in range(ROWS))
    path = folder / "list.csv"
    path.write_text(f"sku,name,price,stock\n{lines}")
    with app.app_context():
        where = staging.Where("CNY", "en", 1300, world.location, None)
        list_id = staging.stage(path, "list.csv", where)
        pieces.begin(list_id)
    taken = at_once([inside(app, lambda: intake.work(within_s=30))] * HANDS)
    with app.app_context():
        one = db.session.get_one(Intake, list_id)
        assert (one.state, one.pieces, one.taken) == ("done", 6, 6), taken
        assert one.added + one.updated + one.unchanged + one.rejected == ROWS
    return sum(each for each in taken if isinstance(each, int)), one.added


def test_each_piece_goes_in_once(
    world: World, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert go_in_at_once(world, app, tmp_path, monkeypatch) == (6, ROWS)
    assert world.faults() == []


def test_without_the_guard_pieces_go_in_twice(
    world: World, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looks whose turn it is: a piece that is in goes in again, and the list's figures say
    more rows than it has, which its table refuses; or they are not the list's."""

    met = threading.Barrier(2)

    def always(intake_id: str, number: int) -> Intake:
        # Two are here together. Where one waits for the other's transaction to end, it goes on.
        with contextlib.suppress(threading.BrokenBarrierError):
            met.wait(1)
        return in_transaction().get_one(Intake, intake_id, populate_existing=True)

    monkeypatch.setattr(pieces, "_in_turn", always)
    with pytest.raises((AssertionError, IntegrityError)):
        assert go_in_at_once(world, app, tmp_path, monkeypatch) == (6, ROWS)
