"""Offline sales of bundles and of what is tracked by batch: the parts and the batches are right."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from store import catalogue, ids, sales, stock
from store import clock as shop_clock
from store.db import db, transaction
from store.errors import Invalid
from store.sales.models import Sale
from store.sales.rounding import tendered
from store.stock.work_models import Task
from tests.conftest import Clock
from tests.sales.test_bundles import bundle
from tests.stock.test_batches import receive, there
from tests.world import Thing, World

pytestmark = pytest.mark.usefixtures("context")


def tell(world: World, *lines: tuple[Thing, int]) -> dict[str, int]:
    """A sale that was made without a network; answers what the book lacked of it, by code."""
    charged = tuple(sales.Charged(thing.id, many, 500) for thing, many in lines)
    told = sales.OfflineSale(
        None, world.location, world.currency, charged, ids.new(), "cash", world.staff().id,
        shop_clock.now(),
    )  # fmt: skip
    bought, lacking = sales.take_in(told)
    again, nothing = sales.take_in(told)
    assert (again.sale_id, again.repeated, nothing) == (bought.sale_id, True, {})
    assert world.faults() == []
    return lacking


def tasks() -> set[Any]:
    return set(db.session.scalars(select(Task.item_id).where(Task.kind == "oversold")))


def test_a_bundle_takes_its_parts_together_with_what_is_sold_alone(world: World) -> None:
    milk, bread = world.item(on_hand=5), world.item("bread", on_hand=1)
    kit = bundle(world, (milk, 2), (bread, 1))
    assert tell(world, (kit, 1), (milk, 1)) == {}
    assert (world.left(milk), world.left(bread), world.left(kit)) == (2, 0, 0)
    # Two more were sold: the parts that were not there are found, flagged, and named by their code.
    assert tell(world, (kit, 2), (milk, 1)) == {milk.code: 3, bread.code: 2}
    assert (world.left(milk), world.left(bread)) == (0, 0)
    assert tasks() == {milk.id, bread.id}


def test_the_first_to_expire_is_gone_first_even_when_it_is_told_later(
    world: World, clock: Clock
) -> None:
    yoghurt = world.item(on_hand=0, price="5", tracks_batches=True)
    receive(world, yoghurt, "LATE", 3, days=20)
    receive(world, yoghurt, "SOON", 2, days=5)
    assert tell(world, (yoghurt, 3)) == {}
    assert there(world, yoghurt) == {"LATE": 2} and not tasks()
    # More than all batches hold: nobody knows which it was; all of it is found and counted.
    assert tell(world, (yoghurt, 4)) == {yoghurt.code: 4}
    assert (there(world, yoghurt), world.left(yoghurt)) == ({"LATE": 2}, 2)
    assert tasks() == {yoghurt.id}


def test_a_batch_that_was_called_back_meanwhile_is_no_reason_to_drop_the_sale(
    world: World, clock: Clock
) -> None:
    """The goods are gone and the money is taken: it stands, and staff look at the shelf."""
    yoghurt = world.item(on_hand=0, price="5", tracks_batches=True)
    batch = receive(world, yoghurt, "BAD", 3, days=20)
    with transaction():
        stock.call_back(batch, member_id=None)
    kit = bundle(world, (yoghurt, 2))
    assert tell(world, (kit, 1)) == {yoghurt.code: 2}
    assert world.left(yoghurt) == 3 and tasks() == {yoghurt.id}


def named(
    world: World, clock: Clock, *lines: tuple[Thing, int, str], days: int = 0
) -> dict[str, int]:
    """A sale of so many days ago whose packs named their batches; answers what the book lacked."""
    charged = tuple(sales.Charged(thing.id, many, 400, batch=batch) for thing, many, batch in lines)
    told = sales.OfflineSale(
        None, world.location, world.currency, charged, ids.new(), "cash", world.staff().id,
        clock.now - timedelta(days=days),
    )  # fmt: skip
    bought, lacking = sales.take_in(told)
    assert sales.take_in(told)[0].sale_id == bought.sale_id
    assert world.faults() == []
    return lacking


def test_the_batch_that_the_pack_named_is_gone_whatever_became_of_it(
    world: World, clock: Clock
) -> None:
    yoghurt = world.item(on_hand=0, price="5", tracks_batches=True)
    receive(world, yoghurt, "SOON", 2, days=5)
    late = receive(world, yoghurt, "LATE", 3, days=20)
    assert named(world, clock, (yoghurt, 2, "LATE"), (yoghurt, 1, "")) == {}
    assert there(world, yoghurt) == {"SOON": 1, "LATE": 1}
    with transaction():
        stock.call_back(late, member_id=None)
    world.stock(yoghurt, 1)  # Of no batch: it was one of these.
    assert named(world, clock, (yoghurt, 3, "LATE")) == {yoghurt.code: 1}
    assert (there(world, yoghurt), world.left(yoghurt)) == ({"SOON": 1}, 1)
    # A batch that the shop has never seen, and a word that is none.
    assert named(world, clock, (yoghurt, 1, "NEW/1")) == {yoghurt.code: 1}
    assert named(world, clock, (yoghurt, 1, "A B")) == {}
    assert (there(world, yoghurt), world.left(yoghurt)) == ({}, 0)
    bread = world.item("bread", on_hand=2)
    assert named(world, clock, (bread, 1, "L1")) == {}
    assert world.left(bread) == 1


def test_what_was_sold_on_its_last_day_is_gone_though_it_is_over_now(
    world: World, clock: Clock
) -> None:
    """Marked down, sold without a network, and told two days later: the price stands, and it was
    the batch that was near its date."""
    yoghurt = world.item(on_hand=0, price="5", tracks_batches=True)
    receive(world, yoghurt, "SOON", 2, days=1)
    receive(world, yoghurt, "LATE", 3, days=20)
    clock.tick(days=2)
    assert named(world, clock, (yoghurt, 1, ""), days=1) == {}
    assert there(world, yoghurt) == {"SOON": 1, "LATE": 3}
    total = db.session.scalar(select(Sale.total_minor))
    assert total == 400


def test_empties_come_off_a_sale_without_a_network_once(world: World, clock: Clock) -> None:
    with transaction():
        kind = catalogue.add_deposit({"en": "Bottle"}, 100, world.currency).item_id
    water, sam = world.item(on_hand=5, price="5", deposit_id=kind), world.staff()
    charged = (sales.Charged(water.id, 1, 500, 100),)
    told = sales.OfflineSale(
        None, world.location, world.currency, charged, ids.new(), "cash", sam.id,
        clock.now - timedelta(hours=3), empties=((kind, 4),), empties_minor=400,
    )  # fmt: skip
    sale = sales.take_in(told)[0].sale_id
    assert sales.take_in(told)[0].sale_id == sale
    paid = db.session.execute(text("SELECT total_minor, sale_id, at FROM empties")).all()
    assert [(row[0], row[1]) for row in paid] == [(400, sale)]
    receipt = sales.receipt(sale)
    assert receipt and tendered(receipt).empties_minor == 400
    for wrong in (
        {"empties_minor": 300}, {"empties": ((kind + 99, 4),)}, {"empties": ((kind, 0),)},
        {"means": "card", "empties": ((kind, 9),), "empties_minor": 900},
    ):  # fmt: skip
        with pytest.raises(Invalid):
            sales.take_in(replace(told, key=ids.new(), **wrong))
    assert world.left(water) == 4
    assert world.faults() == []
