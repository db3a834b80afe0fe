"""A delivery is booked once, a count approved once, a transfer taken in once, however many of the
staff press the button at the same moment."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from store import ids
from store.db import db, in_transaction, transaction
from store.stock import counts, purchases, slips, transit
from store.stock.work_models import Slip
from tests.races.crowd import at_once, inside
from tests.world import Somebody, Thing, World

STAFF, ROUNDS, TRIES = 6, 5, 40
End = Callable[[int, int], object]


def opened(world: World, kind: str, item: Thing, quantity: int, by: Somebody, mill: int) -> int:
    """A slip of which everything is scanned, and which a tap ends."""
    with world.app.app_context():
        with transaction():
            if kind == "transfer":
                slip = transit.open_transfer(world.location, mill, by.id)
            else:
                slip = slips.open_slip(kind, world.location, by.id)
            slips.scan(slip, item.id, quantity, by.id, key=ids.new(), anew=True)
        if kind == "transfer":
            with transaction():
                transit.depart(slip, by.id)
            with transaction():
                slips.scan(slip, item.id, quantity, by.id, key=ids.new(), anew=True)
    return slip


KINDS: dict[str, tuple[End, int]] = {
    # How it is ended, and how far one end moves the level that is looked at.
    "delivery": (purchases.book_delivery, 3),
    "count": (counts.approve, -2),
    "transfer": (transit.arrive, 3),
}


def at_the_place(world: World, kind: str, item: Thing, mill: int) -> int:
    return world.left(item, mill if kind == "transfer" else None)


def scanned_for(world: World, kind: str, item: Thing) -> int:
    return world.left(item) - 2 if kind == "count" else 3


@pytest.fixture
def mill(world: World) -> int:
    return world.place("MILL", "Mill Street")


@pytest.mark.parametrize("kind", KINDS)
def test_staff_who_look_first_and_act_then_end_it_twice(
    world: World, app: Flask, mill: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: who looks in one moment and acts in another, without the guards."""

    def unguarded(slip_id: int, of: str, member_id: int, *, send: bool = False) -> Slip:
        slip = in_transaction().get(Slip, slip_id)
        assert slip is not None
        return slip

    end, step = KINDS[kind]
    by, item = world.staff(), world.item(on_hand=900)
    slips_of_all = [  # Transit holds more than one transfer, so that it can be emptied too far.
        opened(world, kind, item, scanned_for(world, kind, item), by, mill) for _ in range(3)
    ]
    for room in (purchases, counts, transit):
        monkeypatch.setattr(room, "claim", unguarded)
    for room in (purchases, counts):
        monkeypatch.setattr(room, "settle", lambda slip_id, lines: None)
    monkeypatch.setattr(counts, "_counted_since", lambda one, location_id: False)
    slip, taken = slips_of_all[0], False

    def careless() -> None:
        nonlocal taken
        if taken:  # What a page has shown before the tap.
            raise slips.SlipClosed
        db.session.rollback()
        with transaction():
            end(slip, by.id)
        taken = True

    for _ in range(TRIES):
        taken, before = False, at_the_place(world, kind, item, mill)
        at_once([inside(app, careless)] * 2)
        moved = at_the_place(world, kind, item, mill) - before
        if abs(moved) > abs(step):
            return
    pytest.fail("no race was seen, so the test below proves nothing")


@pytest.mark.parametrize("kind", KINDS)
def test_a_slip_ends_once(world: World, app: Flask, mill: int, kind: str) -> None:
    end, step = KINDS[kind]
    by, item = world.staff(), world.item(on_hand=100)

    def tap(slip: int) -> object:
        with transaction():
            return end(slip, by.id)

    for _ in range(ROUNDS):
        slip = opened(world, kind, item, scanned_for(world, kind, item), by, mill)
        before = at_the_place(world, kind, item, mill)
        outcomes = at_once([inside(app, lambda: tap(slip))] * STAFF)  # noqa: B023
        closed = [one for one in outcomes if isinstance(one, slips.SlipClosed)]
        assert len(closed) == STAFF - 1, outcomes
        assert at_the_place(world, kind, item, mill) == before + step
    assert world.faults() == []


def test_nothing_is_scanned_for_a_slip_while_it_ends(world: World, app: Flask, mill: int) -> None:
    """A scan is in what is booked, or it is refused; it is never written down and lost."""
    by, item = world.staff(), world.item(on_hand=0)

    def scan(slip: int) -> object:
        with transaction():
            return slips.scan(slip, item.id, 1, by.id, key=ids.new())

    def book(slip: int) -> object:
        with transaction():
            return purchases.book_delivery(slip, by.id)

    for _ in range(ROUNDS):
        slip = opened(world, "delivery", item, 3, by, mill)
        before = world.left(item)
        jobs = [inside(app, lambda: scan(slip))] * STAFF + [inside(app, lambda: book(slip))]  # noqa: B023
        outcomes = at_once(jobs)
        refused = sum(isinstance(one, slips.SlipClosed) for one in outcomes)
        assert world.left(item) - before == 3 + STAFF - refused, outcomes
    assert world.faults() == []
