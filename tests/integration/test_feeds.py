"""Feeds in: each entry counts once; what stands in doubt is listed and changes nothing."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from store import catalogue, integration
from store.db import db, transaction
from store.errors import Invalid, NotFound
from store.integration import ConflictStands, feeds
from store.stock import tasks
from store.stock.models import Movement
from tests.conftest import Clock
from tests.integration.feeding import apply, dismiss, numbers, said, send
from tests.races.crowd import at_once, inside, without_unique
from tests.world import Thing, World

pytestmark = pytest.mark.usefixtures("context")
APPLIED = ("applied", "")


class Sender:
    """A stock program that speaks of one item at MAIN, at the test's time."""

    def __init__(self, clock: Clock, item: Thing) -> None:
        self.clock, self.item = clock, item

    def entry(self, id_: str, minutes: float = 0, **more: Any) -> dict[str, Any]:
        at = said(self.clock.now + timedelta(minutes=minutes))
        return {"id": id_, "item": self.item.code, "location": "MAIN", "at": at} | more

    def count(self, id_: str, quantity: Any, minutes: float = 0, **more: Any) -> dict[str, Any]:
        return self.entry(id_, minutes, count=quantity, **more)

    def change(self, id_: str, quantity: Any, minutes: float = 0, **more: Any) -> dict[str, Any]:
        return self.entry(id_, minutes, change=quantity, **more)


@pytest.fixture
def milk(world: World, clock: Clock) -> Thing:
    made = world.item(on_hand=10)
    clock.tick(minutes=1)
    return made


@pytest.fixture
def erp(clock: Clock, milk: Thing) -> Sender:
    clock.tick(hours=1)
    return Sender(clock, milk)


def reasons(item: Thing) -> list[tuple[str, int]]:
    db.session.rollback()
    rows = db.session.query(Movement).filter_by(item_id=item.id).order_by(Movement.id)
    return [(row.reason, row.quantity) for row in rows]


def test_counts_and_changes_are_taken(world: World, milk: Thing, erp: Sender) -> None:
    assert send(erp.count("1", 12, -5), erp.change("2", -3, -4), erp.change("3", 2, -3)) == [
        APPLIED, APPLIED, APPLIED,
    ]  # fmt: skip
    assert world.left(milk) == 11
    assert reasons(milk)[1:] == [("counted", 2), ("sold", -3), ("received", 2)]
    assert world.faults() == []


def test_the_same_delivery_again_does_nothing(world: World, milk: Thing, erp: Sender) -> None:
    delivery = [erp.count("1", 12, -5), erp.change("2", -3, -4)]
    send(*delivery)
    assert send(*delivery) == [("repeated", ""), ("repeated", "")]
    assert send(delivery[1] | {"change": "-3"}, delivery[1]) == [("repeated", "")] * 2
    assert world.left(milk) == 9
    other = send(*delivery, source="wms")
    assert other[1] == APPLIED, "the ids of another system are other ids"


def test_an_id_with_other_contents_is_listed(world: World, milk: Thing, erp: Sender) -> None:
    send(erp.change("1", 5, -5))
    assert send(erp.change("1", 7, -5)) == [("conflict", "entry_changed")]
    assert send(erp.change("1", 5, -5)) == [("repeated", "")]
    assert world.left(milk) == 15
    apply(*numbers())
    assert world.left(milk) == 17, "the change takes the place of the earlier one"
    assert send(erp.change("1", 7, -5)) == [("repeated", "")]
    assert send(erp.change("1", 5, -5)) == [("conflict", "entry_changed")]
    assert send(erp.change("2", 1), erp.change("2", 2)) == [APPLIED, ("conflict", "entry_changed")]
    assert world.faults() == []


@pytest.mark.parametrize("wrong", [{"at": "soon"}, {"change": None, "price": "?"}, {"change": "x"}])
def test_an_id_with_contents_that_nobody_can_read_is_not_applied_by_hand(
    world: World, milk: Thing, erp: Sender, wrong: dict[str, Any]
) -> None:
    send(erp.change("1", 5, -5))
    send(erp.change("1", 7, -5) | wrong)
    waiting = [one.id for one in integration.entries() if one.can_be_applied]
    for number in waiting:
        with pytest.raises(ConflictStands):
            apply(number)
    assert world.left(milk) == 15
    dismiss(*numbers())
    assert integration.entries() == []
    assert world.faults() == []


def test_a_count_older_than_a_movement_waits_for_a_person(
    world: World, milk: Thing, erp: Sender, clock: Clock
) -> None:
    lin = world.member(funds="100")
    counted_at = said(clock.now)
    clock.tick(minutes=10)
    world.buy(lin, (milk, 3))
    clock.tick(minutes=1)
    assert send(erp.count("1", 12) | {"at": counted_at}) == [("conflict", "count_old")]
    assert world.left(milk) == 7
    apply(*numbers())
    # Twelve were there at the count, three were sold since.
    assert world.left(milk) == 9
    assert world.faults() == []


