"""Reservations: what is kept for a sale is sold to no other order, until it ends; and the item in
hand wins over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from store import clock as shop_clock
from store import ids, stock
from store.db import db, transaction
from store.errors import Invalid
from store.stock import Want, reservations
from store.stock.models import Reservation
from tests.conftest import Clock
from tests.world import Thing, World

pytestmark = pytest.mark.usefixtures("context")


def keep(
    world: World,
    *wants: tuple[Thing, int],
    sale: str = "",
    minutes: float = 30,
    at: int | None = None,
) -> str:
    """Keep these goods for a sale that is to come; answers its id."""
    sale, now = sale or ids.new(), shop_clock.now()
    rows = [Want(thing.id, at or world.location, many) for thing, many in wants]
    with transaction():
        stock.reserve(rows, sale, now + timedelta(minutes=minutes), now)
    return sale


def let_go(sale: str, ids_: Sequence[int] | None = None) -> int:
    with transaction():
        return stock.release(sale, shop_clock.now(), ids_)


def take(sale: str, **how: dict[int, int]) -> list[stock.Held]:
    with transaction():
        return stock.take_reserved(sale, shop_clock.now(), **how)  # type: ignore[arg-type]


def figures(world: World, thing: Thing) -> tuple[int, int, int]:
    db.session.rollback()
    found = stock.available([thing.id])[thing.id, world.location]
    shown = stock.available_expression(thing.id, world.location)
    assert db.session.scalar(select(shown)) == found.available
    return found.on_hand, found.reserved, found.available


def faults(world: World) -> list[str]:
    """The audit's, without those that only say that these sales are names without a sale."""
    return [fault for fault in world.faults() if "sales_not_their_movements" not in fault]


def test_what_is_kept_is_available_to_no_other_order(world: World) -> None:
    milk = world.item(on_hand=5)
    keep(world, (milk, 3))
    assert figures(world, milk) == (5, 3, 2)
    with pytest.raises(stock.OutOfStock) as refused:
        keep(world, (milk, 3))
    assert refused.value.data == {"item": milk.code, "left": 2, "asked": 3}
    keep(world, (milk, 2))
    assert figures(world, milk) == (5, 5, 0)
    assert faults(world) == []


def test_it_is_all_or_nothing_and_two_lines_are_counted_together(world: World) -> None:
    milk, bread = world.item(on_hand=5), world.item("bread", on_hand=1)
    for wants in ([(milk, 3), (milk, 3)], [(milk, 1), (bread, 2)]):
        with pytest.raises(stock.OutOfStock):
            keep(world, *wants)
    assert figures(world, milk) == (5, 0, 5)
    sale = keep(world, (milk, 3), (milk, 2), (bread, 1))
    assert [held.quantity for held in stock.kept_for(sale)] == [3, 2, 1]


def test_each_place_keeps_its_own(world: World) -> None:
    milk, east = world.item(on_hand=1), world.place("EAST")
    world.stock(milk, 1, east)
    keep(world, (milk, 1))
    keep(world, (milk, 1), at=east)
    with pytest.raises(stock.OutOfStock):
        keep(world, (milk, 1), at=east)
    assert stock.available([milk.id], [east]) == {(milk.id, east): (1, 1, 0, 0)}
    assert stock.available([]) == {}
    with pytest.raises(stock.OutOfStock):  # Where it never was.
        keep(world, (milk, 1), at=world.place("WEST"))


def test_it_ends_by_itself_and_sweeping_only_tidies(
    world: World, clock: Clock, runner: FlaskCliRunner
) -> None:
    milk = world.item(on_hand=2)
    sale = keep(world, (milk, 2), minutes=10)
    clock.tick(minutes=10, microseconds=-1)
    assert figures(world, milk) == (2, 2, 0)
    clock.tick(microseconds=1)
    assert figures(world, milk) == (2, 0, 2)
    assert stock.kept_for(sale) == []
    keep(world, (milk, 2))
    assert let_go(sale) == 0
    with pytest.raises(stock.ReservationEnded):
        take(sale)
    assert reservations.sweep() == 1
    assert reservations.sweep() == 0
    assert figures(world, milk) == (2, 2, 0)
    query = select(Reservation.how, Reservation.ended_at).order_by(Reservation.id)
    found = db.session.execute(query).all()
    assert [tuple(row) for row in found] == [("expired", clock.now), (None, None)]
    clock.tick(minutes=31)
    db.session.rollback()
    assert runner.invoke(args=["sales", "sweep"]).stdout == "0\n"
    assert {row[0] for row in db.session.execute(select(Reservation.how))} == {"expired"}
    assert faults(world) == []


