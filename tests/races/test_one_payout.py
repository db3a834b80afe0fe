"""What a seller is owed is settled and paid out once, however many do it at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from store import outbox
from store.db import connection, repeatable, transaction
from store.payment.shares import settle_with
from store.sellers import payouts, settling
from store.sellers.models import Payout, Settlement, Share
from store.sellers.payouts import PayoutChanged
from tests.conftest import Clock
from tests.races.crowd import at_once, inside
from tests.sellers.counter import account, give_to, seller
from tests.world import World

MANY = 6


@pytest.fixture
def sold(world: World, app: Flask, clock: Clock) -> int:
    """Yesterday so much was sold for Aurora; answers her share."""
    with app.app_context():
        lamp, lin = world.item(price="10.00", on_hand=1000), world.member(funds="1000")
        give_to(seller(commission_bp=2000), lamp)
        clock.tick(minutes=1)
        for _ in range(9):
            world.buy(lin, lamp)
        outbox.work()
        clock.tick(days=1)
    return 9 * 800


@repeatable
def careless_settlement() -> None:
    """It looks what is not settled, and then settles it."""
    amount = select(func.sum(Share.share_minor)).where(Share.settlement_id.is_(None))
    owed = connection().execute(amount).scalar() or 0
    with transaction():
        settle_with("AURORA", int(owed), "CNY", "careless")


def test_a_careless_settlement_pays_twice(world: World, app: Flask, sold: int) -> None:
    at_once([inside(app, careless_settlement)] * MANY)
    with app.app_context():
        assert account("payouts") > sold
    assert world.faults() != []


def test_it_is_settled_once(
    world: World, app: Flask, sold: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "BITE", 2)
    outcomes = at_once([inside(app, settling.settle)] * MANY)
    made = [one for ids in outcomes if isinstance(ids, list) for one in ids]
    assert len(made) == 1, outcomes
    assert all(isinstance(one, list) for one in outcomes), outcomes
    with app.app_context():
        assert (account("payouts"), account("seller:AURORA")) == (sold, 0)

    def paid(at: int) -> Callable[[], None]:
        return inside(app, lambda: payouts.pay(made[0], f"B{at}", steps=0, made_by=None))

    said = at_once([paid(at) for at in range(MANY)])
    assert sum(one is None for one in said) == 1, said
    assert sum(isinstance(one, PayoutChanged) for one in said) == MANY - 1, said
    with app.app_context():
        assert (account("payouts"), account("bank")) == (0, sold)
    assert world.faults() == []


def test_who_comes_when_all_is_settled_opens_no_empty_settlement(
    world: World, app: Flask, sold: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run settles everything between this one's first look and its transaction."""
    others: list[object] = []
    anything = settling._anything

    def looked(seller_id: int, until: datetime, currency: str) -> bool:
        found = anything(seller_id, until, currency)
        if not others:
            others.append("on the way")
            others[:] = at_once([inside(app, settling.settle)])
        return found

    monkeypatch.setattr(settling, "_anything", looked)
    with app.app_context():
        assert settling.settle() == []
        assert len(others) == 1 and len(others[0]) == 1, others  # type: ignore[arg-type]
        assert connection().execute(select(func.count(Settlement.id))).scalar() == 1
    assert world.faults() == []


def test_the_audit_sees_what_is_paid_twice(world: World, app: Flask, sold: int) -> None:
    with app.app_context():
        (made,) = settling.settle()
        assert world.faults() == []
        with transaction() as session:
            session.execute(
                update(Payout).where(Payout.settlement_id == made).values(amount_minor=1)
            )
        assert any("payouts" in fault for fault in world.faults())
