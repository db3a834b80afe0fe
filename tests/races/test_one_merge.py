"""Two accounts of one person, brought together twice at once, this way and that way, and while one
of them buys, gives back or goes: each sum stays what it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from store import clock, ids, merging, privacy, sales
from store.db import connection, db, transaction
from store.identity import merges, proving
from store.identity.merge_models import Merge, MergeProof
from store.identity.proving import Proof
from store.sales.models import Sale
from tests.races.crowd import at_once, inside
from tests.world import Somebody, World

LATER = 600


def shown(app: Flask, member: Somebody, other: Somebody, visit: str) -> str:
    """What this member has shown of another account of theirs; answers the proof."""
    with app.app_context(), transaction() as session:
        proof = ids.new()
        session.add(
            MergeProof(id=proof, visit=visit, member_id=member.id, other_id=other.id, how="code",
                       expires_at=clock.now() + timedelta(seconds=LATER))
        )  # fmt: skip
    return proof


def joins(app: Flask, member: Somebody, visit: str, proof: str) -> Callable[[], object]:
    return inside(app, lambda: merging.join(member.id, visit, proof))


def pair(app: Flask, world: World) -> tuple[Somebody, Somebody, list[Callable[[], object]]]:
    """Two accounts, and each brought into the other one, and once more."""
    one, other = world.member(funds="10"), world.member(funds="20")
    ways = [(one, other, "a"), (other, one, "b")]
    jobs = [
        joins(app, kept, f"{kept.id}{visit}", shown(app, kept, gone, f"{kept.id}{visit}"))
        for kept, gone, visit in ways
    ]
    return one, other, jobs


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_without_the_guard_only_the_table_keeps_each_from_coming_into_the_other(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merges, "hold", lambda kept_id, gone_id: None)
    one, other, jobs = pair(app, world)
    others = {one.id: other.id, other.id: one.id}
    monkeypatch.setattr(proving, "take", lambda member_id, *_: (others[member_id], "code"))
    monkeypatch.setattr(
        proving, "standing", lambda member_id, _: Proof("", others[member_id], "code", False)
    )
    assert isinstance(jobs[0](), str)
    with pytest.raises(IntegrityError, match="two_accounts"):
        jobs[1]()
    assert world.faults() == []


def test_of_this_way_and_that_way_one_is_done(world: World, app: Flask) -> None:
    for _ in range(2):
        one, other, jobs = pair(app, world)
        outcomes = at_once([*jobs, jobs[0], jobs[1]])
        done = {outcome for outcome in outcomes if isinstance(outcome, str)}
        refused = [outcome for outcome in outcomes if isinstance(outcome, proving.ProofOver)]
        assert len(done) == 1 and len(refused) == 2, outcomes
        assert sorted((world.balance(one), world.balance(other))) == [0, 3000]
    assert world.faults() == []


def test_it_is_bought_given_back_and_erased_meanwhile(world: World, app: Flask) -> None:
    milk, staff = world.item(price="1", on_hand=100), world.staff()
    for _ in range(2):
        kept, gone = world.member(funds="10"), world.member(funds="20")
        before = world.buy(gone, (milk, 5))
        proof = shown(app, kept, gone, str(kept.id))
        line = (sales.Line(milk.id, 1),)
        buy = sales.Buy(gone.id, world.location, world.currency, line, ids.new(), "shelf")
        jobs: list[Callable[[], object]] = [
            joins(app, kept, str(kept.id), proof),
            inside(app, lambda buy=buy: sales.buy(buy)),  # type: ignore[misc]
            inside(app, lambda sale=before.id: sales.refund(sale, made_by=staff.id, reason="")),  # type: ignore[misc]
            inside(app, lambda who=gone.id: privacy.erase(who, forfeit=True)),  # type: ignore[misc]
        ]  # fmt: skip
        outcomes = at_once(jobs)
        with app.app_context():
            merging.sweep()
            merged = db.session.scalar(select(Merge.kept_id).where(Merge.gone_id == gone.id))
            erased = (
                connection()
                .execute(text("SELECT erased_at FROM members WHERE id = :who"), {"who": gone.id})
                .scalar()
            )
            mine = set(db.session.scalars(select(Sale.member_id).where(Sale.id == before.id)))
        assert (merged is None) == (erased is not None), outcomes
        assert mine == {gone.id if merged is None else kept.id}, outcomes
        assert isinstance(outcomes[2], str), outcomes
        if merged is not None:
            bought = not isinstance(outcomes[1], BaseException)
            assert (world.balance(kept), world.balance(gone)) == (3000 - 100 * bought, 0), outcomes
        assert world.faults() == [], outcomes