def test_what_is_let_go_is_there_for_others(world: World) -> None:
    milk = world.item(on_hand=3)
    sale = keep(world, (milk, 1), (milk, 2))
    first = stock.kept_for(sale)[0]
    db.session.rollback()
    assert let_go(sale, [first.id]) == 1
    assert figures(world, milk) == (3, 2, 1)
    assert let_go(sale) == 1
    assert let_go(sale) == 0
    assert figures(world, milk) == (3, 0, 3)


def test_what_is_taken_leaves_the_shelf_once(world: World) -> None:
    milk = world.item(on_hand=3)
    sale = keep(world, (milk, 2))
    assert [(held.item_id, held.quantity) for held in take(sale)] == [(milk.id, 2)]
    assert figures(world, milk) == (1, 0, 1)
    for again in (take, let_go):
        if again is let_go:
            assert let_go(sale) == 0
            continue
        with pytest.raises(stock.ReservationEnded):
            again(sale)
    assert world.left(milk) == 1
    moved = db.session.execute(text("SELECT reason, quantity, sale_id FROM movements ORDER BY id"))
    assert [tuple(row) for row in moved][1:] == [("sold", -2, sale)]
    assert faults(world) == []


def test_a_part_is_taken_and_the_rest_stays_kept(world: World) -> None:
    milk = world.item(on_hand=5)
    sale = keep(world, (milk, 4))
    held = stock.kept_for(sale)[0]
    db.session.rollback()
    for wrong in (0, -1, 5):
        with pytest.raises(Invalid):
            take(sale, quantities={held.id: wrong})
    assert take(sale, quantities={held.id: 1})[0].quantity == 1
    assert figures(world, milk) == (4, 3, 1)
    rest = stock.kept_for(sale)
    assert [(one.quantity, one.ends_at) for one in rest] == [(3, held.ends_at)]
    db.session.rollback()
    take(sale)
    assert figures(world, milk) == (1, 0, 1)
    assert faults(world) == []


def test_the_item_in_hand_wins_and_the_newest_order_is_told(world: World) -> None:
    milk, lin = world.item(price="1", on_hand=3), world.member(funds="100")
    old, new = keep(world, (milk, 1)), keep(world, (milk, 2))
    assert stock.overbooked(milk.id, world.location) == []
    world.buy(lin, (milk, 2))
    assert figures(world, milk) == (1, 3, -2)
    assert [held.sale_id for held in stock.overbooked(milk.id, world.location)] == [new]
    db.session.rollback()
    with pytest.raises(stock.OutOfStock) as refused:
        take(new)
    assert refused.value.data == {"item": milk.code, "left": 1, "asked": 2}
    assert [held.quantity for held in stock.kept_for(new)] == [2]
    db.session.rollback()
    take(old)
    assert world.left(milk) == 0
    assert faults(world) == []


@pytest.mark.parametrize("quantity", [0, -1, 10**9 + 1, 2**63])
def test_what_cannot_be_kept_is_refused(world: World, quantity: int) -> None:
    milk = world.item(on_hand=3)
    with pytest.raises(Invalid):
        keep(world, (milk, quantity))
    with pytest.raises(Invalid):
        keep(world)
    with pytest.raises(Invalid):
        keep(world, (milk, 1), minutes=0)
    with pytest.raises(stock.ReservationEnded):
        take("nobody")
    assert db.session.scalar(select(func.count()).select_from(Reservation)) == 0
    assert world.faults() == []


def test_joiners_say_where_they_belong(world: World) -> None:
    milk, now = world.item(), datetime(2027, 3, 15, tzinfo=shop_clock.now().tzinfo)
    for outside in (
        lambda: stock.reserve([Want(milk.id, world.location, 1)], "sale", None, now),
        lambda: stock.release("sale", now),
        lambda: stock.take_reserved("sale", now),
    ):
        with pytest.raises(RuntimeError):
            outside()


@pytest.mark.parametrize(
    "change", ["quantity = 0", "how = 'taken'", "ended_at = 1", "how = 'lost', ended_at = 1"]
)
def test_the_table_itself_refuses_what_cannot_be(world: World, change: str) -> None:
    keep(world, (world.item(on_hand=1), 1))
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(text(f"UPDATE reservations SET {change}"))


def test_the_audit_sees_what_was_taken_twice_or_is_kept_for_nobody(world: World) -> None:
    milk = world.item(on_hand=3)
    sale = keep(world, (milk, 1))
    take(sale)
    with transaction() as session:
        session.execute(text("UPDATE reservations SET quantity = 2"))
        stock.reserve(
            [Want(milk.id, world.location, 1)], "nobody", None, shop_clock.now()
        )  # fmt: skip
    told = " ".join(world.faults())
    assert "reservations_taken_twice" in told
    assert "reservations_without_sale" in told
