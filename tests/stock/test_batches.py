"""Batches: the first to expire is sold first, an expired or recalled one to nobody, and each comes
back into its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from store import clock as shop_clock
from store import ids, stock
from store.db import db, transaction
from store.errors import Invalid, NotFound
from store.stock import Want, batches, books, changes
from tests.conftest import Clock
from tests.races.crowd import at_once, buy_at_once, inside, wanted, words
from tests.world import Thing, World

pytestmark = pytest.mark.usefixtures("context")

TODAY = date(2027, 3, 15)


def receive(
    world: World, item: Thing, code: str, many: int, *, days: int | None = 30, at: int = 0
) -> int:
    """Goods of a batch come in that expires in so many days; answers the batch's id."""
    expires = None if days is None else batches.today() + timedelta(days=days)
    with transaction():
        batch = stock.open_batch(item.id, code, expires)
        stock.receive(item.id, at or world.location, many, batch_id=batch)
    return batch


def there(world: World, item: Thing, at: int = 0) -> dict[str, int]:
    """On hand by batch."""
    db.session.rollback()
    return {one.code: one.on_hand for one in stock.in_batches([(item.id, at or world.location)])}


@pytest.fixture
def yoghurt(world: World, clock: Clock) -> Thing:
    """An item that is tracked by batch, of which nothing is here."""
    return world.item(on_hand=0, price="1", tracks_batches=True)


def test_the_first_to_expire_is_sold_first(world: World, yoghurt: Thing) -> None:
    receive(world, yoghurt, "LATE", 3, days=20)
    receive(world, yoghurt, "SOON", 2, days=5)
    receive(world, yoghurt, "EVER", 1, days=None)
    world.stock(yoghurt, 1)  # Of no batch.
    lin = world.member(funds="100")
    world.buy(lin, (yoghurt, 3))
    assert there(world, yoghurt) == {"LATE": 2, "EVER": 1}
    world.buy(lin, (yoghurt, 2), (yoghurt, 1))
    assert there(world, yoghurt) == {}
    assert world.left(yoghurt) == 1
    world.buy(lin, yoghurt)
    moved = db.session.execute(text("SELECT quantity FROM movements WHERE reason = 'sold'"))
    assert sorted(row[0] for row in moved) == [-2, -2, -1, -1, -1]
    assert world.faults() == []


def test_what_is_expired_or_recalled_is_sold_to_nobody(
    world: World, yoghurt: Thing, clock: Clock
) -> None:
    receive(world, yoghurt, "SOON", 2, days=0)
    late = receive(world, yoghurt, "LATE", 3, days=9)
    lin = world.member(funds="100")
    world.buy(lin, yoghurt)  # On its last day it is sold.
    clock.tick(days=1)
    with pytest.raises(stock.OutOfStock) as refused:
        world.buy(lin, (yoghurt, 4))
    assert refused.value.data["left"] == 3
    world.buy(lin, yoghurt)
    assert there(world, yoghurt) == {"SOON": 1, "LATE": 2}
    with transaction():
        stock.call_back(late, member_id=None)
    with pytest.raises(stock.OutOfStock):
        world.buy(lin, yoghurt)
    found = stock.available([yoghurt.id])[yoghurt.id, world.location]
    assert (found.on_hand, found.available) == (3, 0)
    db.session.rollback()
    with pytest.raises(stock.OutOfStock), transaction():
        now = shop_clock.now()
        stock.reserve([Want(yoghurt.id, world.location, 1)], ids.new(), None, now)
    with transaction():
        stock.call_back(late, member_id=None, back=True)
    world.buy(lin, (yoghurt, 2))
    assert there(world, yoghurt) == {"SOON": 1}
    with pytest.raises(NotFound), transaction():
        stock.call_back(999, member_id=None)
    assert world.faults() == []


def test_the_day_ends_at_the_shops_own_midnight(world: World, yoghurt: Thing, clock: Clock) -> None:
    receive(world, yoghurt, "SOON", 1, days=0)
    batch = stock.in_batches([(yoghurt.id, world.location)])[0]
    assert batch.expires_on == TODAY
    clock.set(clock.now.replace(hour=15, minute=59))  # 23:59 in Shanghai.
    db.session.rollback()
    assert not stock.in_batches([(yoghurt.id, world.location)])[0].blocked
    clock.tick(minutes=1)
    assert stock.in_batches([(yoghurt.id, world.location)])[0].blocked


