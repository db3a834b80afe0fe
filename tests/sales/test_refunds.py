"""Refunds: all of a sale, or some units; each unit gives back exactly what was paid for it."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from store import ids, sales
from store.db import db
from store.errors import Invalid, NotFound
from store.sales.models import TRANSITIONS, RefundLine, Sale
from store.sales.refunds.refunds import Part, share
from tests.races.crowd import at_once
from tests.world import World


@given(
    total=st.integers(0, 10**12), quantity=st.integers(1, 9999), cuts=st.lists(st.integers(1, 40))
)
def test_shares_of_an_odd_amount_add_up_whatever_the_order(
    total: int, quantity: int, cuts: list[int]
) -> None:
    before, given_back = 0, 0
    for many in [*cuts, quantity]:
        many = min(many, quantity - before)
        part = share(total, quantity, before, many)
        assert abs(part * quantity - total * many) < quantity  # Less than one coin off.
        before, given_back = before + many, given_back + part
    assert (before, given_back) == (quantity, total)


@pytest.mark.usefixtures("context")
def test_units_go_back_one_by_one_until_nothing_is_left(world: World) -> None:
    lin, sam = world.member(funds="100"), world.staff()
    milk, bread = world.item(price="0.33", tax_rate_bp=1300), world.item("red-apple")
    sale = world.buy(lin, (milk, 3), bread)
    tax = sale.lines[0].tax_minor
    seen = []
    for _ in range(3):
        sales.refund(sale.id, made_by=sam.id, parts=[Part(1, 1)])
        after = sales.receipt(sale.id)
        assert after is not None and after.state == "part_refunded"
        seen.append((after.refunded_minor, after.lines[0].kept, world.left(milk)))
    assert seen == [(33, 2, 8), (66, 1, 9), (99, 0, 10)]
    assert sum(db.session.scalars(select(RefundLine.tax_minor))) == tax
    with pytest.raises(sales.NotSoManyLeft) as refused:
        sales.refund(sale.id, made_by=sam.id, parts=[Part(1, 1)])
    assert refused.value.data == {"position": 1, "left": 0, "asked": 1}
    sales.refund(sale.id, made_by=sam.id)
    assert world.balance(lin) == 10_000
    assert (world.left(milk), world.left(bread)) == (10, 10)
    with pytest.raises(sales.NotRefundable):
        sales.refund(sale.id, made_by=sam.id)
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_what_cannot_be_given_back_is_refused_and_changes_nothing(world: World) -> None:
    sale, sam = world.sale(), world.staff()
    for parts, refusal in (
        ([], Invalid), ([Part(1, 0)], Invalid), ([Part(1, -1)], Invalid), ([Part(2, 1)], Invalid),
        ([Part(0, 1)], Invalid), ([Part(1, 2)], sales.NotSoManyLeft),
        ([Part(1, 2**63)], sales.NotSoManyLeft), ([Part(1, 1), Part(1, 1)], sales.NotSoManyLeft),
    ):  # fmt: skip
        with pytest.raises(refusal):
            sales.refund(sale.id, made_by=sam.id, parts=parts)
    with pytest.raises(NotFound):
        sales.refund("0" * 20, made_by=sam.id)
    assert db.session.get_one(Sale, sale.id).state == "paid"
    assert world.faults() == []


def test_every_cell_of_the_table_of_states() -> None:
    states, events = ("paid", "part_refunded", "refunded"), ("refund_part", "refund_rest")
    assert {
        (state, event): TRANSITIONS.get((state, event)) for state in states for event in events
    } == {
        ("paid", "refund_part"): "part_refunded",
        ("paid", "refund_rest"): "refunded",
        ("part_refunded", "refund_part"): "part_refunded",
        ("part_refunded", "refund_rest"): "refunded",
        ("refunded", "refund_part"): None,
        ("refunded", "refund_rest"): None,
    }


def test_a_form_that_comes_twice_gives_back_once(world: World, app: Flask) -> None:
    """Two taps, a page that is loaded again, an answer that was lost: its units are given once."""
    lin, sam = world.member(funds="100"), world.staff()
    sale = world.buy(lin, (world.item(price="10", on_hand=9), 4))
    desks, path = [world.client_for(sam) for _ in range(4)], f"/desk/sales/{sale.id}"

    def shown() -> dict[str, str]:
        found = re.findall(r'name="(key|refunds)" value="(\w+)"', desks[0].get(path).text)
        return {**dict(found), "quantity-1": "1", "reason": "sour"}

    form = shown()
    assert desks[0].post(f"{path}/refunds", form).status_code == 303
    again = desks[0].post(f"{path}/refunds", form)
    assert again.status_code == 409 and "not_so_many_left" in again.text
    assert world.balance(lin) == 7000
    form = shown()
    taps: list[Any] = [partial(desk.post, f"{path}/refunds", form) for desk in desks]
    answers: list[Any] = at_once(taps)
    assert sorted(one.status_code for one in answers) == [303, 409, 409, 409]
    assert world.balance(lin) == 8000
    # What tells nothing of its page is not held to it: each is a refund of its own.
    for _ in range(2):
        bare = {"quantity-1": "1", "reason": "sour", "key": ids.new()}
        assert desks[0].post(f"{path}/refunds", bare).status_code == 303
    assert world.balance(lin) == 10_000
    assert world.faults() == []


def test_staff_give_back_some_units_by_page_and_by_command(
    world: World, app: Flask, runner: FlaskCliRunner
) -> None:
    lin, sam = world.member(funds="100"), world.staff()
    milk = world.item(price="10", on_hand=10)
    sale = world.buy(lin, (milk, 5))
    desk, path = world.client_for(sam), f"/desk/sales/{sale.id}"
    assert desk.post(f"{path}/refunds", {"quantity-1": "2"}, reason="sour").status_code == 303
    assert (world.balance(lin), world.left(milk)) == (7000, 7)
    page = desk.get(path).text
    assert "Partly refunded" in page and "2 given back" in page and 'max="3"' in page
    assert desk.post(f"{path}/refunds", {"quantity-1": "4"}, reason="x").status_code == 409
    assert desk.post(f"{path}/refunds", {"quantity-1": "0"}, reason="x").status_code == 422
    assert desk.post(f"{path}/refunds", {"quantity-x": "1"}, reason="x").status_code == 422
    for said, code in (("1:1", 0), ("1:9", 1), ("2:1", 1), ("x", 2), ("1", 2)):
        done = runner.invoke(args=["sales", "refund", sale.id, "--by", str(sam.id), "--line", said])
        assert done.exit_code == code, done.output
    assert (world.balance(lin), world.left(milk)) == (8000, 8)
    shopper = world.client_for(lin)
    assert "Given back" in shopper.get(f"/sales/{sale.id}").text
    assert "Partly refunded" in shopper.get("/me/sales").text
    assert world.faults() == []