def test_a_change_from_before_a_count_waits_for_a_person(
    world: World, milk: Thing, erp: Sender
) -> None:
    assert send(erp.count("1", 10, -2)) == [APPLIED], "a count that finds nothing to change counts"
    assert send(erp.change("2", -1, -3)) == [("conflict", "counted_since")]
    assert world.left(milk) == 10
    dismiss(*numbers())
    assert send(erp.change("2", -1, -3)) == [("dismissed", "counted_since")]
    assert world.left(milk) == 10


def test_within_a_delivery_the_senders_times_decide(world: World, milk: Thing, erp: Sender) -> None:
    late_first = [erp.change("3", -2, -1), erp.count("1", 20, -9), erp.change("2", 5, -5)]
    assert send(*late_first) == [APPLIED] * 3
    assert world.left(milk) == 23


def test_a_clock_of_tomorrow_is_not_believed(world: World, milk: Thing, erp: Sender) -> None:
    assert send(erp.count("1", 50, 24 * 60)) == [("conflict", "clock_ahead")]
    assert send(erp.count("2", 11, 1)) == [APPLIED], "a minute ahead is how clocks are"
    assert world.left(milk) == 11
    apply(*numbers())
    assert world.left(milk) == 50


NO_CHANGES: tuple[Any, ...] = (
    0, "0", 1.5, "1.5", "2,0", True, None, [], "x", "1e3", 2**53, str(2**63), f"-{2**63}",
    10**9 + 1, " ", "½", "１",
)  # fmt: skip


def test_a_change_that_is_none_is_refused_and_listed(
    world: World, milk: Thing, erp: Sender
) -> None:
    for number, change in enumerate(NO_CHANGES):
        good = erp.change(f"good {number}", 1)
        outcome = send(erp.change(f"bad {number}", change), good)
        assert outcome == [("refused", "unreadable"), APPLIED], change
    assert world.left(milk) == 10 + len(NO_CHANGES)
    listed = numbers("refused")
    assert len(listed) == len(NO_CHANGES)
    with pytest.raises(ConflictStands):
        apply(listed[0])
    assert send(erp.change("bad 0", -10)) == [APPLIED], "the sender has mended it"
    assert world.left(milk) == len(NO_CHANGES)


WRONG: tuple[dict[str, Any], ...] = (
    {"count": -1}, {"count": 1, "change": 1}, {"count": 1, "why": "sold"}, {"count": 1.0}, {},
    {"change": 5, "why": "sold"}, {"change": -5, "why": "received"}, {"change": 1, "why": "x"},
    {"count": 1, "at": "yesterday"}, {"count": 1, "at": "9999-12-31T23:59:59Z"},
    {"count": 1, "at": "0001-01-01T00:00:00+14:00"}, {"count": 1, "at": ""}, {"count": 1, "at": 5},
    {"count": 1, "item": ""}, {"count": 1, "item": ["x"]}, {"count": 1, "item": "x" * 5000},
    {"count": 1, "location": None}, {"count": 1, "location": "a\x01b"}, {"count": 1, "id": ""},
    {"count": 1, "id": "x" * 81}, {"count": 1, "id": None}, {"count": 1, "id": {"a": 1}},
    {"count": 1, "note": 1},
)  # fmt: skip


NOT_ENTRIES: tuple[Any, ...] = (None, 5, "text", [], [1], True, {})


def test_what_cannot_be_read_is_listed_with_its_reason(
    world: World, milk: Thing, erp: Sender
) -> None:
    for number, wrong in enumerate(WRONG):
        assert send(erp.entry(str(number)) | wrong) == [("refused", "unreadable")], wrong
    for raw in NOT_ENTRIES:
        assert send(raw) == [("refused", "unreadable")], raw
    assert world.left(milk) == 10
    listed = integration.entries()
    assert all(one.reason for one in listed)
    assert len(listed) == len({one.entry for one in listed}) >= len(WRONG)


def test_unknown_and_retired_wait_until_they_are_known(
    world: World, milk: Thing, erp: Sender
) -> None:
    unknown = erp.count("1", 4) | {"item": "NEW-1"}
    assert send(unknown) == [("conflict", "item_unknown")]
    assert send(erp.count("2", 4) | {"location": "MOON"}) == [("conflict", "place_unknown")]
    with transaction():
        catalogue.archive_item(milk.id)
    assert send(erp.count("3", 4)) == [("conflict", "item_retired")]
    with pytest.raises(ConflictStands):
        apply(numbers()[0])
    bread = world.item("bread", sku="NEW-1", on_hand=0)
    assert send(unknown) == [APPLIED], "the sender may simply send it again"
    world.place("MOON")
    with transaction():
        catalogue.bring_back(milk.id)
    for number in numbers():
        apply(number)
    assert (world.left(bread), world.left(milk)) == (4, 4)
    assert integration.entries() == []
    assert world.faults() == []


