"""Feeds that name batches: each entry is about the batch that it names, and about no other; and
whoever follows what happens here knows what there is of each."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from store import integration, outbox, stock
from store.db import db, transaction
from tests.conftest import Clock
from tests.integration.feeding import apply, numbers, said, send, take_file_text
from tests.integration.test_files import at
from tests.world import Thing, World

pytestmark = pytest.mark.usefixtures("context")
APPLIED = ("applied", "")
SOON, LATE = "2027-04-01", "2027-06-01"


class Sender:
    """A warehouse's program that speaks of batches at MAIN; each entry is a minute later."""

    def __init__(self, clock: Clock, item: Thing) -> None:
        self.clock, self.item, self.sent = clock, item, 0

    def entry(self, **more: Any) -> dict[str, Any]:
        self.sent += 1
        self.clock.tick(minutes=1)
        at = said(self.clock.now)
        return {"id": str(self.sent), "item": self.item.code, "location": "MAIN", "at": at} | more


@pytest.fixture
def yoghurt(world: World, clock: Clock) -> Thing:
    return world.item(on_hand=0, price="1", tracks_batches=True)


@pytest.fixture
def wms(clock: Clock, yoghurt: Thing) -> Sender:
    return Sender(clock, yoghurt)


def there(world: World, item: Thing) -> dict[str, int]:
    """On hand by batch; the rest, of none, as ""."""
    db.session.rollback()
    found = {one.code: one.on_hand for one in stock.in_batches([(item.id, world.location)])}
    rest = world.left(item) - sum(found.values())
    return found | ({"": rest} if rest else {})


def test_goods_come_and_go_by_batch(world: World, yoghurt: Thing, wms: Sender) -> None:
    sent = [
        wms.entry(change=5, batch="A", expires=SOON),
        wms.entry(change="7", batch=20270, expires=LATE),
        wms.entry(change=-2, batch="20270", why="sold"),
        wms.entry(change=1, batch="A", why="returned"),
        wms.entry(change=-2, why="sold"),  # Of whichever is sold first.
        wms.entry(count=3, batch="20270"),
        wms.entry(count=4, batch="A", expires=SOON),
    ]
    assert send(*sent) == [APPLIED] * 7
    assert there(world, yoghurt) == {"A": 4, "20270": 3}
    assert send(*sent) == [("repeated", "")] * 7
    assert send(wms.entry(change=1, why="returned")) == [APPLIED]  # Nobody knows of which.
    last = {one.code: one.expires_on for one in stock.in_batches([(yoghurt.id, world.location)])}
    assert last == {"A": date(2027, 4, 1), "20270": date(2027, 6, 1)}
    assert world.faults() == []


def test_what_cannot_be_is_listed_row_by_row(world: World, yoghurt: Thing, wms: Sender) -> None:
    bread = world.item("bread", on_hand=3)
    send(wms.entry(change=5, batch="A", expires=SOON))
    assert send(
        wms.entry(change=4),
        wms.entry(change=-1, batch="B", why="sold"),
        wms.entry(change=-6, batch="A"),
        wms.entry(change=1, batch="A", expires=LATE),
        wms.entry(change=1, batch="M1", item=bread.code),
        wms.entry(change=1, batch="A B"),
        wms.entry(change=1, batch="x" * 21),
        wms.entry(change=1, expires=SOON),
        wms.entry(change=1, batch="A", expires="2027-02-30"),
        wms.entry(change=1, batch="A", expires="20270401"),
        wms.entry(count=9),
        wms.entry(change=2, batch="A"),
    ) == [
        *[("conflict", code) for code in
          ("batch_needed", "batch_unknown", "short", "batch_differs", "not_batched")],
        *[("refused", "unreadable")] * 5, ("conflict", "batch_needed"), APPLIED,
    ]  # fmt: skip
    assert there(world, yoghurt) == {"A": 7}
    assert world.left(bread) == 3
    # A person has looked: the goods are there, of no batch; the day that we know stands.
    needed, unknown, _, differs, *_ = numbers()
    apply(needed)
    apply(differs)
    with pytest.raises(integration.ConflictStands):
        apply(unknown)
    assert there(world, yoghurt) == {"A": 8, "": 4}
    assert world.faults() == []


def test_a_count_gives_their_batch_to_those_that_had_none(
    world: World, yoghurt: Thing, wms: Sender
) -> None:
    world.stock(yoghurt, 10)  # Before it was tracked.
    counts = [wms.entry(count=8, batch="A", expires=SOON), wms.entry(count=5, batch="B")]
    assert send(*counts, wms.entry(count=0, batch="C")) == [APPLIED] * 3
    assert there(world, yoghurt) == {"A": 8, "B": 5}
    assert world.faults() == []


