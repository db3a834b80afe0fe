"""The check at the exit: a pass is used once, and every check is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from store import door, ids, sales
from store.db import db
from store.door import checks
from store.door.models import ExitCheck, PassUse
from tests.conftest import Clock
from tests.door.shop import DoorShop

pytestmark = pytest.mark.usefixtures("clock", "context")


def outcomes() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(ExitCheck.outcome).order_by(ExitCheck.id)))


def uses() -> int:
    db.session.rollback()
    return len(db.session.scalars(select(PassUse)).all())


def test_a_paid_sale_leaves_the_shop_once(shop: DoorShop, clock: Clock) -> None:
    sale = shop.buy(3)
    receipt = shop.check(shop.pass_of(sale))
    assert (receipt.id, receipt.pieces) == (sale, 4)
    clock.tick(seconds=45)
    with pytest.raises(door.PassUsed) as refusal:
        shop.check(shop.pass_of(sale), staff=shop.colleague)
    assert refusal.value.data == {
        "used_at": "2027-03-15T10:30:00+00:00", "by": "Mei", "place": "Harbour Road",
    }  # fmt: skip
    assert refusal.value.receipt == receipt
    assert outcomes() == ["accepted", "pass_used"]
    assert uses() == 1


def test_a_look_uses_nothing_up_and_is_not_written_down(shop: DoorShop) -> None:
    text = shop.pass_of(shop.buy())
    for _ in range(3):
        assert door.look(text, shop.asked(), shop.key).pieces == 3
    assert (outcomes(), uses()) == ([], 0)
    shop.check(text)
    with pytest.raises(door.PassUsed):
        door.look(text, shop.asked(), shop.key)
    assert outcomes() == ["accepted"]


def test_an_answer_that_was_lost_is_given_again(shop: DoorShop, clock: Clock) -> None:
    text, key = shop.pass_of(shop.buy()), ids.new()
    first = shop.check(text, key=key)
    clock.tick(minutes=2)
    assert shop.check(text, key=key) == first
    assert (outcomes(), uses()) == (["accepted"], 1)
    # Neither another key nor another person's use of this key is the same check.
    live = shop.pass_of(first.id)
    with pytest.raises(door.PassUsed):
        shop.check(live)
    with pytest.raises(door.PassUsed):
        shop.check(live, key=key, staff=shop.colleague)


def test_a_code_of_two_minutes_ago_is_not_live(shop: DoorShop, clock: Clock) -> None:
    sale = shop.buy()
    picture = shop.pass_of(sale)
    clock.tick(minutes=2)
    with pytest.raises(door.PassStale):
        shop.check(picture)
    assert (outcomes(), uses()) == (["pass_stale"], 0)
    assert shop.check(shop.pass_of(sale)).id == sale


def test_what_was_seen_in_time_may_be_decided_a_little_later(shop: DoorShop, clock: Clock) -> None:
    text, seen_at = shop.pass_of(shop.buy()), clock.now
    clock.tick(minutes=3)
    assert shop.check(text, seen_at=seen_at).pieces == 3


def test_a_pass_of_another_shop_names_it(shop: DoorShop) -> None:
    sale = shop.buy(at=shop.mill)
    text = shop.pass_of(sale, place=shop.mill)
    with pytest.raises(door.PassElsewhere) as refusal:
        shop.check(text)
    assert refusal.value.data == {"place": "Mill Street"}
    assert uses() == 0
    assert shop.check(text, place=shop.mill).id == sale


def test_goods_whose_money_went_back_stay(shop: DoorShop) -> None:
    sale = shop.buy()
    sales.refund(sale, made_by=shop.staff)
    with pytest.raises(door.PassRefunded):
        shop.check(shop.pass_of(sale))
    assert (outcomes(), uses()) == (["pass_refunded"], 0)


def test_a_made_up_pass_and_a_sale_that_never_was_look_the_same(shop: DoorShop) -> None:
    sale = shop.buy()
    real = shop.pass_of(sale)
    never = shop.pass_of(ids.new())
    for text in (real[:-1] + ("0" if real[-1] != "0" else "1"), never, "4006381333931"):
        with pytest.raises(door.PassInvalid) as refusal:
            shop.check(text)
        assert refusal.value.receipt is None
        assert refusal.value.data == {}
    assert (outcomes(), uses()) == (["pass_invalid"] * 3, 0)


def test_a_sale_of_another_visit_is_for_a_person_to_decide(shop: DoorShop, clock: Clock) -> None:
    sale = shop.buy()
    clock.tick(hours=5)
    with pytest.raises(door.PassOld):
        shop.check(shop.pass_of(sale))
    assert uses() == 0
    assert shop.check(shop.pass_of(sale), although_old=True).id == sale
    clock.tick(seconds=1)
    with pytest.raises(door.PassUsed):
        shop.check(shop.pass_of(sale), although_old=True)
    assert outcomes() == ["pass_old", "accepted", "pass_used"]


def test_the_first_reason_is_the_one_that_is_told(shop: DoorShop, clock: Clock) -> None:
    """PassInvalid, PassStale, PassElsewhere, PassRefunded, PassUsed, PassOld."""
    sale = shop.buy(at=shop.mill)
    shop.check(shop.pass_of(sale, place=shop.mill), place=shop.mill)
    stale = shop.pass_of(sale, place=shop.mill)
    clock.tick(hours=5)
    live = shop.pass_of(sale, place=shop.mill)
    with pytest.raises(door.PassInvalid):
        shop.check(shop.pass_of(sale))
    with pytest.raises(door.PassStale):
        shop.check(stale)
    with pytest.raises(door.PassElsewhere):
        shop.check(live)
    with pytest.raises(door.PassUsed):
        shop.check(live, place=shop.mill)
    sales.refund(sale, made_by=shop.staff)
    with pytest.raises(door.PassRefunded):
        shop.check(live, place=shop.mill)


def test_the_history_of_a_place_is_its_own_and_newest_first(shop: DoorShop, clock: Clock) -> None:
    sale = shop.buy()
    shop.check(shop.pass_of(sale))
    clock.tick(seconds=5)
    with pytest.raises(door.PassUsed):
        shop.check(shop.pass_of(sale), staff=shop.colleague)
    noted = checks.history(shop.main)
    assert [(each.sale_id, each.outcome, each.by) for each in noted] == [
        (sale, "pass_used", "Jun"), (sale, "accepted", "Mei"),
    ]  # fmt: skip
    assert checks.history(shop.mill) == []
    assert checks.tally(shop.main, clock.now - timedelta(hours=1)) == (1, 1)
    assert checks.tally(shop.main, clock.now) == (0, 1)
