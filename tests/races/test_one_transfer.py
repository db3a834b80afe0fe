"""Money that came by a bank transfer is somebody's once, whoever presses which button at the same
moment; and a statement that two people send at once is booked once."""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from store import clock, ids
from store.db import db, in_transaction, transaction
from store.payment import attempts
from store.payment.attempts import Wanted
from store.payment.bank import matching, reading, taking
from store.payment.bank.entries import Entry, Statement
from store.payment.bank.models import BankEntry
from store.payment.gateways.bank import reference_of
from store.payment.models import Transfer
from tests.races.crowd import at_once, inside, words
from tests.world import Somebody, World

ROUNDS, STAFF = 5, 4


def came(app: Flask, folder: Path, owner: Somebody, many: int) -> list[int]:
    """Transfers of 1.00 that nobody knows; answers their ids."""
    file = folder / f"{ids.new()}.csv"
    file.write_text(file.name)
    found = [Entry(100, "CNY", date(2026, 11, 20), file.name) for _ in range(many)]
    statement = Statement("table", list(reading._keyed(found)))
    jobs = [
        inside(app, lambda: taking.take(file, statement, name="x", taken_by=owner.id).fresh)
        for _ in range(2)
    ]
    assert sum(one for one in at_once(jobs) if isinstance(one, int)) == many
    with app.app_context():
        matching.work()
        query = select(BankEntry.id).where(BankEntry.state == "open")
        return list(db.session.scalars(query))


def kept_at_once(world: World, app: Flask, folder: Path, rounds: int) -> int:
    """The most that one transfer of 1.00 gave to an account."""
    lin, owner = world.member(), world.owner()
    with app.app_context():
        wanted = Wanted(lin.id, 500, "CNY", ids.new())
        reference = reference_of(_begun(wanted))
    most = 0
    for entry_id in came(app, folder, owner, rounds):
        before = world.balance(lin)
        jobs = [
            inside(app, lambda one=entry_id: matching.keep(one, reference, made_by=owner.id))  # type: ignore[misc]
            for _ in range(STAFF)
        ]
        refused = words([one for one in at_once(jobs) if one is not None])
        assert refused.keys() <= {"entry_done"}, refused
        most = max(most, world.balance(lin) - before)
        if most > 100:
            break
    return most


def _begun(wanted: Wanted) -> str:
    with transaction():
        return attempts.begin(wanted, "bank", "sale", timedelta(days=5)).id


def test_a_transfer_is_given_once(world: World, app: Flask, tmp_path: Path) -> None:
    assert kept_at_once(world, app, tmp_path, ROUNDS) == 100
    with app.app_context():
        query = select(func.count()).where(Transfer.reason == "bank_in")
        assert db.session.scalar(query) == ROUNDS
    assert world.faults() == []


def test_without_the_guard_a_transfer_is_given_twice(
    world: World, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The careless page looks whether it is open in one moment and gives in another."""
    guarded = matching.keep

    def careless(entry_id: int, said: str, *, made_by: int) -> None:
        if db.session.get_one(BankEntry, entry_id).state != "open":
            raise matching.EntryDone()
        db.session.rollback()
        time.sleep(0.02)
        guarded(entry_id, said, made_by=made_by)

    def move(mine: BankEntry, event: str, made_by: int | None = None, **values: Any) -> None:
        done = values | {"state": "account", "decided_by": made_by, "decided_at": clock.now()}
        in_transaction().execute(update(BankEntry).where(BankEntry.id == mine.id).values(**done))

    def found(entry_id: int) -> BankEntry:
        return in_transaction().get_one(BankEntry, entry_id)

    real = matching.move
    monkeypatch.setattr(matching, "keep", careless)
    monkeypatch.setattr(matching, "_open", found)
    monkeypatch.setattr(
        matching, "move", lambda *args, **more: (real if args[1] != "kept" else move)(*args, **more)
    )
    assert kept_at_once(world, app, tmp_path, 40) > 100, "no race was seen"
    assert any("bank_account_off" in fault for fault in world.faults())