def test_nothing_goes_below_zero(world: World, milk: Thing, erp: Sender) -> None:
    assert send(erp.change("1", -11)) == [("conflict", "short")]
    assert world.left(milk) == 10
    (task,) = tasks.open_tasks(world.location)
    assert (task.kind, task.note) == ("feed_conflict", "erp: 1")
    world.stock(milk, 1)
    apply(*numbers())
    assert world.left(milk) == 0
    assert tasks.open_tasks(world.location) == []


def test_items_and_prices_come_in(world: World, milk: Thing, erp: Sender, clock: Clock) -> None:
    at = said(clock.now)
    items = [
        {"id": "i1", "item": "LAMP-1", "name": "Lamp", "name_zh": "灯", "price": "12.50", "at": at},
        {"id": "i2", "item": milk.code, "brand": "River", "at": at},
        {"id": "i3", "item": "X-1", "at": at},
        {"id": "i4", "item": "X-2", "name": "X", "price": 12.5, "at": at},
    ]
    assert send(*items, feed="items") == [
        APPLIED, APPLIED, ("conflict", "not_taken"), ("refused", "unreadable"),
    ]  # fmt: skip
    assert send(*items[:2], feed="items") == [("repeated", "")] * 2
    lamp = catalogue.find_item("LAMP-1")
    assert lamp is not None and lamp.names == {"en": "Lamp", "zh": "灯"}
    clock.tick(minutes=5)
    price = {"id": "p1", "item": "LAMP-1", "price": "11.00", "at": said(clock.now)}
    assert send(price, feed="prices") == [APPLIED]
    assert catalogue.quote([lamp.id], None, "CNY") == {lamp.id: 1100}
    old = {"id": "p2", "item": "LAMP-1", "price": "9.00", "at": at}
    assert send(old, feed="prices") == [("conflict", "price_old")]
    assert catalogue.quote([lamp.id], None, "CNY") == {lamp.id: 1100}
    clock.tick(minutes=5)
    gone = {"id": "i5", "item": "LAMP-1", "retired": True, "at": said(clock.now)}
    assert send(gone, feed="items") == [APPLIED]
    assert send(price | {"id": "p3"}, feed="prices") == [("conflict", "item_retired")]
    older = {"id": "i6", "item": milk.code, "brand": "Hill", "at": said(clock.now)}
    clock.tick(minutes=5)
    newer = {"id": "i7", "item": milk.code, "brand": "Sea", "at": said(clock.now)}
    assert send(newer, feed="items") == [APPLIED]
    assert send(older, feed="items") == [("conflict", "item_old")]


def test_a_price_that_is_to_come_begins_then(world: World, milk: Thing, clock: Clock) -> None:
    starts = said(clock.now + timedelta(days=2))
    price = {"id": "p", "item": milk.code, "price": "1", "at": said(clock.now), "starts": starts}
    assert send(price, feed="prices") == [APPLIED]
    assert catalogue.quote([milk.id], None, "CNY") == {milk.id: milk.price_minor}
    now = {"id": "q", "item": milk.code, "price": "2", "at": said(clock.now)}
    clock.tick(seconds=30)
    assert send(now, feed="prices") == [APPLIED], (
        "what is to come is not newer than what is said now"
    )
    clock.tick(days=3)
    assert catalogue.quote([milk.id], None, "CNY") == {milk.id: 100}


def test_a_delivery_has_an_end(world: World, milk: Thing, erp: Sender) -> None:
    with pytest.raises(Invalid):
        send(*[erp.change(str(number), 1) for number in range(501)])
    with pytest.raises(Invalid):
        send(erp.change("1", 1), source=" ")
    with pytest.raises(NotFound):
        apply(999)
    assert world.left(milk) == 10


def test_the_same_delivery_twice_at_once_counts_once(
    app: Flask, world: World, milk: Thing, erp: Sender
) -> None:
    delivery = [erp.change(str(number), 1, -number) for number in range(1, 20)]
    outcomes = at_once([inside(app, lambda: send(*delivery)) for _ in range(4)])
    states = sorted(one[0][0] for one in outcomes if isinstance(one, list))
    assert states == ["applied", "repeated", "repeated", "repeated"], outcomes
    assert world.left(milk) == 29
    assert world.faults() == []


def test_the_race_of_two_deliveries_is_real(
    app: Flask, world: World, milk: Thing, erp: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what is known is looked at before the source is ours, and the table
    takes an entry twice. Then one delivery counts as often as it is sent."""
    db.session.rollback()
    look, looked = feeds._earlier, threading.Barrier(3)
    for columns in ("version", "digest"):
        without_unique(app, "feed_entries", f"uq_feed_entries_source_id_entry_{columns}")
    with db.engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX uq_feed_entries_applied")

    def careless() -> list[tuple[str, str]]:
        with transaction():
            known = look(1, {"1"})
        looked.wait(20)
        monkeypatch.setattr(feeds, "_earlier", lambda source, names: dict(known))
        return send(erp.change("1", 5, -1))

    outcomes = at_once([inside(app, careless) for _ in range(3)])
    assert outcomes == [[APPLIED]] * 3
    assert world.left(milk) == 25
    assert any("feed_entries_counted_twice" in fault for fault in world.faults())
