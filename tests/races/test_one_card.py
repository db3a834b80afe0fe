"""A card is kept once, however many workers hear of it at the same moment: by one payment, and by
two payments with the same card; and what its member has removed stays removed."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select, update

from store import ids
from store.db import db, in_transaction, repeatable, transaction
from store.payment import attempts, cards
from store.payment.card_models import SavedMeans
from store.payment.gateways import Approved, Saved
from tests.races.crowd import at_once, inside
from tests.world import Somebody, World

ROUNDS, WORKERS = 6, 3


def told(token: str) -> Approved:
    """What Stripe says of the card that paid: each payment has a token of its own for it."""
    return Approved("pi", saved=Saved("cus_lin", token, "visa", "4242", 12, 2030))


def wanted(app: Flask, member: Somebody) -> str:
    """A card that is to be kept, of a payment that has come."""
    with app.app_context(), transaction():
        asked = attempts.Wanted(member.id, 500, "CNY", ids.new(), keeps=True)
        mine = attempts.begin(asked, "stripe", "top_up", timedelta(hours=1))
        cards.want(mine)
        query = select(SavedMeans.id).where(SavedMeans.attempt_id == mine.id)
        return str(in_transaction().scalar(query))


def kept(app: Flask, member: Somebody) -> int:
    with app.app_context():
        return len(cards.of_member(member.id, ["stripe"]))


@repeatable
def careless_settle(card_id: str, token: str) -> bool:
    """It looks which cards are kept, and then keeps this one."""
    saved, db_session = told(token).saved, db.session
    assert saved is not None
    mine = db_session.get_one(SavedMeans, card_id)
    theirs = (SavedMeans.member_id == mine.member_id, SavedMeans.state == "kept")
    others = list(db_session.scalars(select(SavedMeans.id).where(*theirs)))
    db_session.rollback()
    with transaction() as session:
        values = {"state": "leaving"}
        session.execute(update(SavedMeans).where(SavedMeans.id.in_(others)).values(**values))
        new = {"state": "kept", "token": saved.token, "brand": "visa", "last4": "4242",
               "exp_month": 12, "exp_year": 2030}  # fmt: skip
        session.execute(update(SavedMeans).where(SavedMeans.id == card_id).values(**new))
    return True


def test_careless_workers_keep_one_card_twice(world: World, app: Flask) -> None:
    for _ in range(40):
        lin = world.member()
        two = [wanted(app, lin) for _ in range(2)]
        jobs = [inside(app, partial(careless_settle, one, f"pm_{one}")) for one in two]
        assert at_once(jobs) == [True, True]
        if kept(app, lin) == 2:
            return
    pytest.fail("no race was seen, so the test below proves nothing")


def test_workers_together_keep_a_card_once_and_never_again(world: World, app: Flask) -> None:
    for _ in range(ROUNDS):
        lin = world.member()
        two = [wanted(app, lin) for _ in range(2)]
        jobs = [
            inside(app, partial(cards._settle, one, "wanted", told(f"pm_{one}")))
            for one in two * WORKERS
        ]
        outcomes = at_once(jobs)
        assert sorted(map(str, outcomes)) == ["False"] * (2 * WORKERS - 2) + ["True"] * 2, outcomes
        assert kept(app, lin) == 1
        with app.app_context():
            number = cards.of_member(lin.id, ["stripe"])[0].id
        gone = inside(app, partial(cards.remove, lin.id, number))
        late = inside(app, partial(cards._settle, number, "wanted", told("pm_late")))
        at_once([gone, late, late])
        assert kept(app, lin) == 0  # A worker that comes late does not bring it back.
