"""A sale is given back once, however many of the staff press the button at the same moment."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, update

from store import clock, payment, sales, stock
from store.db import db, repeatable, transaction
from store.sales.models import Sale, SaleLine
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
        payment.deposit(sale.member_id, sale.total_minor, sale.currency, "takings")
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
