"""A guest's sale, and several people who have its link: one of them has it."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, update

from store import clock, ids
from store.db import db, in_transaction, transaction
from store.identity.models import Identifier
from store.payment.gateways.simulated import Simulated
from store.sales import Buy, Line
from store.sales.guests import claims, guests
from store.sales.guests.guest_models import Claim
from store.sales.models import Sale
from store.sales.paying import paying
from tests.races.crowd import at_once, inside
from tests.world import Somebody, Thing, World

ROUNDS, PEOPLE = 5, 6
GATEWAY = Simulated(b"known-to-the-tests-only", hang_s=0)


def bought(app: Flask, world: World, item: Thing) -> str:
    with app.app_context():
        guest_id = guests.enter(ids.secret())
        asked = Buy(None, world.location, "CNY", (Line(item.id, 1),), ids.new(), "shelf",
                    means="simulated", guest_id=guest_id)  # fmt: skip
        mine = paying.find(paying.pay(paying.Paying(asked, GATEWAY)), None, guest_id)
        assert mine.sale_id
        return mine.sale_id


def people(app: Flask, world: World) -> list[Somebody]:
    found = [world.member() for _ in range(PEOPLE)]
    with app.app_context(), transaction() as session:
        session.execute(update(Identifier).values(proven_at=clock.now()))
    return found


def claimed(app: Flask, sale_id: str, by: list[Somebody]) -> int:
    """How many were told that it is theirs."""
    jobs = [
        inside(app, lambda one=one: claims.claim(one.id, [sale_id], None, sale_id))  # type: ignore
        for one in by
    ]
    outcomes = at_once(jobs)
    assert all(isinstance(outcome, list) for outcome in outcomes), outcomes
    return outcomes.count([sale_id])


def test_without_the_guard_two_people_have_one_sale(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unguarded(sale_id: str, member_id: int) -> bool:
        named = update(Sale).where(Sale.id == sale_id).values(member_id=member_id)
        in_transaction().execute(named)
        return True

    seen = claims.claimable

    def looked_before(member_id: int, guest_id: int | None, linked: str | None) -> dict[str, str]:
        """As it was before anybody's transaction began."""
        return before.get(linked or "") or seen(member_id, guest_id, linked)

    before: dict[str, dict[str, str]] = {}
    monkeypatch.setattr(claims, "_take", unguarded)
    monkeypatch.setattr(claims, "claimable", looked_before)
    monkeypatch.setattr(claims, "_write_down", lambda *_: None)
    by, milk = people(app, world), world.item(on_hand=100)
    sale_id = bought(app, world, milk)
    before[sale_id] = {sale_id: "link"}
    assert claimed(app, sale_id, by) > 1
    assert any("guest_sales_off" in fault for fault in world.faults())


def test_one_person_has_it(world: World, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look before is as stale as it can be: the guard alone decides."""
    seen, before = claims.claimable, dict[str, dict[str, str]]()
    monkeypatch.setattr(
        claims, "claimable", lambda m, g, linked: before.get(linked or "") or seen(m, g, linked)
    )
    by, milk = people(app, world), world.item(on_hand=100)
    for _ in range(ROUNDS):
        sale_id = bought(app, world, milk)
        before[sale_id] = {sale_id: "link"}
        assert claimed(app, sale_id, by) == 1
    with app.app_context():
        rows = db.session.execute(
            select(Claim.sale_id).join(
                Sale, (Sale.id == Claim.sale_id) & (Sale.member_id == Claim.member_id)
            )
        ).all()
    assert len(rows) == ROUNDS
    assert world.faults() == []
