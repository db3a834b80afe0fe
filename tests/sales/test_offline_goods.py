"""Offline sales of bundles and of what is tracked by batch: the parts and the batches are right."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from store import clock, ids, sales, stock
from store.db import db, transaction
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
        clock.now(),
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
