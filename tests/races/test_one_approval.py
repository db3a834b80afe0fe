"""A refund that waits is approved once, whoever presses the button at the same moment."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from store import clock, sales
from store.db import db, in_transaction
from store.sales.refunds import approvals
from store.sales.refunds.approval_models import RefundRequest
from tests.races.crowd import at_once, inside, words
from tests.sales.test_approvals import asked
from tests.world import World

ROUNDS, STAFF = 5, 4


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"REFUND_APPROVAL_ABOVE": "0.50"}


def approved_at_once(world: World, app: Flask, rounds: int) -> int:
    """The most units that went back for one request, of one unit of many."""
    lin, milk, sam = world.member(funds="1000"), world.item(price="1", on_hand=900), world.staff()
    people = [world.staff() for _ in range(STAFF)]
    most = 0
    for _ in range(rounds):
        sale = world.buy(lin, (milk, 9))
        with app.app_context():
            request_id = asked(sale.id, sam.id, 1)
        jobs = [
            inside(app, lambda who=who: approvals.approve(request_id, decided_by=who.id))  # type: ignore[misc]  # noqa: B023
            for who in people
        ]
        outcomes = at_once(jobs)
        refused = words([one for one in outcomes if not isinstance(one, str)])
        assert refused.keys() <= {"request_over"}, refused
        with app.app_context():
            found = sales.receipt(sale.id)
        assert found is not None
        most = max(most, found.refunded_minor // 100)
        if most > 1:
            break
    return most


def test_an_approval_refunds_once(world: World, app: Flask) -> None:
    assert approved_at_once(world, app, ROUNDS) == 1
    assert world.faults() == []


def test_without_the_guard_an_approval_refunds_twice(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The careless page looks whether it waits in one moment and pays in another."""
    guarded = approvals._approve

    def careless(request_id: str, decided_by: int, reason: str) -> str:
        found = db.session.get_one(RefundRequest, request_id)
        if found.state != "waiting":
            raise approvals.RequestOver()
        db.session.rollback()
        time.sleep(0.02)
        return guarded(request_id, decided_by, reason)

    def held(request_id: str, decided_by: int | None) -> RefundRequest:
        return in_transaction().get_one(RefundRequest, request_id)

    def end(
        request_id: str, state: str, by: int | None, reason: str, refund_id: str | None = None
    ) -> None:
        mine = update(RefundRequest).where(RefundRequest.id == request_id)
        ended = {"state": state, "decided_by": by, "refund_id": refund_id}
        in_transaction().execute(mine.values(ended | {"decided_at": clock.now()}))

    monkeypatch.setattr(approvals, "_approve", careless)
    monkeypatch.setattr(approvals, "_held", held)
    monkeypatch.setattr(approvals, "_end", end)
    assert approved_at_once(world, app, 40) > 1, "no race was seen"
    assert any("refunds_without_second_person" in fault for fault in world.faults())
