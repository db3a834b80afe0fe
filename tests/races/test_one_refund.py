"""A sale, and each unit of it, is given back once, however many of the staff press the button at
the same moment."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, update

from store import clock, ids, payment, sales, stock
from store.db import db, repeatable, transaction
from store.sales.models import Sale, SaleLine
from store.sales.refunds import refunds
from tests.live import Start
from tests.races.crowd import answers, at_once, inside, phones, words
from tests.world import Somebody, World

STAFF, ROUNDS = 8, 15


@repeatable
def careless_refund(sale_id: str) -> None:
    """It looks whether the sale was given back, and then gives it back."""
    sale = db.session.get_one(Sale, sale_id)
    if sale.state == "refunded":
        raise sales.NotRefundable(state=sale.state)
    with transaction() as session:
        payment.deposit(sale.member_id or 0, sale.total_minor, sale.currency, "takings")
        lines = session.execute(select(SaleLine).where(SaleLine.sale_id == sale_id)).scalars()
        stock.put_back(
            [stock.Want(one.item_id, sale.location_id, one.quantity, sale_id) for one in lines],
            clock.now(),
        )
        session.execute(update(Sale).where(Sale.id == sale_id).values(state="refunded"))


def test_a_careless_refund_gives_back_twice(world: World, app: Flask) -> None:
    lin, milk = world.member(funds="1000"), world.item(on_hand=100)
    for _ in range(60):
        sale = world.buy(lin, milk)
        before = world.balance(lin)
        outcomes = at_once([inside(app, lambda: careless_refund(sale.id))] * STAFF)  # noqa: B023
        assert {repr(one) for one in outcomes} <= {
            "None",
            "NotRefundable('This sale was refunded already')",
        }
        if world.balance(lin) - before > sale.total_minor:
            assert world.faults() != []
            return
    pytest.fail("no race was seen, so the tests below prove nothing")


def refund_at_once(world: World, app: Flask, by: Somebody) -> None:
    lin, milk = world.member(funds="100"), world.item(on_hand=5)
    for _ in range(ROUNDS):
        sale = world.buy(lin, (milk, 2))
        jobs = [inside(app, lambda: sales.refund(sale.id, made_by=by.id))] * STAFF  # noqa: B023
        outcomes = at_once(jobs)
        refused = [one for one in outcomes if not isinstance(one, str)]
        assert words(refused) == {"not_refundable": STAFF - 1}
        assert (world.balance(lin), world.left(milk)) == (10_000, 5)
    assert world.faults() == []


def test_a_sale_is_given_back_once(world: World, app: Flask) -> None:
    refund_at_once(world, app, world.staff())


def parts_at_once(world: World, app: Flask, rounds: int) -> int:
    """Eight of the staff give one unit of five back; answers how many rounds went wrong."""
    lin, milk, sam = (
        world.member(funds="1000"),
        world.item(price="0.33", on_hand=900),
        world.staff(),
    )
    wrong = 0
    for _ in range(rounds):
        sale = world.buy(lin, (milk, 5))
        one = [refunds.Part(1, 1)]
        jobs = [inside(app, lambda: sales.refund(sale.id, made_by=sam.id, parts=one))] * STAFF  # noqa: B023
        outcomes = at_once(jobs)
        with app.app_context():
            after = sales.receipt(sale.id)
        assert after is not None
        given = sum(isinstance(one, str) for one in outcomes)
        wrong += given != 5 or after.refunded_minor != sale.total_minor
        if wrong:
            return wrong
        refused = words([one for one in outcomes if not isinstance(one, str)])
        assert set(refused) <= {"not_refundable", "not_so_many_left"}
    return wrong


def test_each_unit_is_given_back_once(world: World, app: Flask) -> None:
    assert parts_at_once(world, app, ROUNDS) == 0
    assert world.faults() == []


def test_without_the_guards_units_are_given_back_again(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The careless refund counts units in one moment and writes in another, and looks at nothing
    that it writes."""

    @repeatable
    def careless(sale_id: str, *, made_by: int, parts: list[refunds.Part]) -> str:
        line = db.session.get_one(SaleLine, (sale_id, 1))
        if line.quantity_refunded >= line.quantity:
            raise sales.NotRefundable()
        before, unit = line.quantity_refunded, line.total_minor // line.quantity
        with transaction() as session:
            where = (SaleLine.sale_id == sale_id, SaleLine.position == 1)
            session.execute(update(SaleLine).where(*where).values(quantity_refunded=before + 1))
            given = refunds.Given(1, line.item_id, 1, unit, 0)
            refund_id = ids.new()
            refunds._write(refund_id, sale_id, [given], made_by, "", clock.now())
            session.execute(update(Sale).where(Sale.id == sale_id).values(state="part_refunded"))
        return refund_id

    monkeypatch.setattr(sales, "refund", careless)
    assert parts_at_once(world, app, 60) > 0, "no race was seen, so the test above proves nothing"
    assert world.faults() != []


def test_the_ledger_itself_gives_no_more_back_than_was_charged(world: World, app: Flask) -> None:
    """Whatever the till counts: eight refunds of a third each, side by side."""
    lin, milk = world.member(funds="1000"), world.item(price="3", on_hand=900)

    @repeatable
    def third(sale_id: str) -> None:
        with transaction():
            payment.refund(sale_id, 100)

    for _ in range(5):
        sale, before = world.buy(lin, milk), world.balance(lin)
        outcomes = at_once([inside(app, lambda: third(sale.id))] * STAFF)  # noqa: B023
        assert words(outcomes) == {"None": 3, "refund_too_large": STAFF - 3}
        assert world.balance(lin) == before + 300


def test_a_sale_is_given_back_once_over_two_processes(world: World, live_server: Start) -> None:
    lin, milk, sam = world.member(funds="100"), world.item(on_hand=5), world.staff()
    server = live_server(WORKERS=2)
    with phones(world, server, [sam] * STAFF) as hands:
        for number in range(ROUNDS):
            sale = world.buy(lin, (milk, 2))
            path = f"/sales/{sale.id}/refunds"
            jobs = [
                lambda phone=phone, at=at: phone.call("POST", path, {}, f"{number}-{at}")  # noqa: B023
                for at, phone in enumerate(hands)
            ]
            assert answers(at_once(jobs)) == {"sold": 1, "not_refundable": STAFF - 1}
            assert (world.balance(lin), world.left(milk)) == (10_000, 5)
    assert world.faults() == []
