"""Sweeping: what is old leaves the tables that only grow; what may still be asked for stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import insert, select

from store import clock, commands, sweeping
from store.api import keys
from store.api.models import KeptAnswer
from store.db import db, transaction
from store.identity import sign_ins, tries
from store.identity.models import SignIn, Try
from store.identity.tries import Limit
from tests.conftest import Clock
from tests.world import World

MONTH = timedelta(days=31)


def signed_in(app: Flask) -> set[str]:
    with app.app_context():
        return set(db.session.scalars(select(SignIn.device)))


def write_sign_ins(app: Flask, member_id: int, **ages: tuple[float | None, float]) -> None:
    """A sign-in for each name, by (days since it was ended, days since it expired)."""
    now = clock.now()
    rows = [
        {"digest": name, "member_id": member_id, "device": name, "address": "", "created_at": now,
         "seen_at": now, "expires_at": now - timedelta(days=expired),
         "ended_at": None if ended is None else now - timedelta(days=ended)}
        for name, (ended, expired) in ages.items()
    ]  # fmt: skip
    with app.app_context(), transaction() as session:
        session.execute(insert(SignIn), rows)


def test_sign_ins_that_are_long_over_are_swept_and_live_ones_stay(app: Flask, world: World) -> None:
    write_sign_ins(
        app, world.member().id,
        live=(None, -60), ended_now=(1, -60), expired_now=(None, 1),
        ended=(31, -60), expired=(None, 31),
    )  # fmt: skip
    with app.app_context():
        assert sign_ins.sweep() == 2
        assert sign_ins.sweep() == 0
    assert signed_in(app) == {"live", "ended_now", "expired_now"}


def test_a_browser_that_is_signed_in_stays_so(world: World, clock: Clock) -> None:
    lin = world.client_for(world.member())
    clock.tick(days=80)
    with world.app.app_context():
        assert sign_ins.sweep() == 0
    assert lin.get("/me").status_code == 200


def test_tries_are_kept_as_long_as_a_window_reaches(app: Flask, clock: Clock) -> None:
    limits = [Limit("sign_up", "somebody", 1000)]
    with app.app_context():
        tries.begin(limits)
        clock.tick(days=2)
        tries.begin(limits)
        assert tries.sweep() == 1
        assert db.session.query(Try).count() == 1


def test_answers_of_the_api_are_kept_for_90_days(app: Flask, world: World, clock: Clock) -> None:
    lin = world.member()
    row = {"member_id": lin.id, "route": "a", "digest": "", "answer": {}}
    with app.app_context():
        with transaction() as session:
            session.execute(
                insert(KeptAnswer),
                [row | {"key": "old", "at": clock.now - timedelta(days=91)},
                 row | {"key": "new", "at": clock.now - timedelta(days=89)}],
            )  # fmt: skip
        assert keys.sweep() == 1
        assert list(db.session.scalars(select(KeptAnswer.key))) == ["new"]


def test_many_rows_go_by_small_bites(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who buys meanwhile waits for one bite, not for all of it."""
    monkeypatch.setattr(sweeping, "AT_ONCE", 10)
    member_id, bites = world.member().id, []
    write_sign_ins(app, member_id, **{f"s{number}": (40, 40) for number in range(25)})
    bite = sweeping._bite

    def counted(*what: object) -> int:
        bites.append(bite(*what))  # type: ignore[arg-type]
        return bites[-1]

    monkeypatch.setattr(sweeping, "_bite", counted)
    with app.app_context():
        assert sign_ins.sweep() == 25
    assert bites == [10, 10, 5, 0]


def test_the_worker_sweeps_and_goes_on_where_one_sweep_fails(
    world: World, runner: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> int:
        raise OSError("no disk")

    monkeypatch.setattr(commands, "SWEEPS", (broken, *commands.SWEEPS))
    write_sign_ins(world.app, world.member().id, old=(40, 40), live=(None, -1))
    world.sale()
    assert runner.invoke(args=["outbox", "work"]).stdout == "2\n", "a new item and its sale"
    assert signed_in(world.app) == {"live"}
    assert world.faults() == []