def test_a_returned_one_goes_back_into_its_batch_wherever_it_is_given_back(
    world: World, yoghurt: Thing
) -> None:
    east = world.place("EAST")
    receive(world, yoghurt, "A", 1, days=5)
    receive(world, yoghurt, "B", 2, days=9)
    sold = world.buy(world.member(funds="100"), (yoghurt, 3))
    db.session.rollback()
    with transaction():
        now = shop_clock.now()
        stock.put_back([Want(yoghurt.id, east, 2, sold.id, None)], now)
        stock.put_back([Want(yoghurt.id, world.location, 1, sold.id, None)], now)
    assert there(world, yoghurt, east) == {"A": 1, "B": 1}
    assert there(world, yoghurt) == {"B": 1}
    faults = [fault for fault in world.faults() if "sales_not_their_movements" not in fault]
    assert faults == []


def test_a_whole_refund_brings_back_the_batches(world: World, yoghurt: Thing) -> None:
    receive(world, yoghurt, "A", 1, days=5)
    receive(world, yoghurt, "B", 2, days=9)
    sold = world.buy(world.member(funds="100"), (yoghurt, 2))
    world.refund(sold, world.staff())
    assert there(world, yoghurt) == {"A": 1, "B": 2}
    assert world.faults() == []


def test_a_transfer_takes_the_batches_along(world: World, yoghurt: Thing, clock: Clock) -> None:
    east = world.place("EAST")
    receive(world, yoghurt, "A", 2, days=0)
    receive(world, yoghurt, "B", 2, days=9)
    clock.tick(days=1)  # What is expired goes last.
    with transaction():
        stock.transfer(yoghurt.id, 3, world.location, east)
    assert there(world, yoghurt) == {"A": 1}
    assert there(world, yoghurt, east) == {"A": 1, "B": 2}
    with pytest.raises(stock.OutOfStock), transaction():
        stock.transfer(yoghurt.id, 2, world.location, east)
    assert world.faults() == []


def test_what_is_missing_at_a_count_was_of_the_oldest(world: World, yoghurt: Thing) -> None:
    receive(world, yoghurt, "A", 2, days=3)
    receive(world, yoghurt, "B", 2, days=9)
    for counted, left in ((1, {"B": 1}), (6, {"B": 1}), (0, {})):
        with transaction():
            stock.count_to(yoghurt.id, world.location, counted, member_id=None)
        assert there(world, yoghurt) == left
        assert world.left(yoghurt) == counted
    assert world.faults() == []


def test_what_is_kept_for_an_order_is_taken_by_batch(world: World, yoghurt: Thing) -> None:
    receive(world, yoghurt, "B", 2, days=9)
    receive(world, yoghurt, "A", 1, days=3)
    sale, now = ids.new(), shop_clock.now()
    with transaction():
        stock.reserve([Want(yoghurt.id, world.location, 2)], sale, None, now)
    with transaction():
        stock.take_reserved(sale, now)
    assert there(world, yoghurt) == {"B": 1}


def test_a_batch_has_one_date_and_belongs_to_one_item(world: World, yoghurt: Thing) -> None:
    milk, bread = world.item("bread", on_hand=1), world.item("honey", tracks_batches=True)
    batch = receive(world, yoghurt, "A", 1, days=None)
    with transaction():
        assert stock.open_batch(yoghurt.id, " A ", TODAY) == batch  # Its date is known now.
    with pytest.raises(stock.BatchDiffers) as refused, transaction():
        stock.open_batch(yoghurt.id, "A", TODAY + timedelta(days=1))
    assert refused.value.data == {"batch": "A", "expires_on": "2027-03-15"}
    with transaction():
        assert stock.open_batch(bread.id, "A") != batch
    with pytest.raises(Invalid), transaction():
        stock.receive(bread.id, world.location, 1, batch_id=batch)
    with pytest.raises(Invalid), transaction():
        stock.open_batch(milk.id, "A")
    for code in ("", "x" * 21, "a b", "é", "a\x00"):
        with pytest.raises(Invalid), transaction():
            stock.open_batch(yoghurt.id, code)
    assert there(world, yoghurt) == {"A": 1}
    assert world.faults() == []


