"""What a provider's file tells is booked once, however many work on it at once, and whoever accepts
a difference meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from store.db import db
from store.payment import costs
from store.payment.costs import deciding, differences
from tests.payment.costs.counter import HERE, ZONE, came, held
from tests.races.crowd import at_once, inside, words
from tests.world import World

HANDS, MANY = 6, 12


def settle_at_once(world: World, app: Flask, folder: Path) -> int:
    """Two files tell of the same payments by different numbers; six work on them, and two accept
    a difference. Answers how much more went to the bank than came."""
    lin, sam = world.member(), world.owner()
    with app.app_context():
        numbers = [came(lin, "simulated", 1_000) for _ in range(MANY)]
        for name in "ab":
            rows = "".join(f"{one},payment,10.00,0.00,{name}{one}\n" for one in numbers)
            path = folder / f"{name}.csv"
            path.write_text(f"order,type,amount,fee,reference\n{rows}")
            costs.take(path, "simulated", HERE)

    def work() -> str:
        while costs.work(ZONE):
            pass
        return "worked"

    outcomes = at_once([inside(app, work)] * HANDS)
    assert words([one for one in outcomes if not isinstance(one, str)]) == {}
    with app.app_context():
        line = db.session.scalars(differences.differing()).first()
    if line is not None:

        def accept(reason: str) -> str:
            differences.accept(line.id, reason, made_by=sam.id)
            return "accepted"

        said = at_once([inside(app, lambda: accept("one")), inside(app, lambda: accept("two"))])
        assert said.count("accepted") == 1
    with app.app_context():
        return held("bank") - MANY * 1_000


def test_two_files_about_the_same_payments_are_booked_once(
    world: World, app: Flask, tmp_path: Path
) -> None:
    # One of the lines that came second was accepted: its money came twice, and stands apart.
    assert settle_at_once(world, app, tmp_path) == 1_000
    with app.app_context():
        assert held("settlement_differences") == -1_000
    assert world.faults() == []


def test_without_the_guards_they_are_booked_twice(
    world: World, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looks at what other lines have settled, and the table does not mind."""
    with app.app_context(), db.engine.begin() as own:
        own.execute(text("DROP INDEX uq_settlement_lines_transfer_id"))

    def blind(ids: Any) -> Any:
        return {}, {}

    monkeypatch.setattr(deciding, "_settled", blind)
    assert settle_at_once(world, app, tmp_path) == MANY * 1_000
    assert any("postings_settled_twice" in fault for fault in world.faults())