def test_an_old_count_of_a_batch_leaves_what_moved_since(
    world: World, yoghurt: Thing, wms: Sender, clock: Clock
) -> None:
    send(wms.entry(change=5, batch="A", expires=SOON), wms.entry(change=9, batch="B"))
    old = wms.entry(count=4, batch="A")
    clock.tick(hours=1)
    world.buy(world.member(funds="100"), (yoghurt, 2))
    assert send(old) == [("conflict", "count_old")]
    apply(numbers()[0])
    assert there(world, yoghurt) == {"A": 2, "B": 9}
    assert world.faults() == []


def test_a_changed_entry_is_taken_back_from_its_own_batch(
    world: World, yoghurt: Thing, wms: Sender
) -> None:
    send(wms.entry(change=5, batch="A", expires=SOON), wms.entry(change=5, batch="B"))
    sold = wms.entry(change=-7, why="sold")  # Of A, and two of B.
    wrong = wms.entry(change=4, batch="A")
    assert send(sold, wrong) == [APPLIED] * 2
    assert there(world, yoghurt) == {"A": 4, "B": 3}
    assert (
        send(sold | {"change": -2}, wrong | {"batch": "B"}) == [("conflict", "entry_changed")] * 2
    )
    for number in numbers():
        apply(number)
    assert there(world, yoghurt) == {"A": 3, "B": 9}
    assert world.faults() == []


def test_another_system_rebuilds_every_batch_exactly(
    world: World, yoghurt: Thing, wms: Sender, clock: Clock
) -> None:
    """Batches that came by a feed and at the desk, were sold, came back, were moved and counted."""
    lin, sam, east = world.member(funds="100"), world.staff(), world.place("EAST")
    world.stock(yoghurt, 2)
    send(wms.entry(change=6, batch="A", expires=SOON), wms.entry(change=4, batch="B", expires=LATE))
    sold = world.buy(lin, (yoghurt, 8))
    with transaction():
        stock.transfer(yoghurt.id, 2, world.location, east)
    world.refund(sold, sam)
    send(wms.entry(count=5, batch="A"))
    with transaction():
        stock.write_off(yoghurt.id, world.location, 1, "damaged", member_id=sam.id)
    clock.tick(days=60)
    outbox.work()
    integration.follow()
    copy = Counter[tuple[str, str, str | None]]()
    days: dict[str, str | None] = {}
    for told in integration.tell(integration.changes_after(0, 500, ["stock.moved"])):
        data = told["data"]
        copy[data["item"], data["location"], data["batch"]] += data["change"]
        if data["batch"]:
            days[data["batch"]] = data["expires_on"]
    assert days == {"A": SOON, "B": LATE}
    ours = Counter[tuple[str, str, str | None]]()
    for code, place in (("MAIN", world.location), ("EAST", east)):
        ours[yoghurt.code, code, None] = world.left(yoghurt, place)
        for one in stock.in_batches([(yoghurt.id, place)]):
            ours[yoghurt.code, code, one.code] += one.on_hand
            ours[yoghurt.code, code, None] -= one.on_hand
    assert {key: many for key, many in copy.items() if many} == {
        key: many for key, many in ours.items() if many
    }
    assert len([many for many in ours.values() if many]) >= 4
    assert world.faults() == []


def test_batches_in_a_file(app: Flask, world: World, yoghurt: Thing, tmp_path: Path) -> None:
    head, of = "id,item,location,count,change,batch,expires,at\n", yoghurt.code
    rows = [
        f"1,{of},MAIN,,6,A,{SOON},{at()}", f"2,{of},MAIN,,6,,,{at()}", f"3,{of},MAIN,,-2,A,,{at()}",
        f"4,{of},MAIN,3,,B,,{at()}", f"5,{of},MAIN,3,,B,1.6.2027,{at()}",
    ]  # fmt: skip
    told = take_file_text(app, tmp_path / "a.csv", head + "\n".join(rows) + "\n")
    assert "row 3: batch_needed" in "\n".join(told)
    assert there(world, yoghurt) == {"A": 4, "B": 3}


def test_days_that_are_over_come_in_and_are_sold_to_nobody(
    world: World, yoghurt: Thing, wms: Sender, clock: Clock
) -> None:
    over = (clock.now - timedelta(days=3)).date().isoformat()
    assert send(wms.entry(change=5, batch="A", expires=over)) == [APPLIED]
    with pytest.raises(stock.OutOfStock):
        world.buy(world.member(funds="100"), yoghurt)
    assert there(world, yoghurt) == {"A": 5}