@pytest.mark.parametrize(
    ("code", "days", "refusal"),
    [("A", None, stock.BatchRecalled), ("B", None, stock.BatchExpired),
     ("C", -1, stock.BatchExpired),
     (None, -1, stock.BatchExpired), ("C", 0, None), (None, 0, None), ("C", None, None),
     ("B", 5, stock.BatchExpired)],
)  # fmt: skip
def test_what_a_pack_says_of_itself_is_believed_where_it_speaks_against_it(
    world: World, yoghurt: Thing, clock: Clock, code: str, days: int | None, refusal: type | None
) -> None:
    with transaction():
        stock.call_back(stock.open_batch(yoghurt.id, "A"), member_id=None)
        stock.open_batch(yoghurt.id, "B", TODAY - timedelta(days=1))
    said = None if days is None else TODAY + timedelta(days=days)
    if refusal is None:
        stock.refuse_blocked(yoghurt.id, code, said)
        return
    with pytest.raises(refusal):
        stock.refuse_blocked(yoghurt.id, code, said)


def _buyers(world: World, app: Flask, milk: Thing) -> list[int]:
    """Eight buyers of two each, of two batches of eight; what is left of each batch then."""
    people = [world.member(funds="100") for _ in range(8)]
    outcomes = buy_at_once(app, [wanted(world, one, (milk, 2)) for one in people])
    assert words(outcomes) == {"sold": 8}
    db.session.rollback()
    rows = db.session.execute(
        text("SELECT SUM(quantity) FROM movements WHERE batch_id IS NOT NULL GROUP BY batch_id")
    )
    return sorted(int(row[0]) for row in rows)


def test_without_the_lock_a_batch_is_sold_twice(
    world: World, app: Flask, yoghurt: Thing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control, where two can write at once."""
    if db.engine.dialect.name == "sqlite":
        return

    def unlocked(places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
        return stock.levels(sorted(places))

    monkeypatch.setattr(batches, "lock_levels", unlocked)
    for number in range(20):
        receive(world, yoghurt, f"A{number}", 8, days=3)
        receive(world, yoghurt, f"B{number}", 8, days=9)
        if _buyers(world, app, yoghurt)[0] < 0:
            assert any("batches_below_zero" in fault for fault in world.faults())
            return
    pytest.fail("no race was seen, so the test below proves nothing")


def test_buyers_at_once_take_every_piece_of_a_batch_once(
    world: World, app: Flask, yoghurt: Thing
) -> None:
    for number in range(3):
        receive(world, yoghurt, f"A{number}", 8, days=3)
        receive(world, yoghurt, f"B{number}", 8, days=9)
        assert set(_buyers(world, app, yoghurt)) == {0}
    assert world.faults() == []


def test_counts_transfers_and_buys_at_once_do_not_wait_for_each_other_for_ever(
    world: World, app: Flask, yoghurt: Thing
) -> None:
    east, lin = world.place("EAST"), world.member(funds="1000")
    for place in (world.location, east):
        receive(world, yoghurt, "A", 200, at=place)

    def go(source: int, target: int) -> None:
        for _ in range(4):
            with transaction():
                stock.transfer(yoghurt.id, 1, source, target)

    def count() -> None:
        for _ in range(4):
            with transaction():
                stock.count_to(yoghurt.id, east, 190, member_id=None)

    def buy() -> None:
        for _ in range(4):
            world.buy(lin, (yoghurt, 1))

    jobs = [lambda: go(world.location, east), lambda: go(east, world.location), count, buy]
    assert at_once([inside(app, job) for job in jobs]) == [None] * 4
    assert world.faults() == []


def test_what_is_written_off_or_counted_elsewhere_goes_from_the_oldest_batch(
    world: World, yoghurt: Thing
) -> None:
    receive(world, yoghurt, "A", 2, days=3)
    receive(world, yoghurt, "B", 2, days=9)
    world.stock(yoghurt, 1)  # Of no batch.
    with transaction():
        changes.change([Want(yoghurt.id, world.location, -1)], "written_off")
    assert there(world, yoghurt) == {"A": 1, "B": 2}
    place = (yoghurt.id, world.location)
    with transaction():
        books.lock_levels([place], shop_clock.now())
        books.post([books.Posting(*place, -2, "counted", shop_clock.now())])
    assert there(world, yoghurt) == {"B": 1}
    with pytest.raises(stock.OutOfStock) as refused, transaction():
        changes.change([Want(yoghurt.id, world.location, -3)], "written_off")
    assert refused.value.data == {"item": yoghurt.code, "left": 2, "asked": 3}
    with transaction():
        changes.change([Want(yoghurt.id, world.location, -2)], "written_off")
    assert world.left(yoghurt) == 0
    assert world.faults() == []
