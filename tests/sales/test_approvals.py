"""Refunds above a limit: what one person asks for, another approves."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from store import ids, payment, sales
from store.db import transaction
from store.errors import NotFound
from store.sales.orders import fulfilment
from store.sales.refunds import approvals, refund_limits
from store.sales.refunds.approvals import Wanted
from store.sales.returns import hand_ins, returns
from tests.sales.test_returns import hand_in
from tests.world import World


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"REFUND_APPROVAL_ABOVE": "20"}


def asked(sale_id: str, by: int, many: int | None, key: str = "") -> str:
    """Ask for a refund of so many units; answers the request's id."""
    parts = None if many is None else [sales.Part(1, many)]
    wanted = Wanted(sale_id, by, key or ids.new(), "sour", parts)
    with pytest.raises(refund_limits.ApprovalNeeded) as needed, approvals.asking(wanted):
        sales.refund(sale_id, made_by=by, reason="sour", parts=parts)
    return str(needed.value.data["request"])


@pytest.mark.usefixtures("context")
def test_what_one_person_asks_for_another_approves_once(world: World) -> None:
    lin, sam, kim = world.member(funds="100"), world.staff(), world.staff()
    milk = world.item(price="10", on_hand=10)
    sale = world.buy(lin, (milk, 6))
    # Small ones count together: at the limit it is carried out, above it waits.
    sales.refund(sale.id, made_by=sam.id, parts=[sales.Part(1, 1)])
    sales.refund(sale.id, made_by=sam.id, parts=[sales.Part(1, 1)])
    one = asked(sale.id, sam.id, 1, key="the-same-key")
    assert asked(sale.id, sam.id, 1, key="the-same-key") == one
    with pytest.raises(payment.KeyReused):
        asked(sale.id, sam.id, 2, key="the-same-key")
    with pytest.raises(approvals.RefundWaits):
        asked(sale.id, kim.id, 3)
    assert (world.balance(lin), world.left(milk)) == (6000, 6)
    # Whoever asked decides nothing; nor does the table let them.
    with pytest.raises(approvals.OwnRequest):
        approvals.approve(one, decided_by=sam.id)
    with pytest.raises(approvals.OwnRequest):
        approvals.refuse(one, decided_by=sam.id, reason="no")
    approvals.approve(one, decided_by=kim.id, reason="I saw it")
    assert (world.balance(lin), world.left(milk)) == (7000, 7)
    for again in (approvals.approve, approvals.refuse):
        with pytest.raises(approvals.RequestOver) as over:
            again(one, decided_by=kim.id, reason="twice")
        assert over.value.data["state"] == "approved"
    with pytest.raises(approvals.RequestOver):
        asked(sale.id, sam.id, 1, key="the-same-key")
    # Refused, withdrawn, and what cannot go back any more: nothing moves, and the request is over.
    two = asked(sale.id, sam.id, None)
    approvals.refuse(two, decided_by=kim.id, reason="not damaged")
    three = asked(sale.id, sam.id, 1)
    with pytest.raises(NotFound):
        approvals.withdraw(three, asked_by=kim.id)
    approvals.withdraw(three, asked_by=sam.id)
    four = asked(sale.id, sam.id, 3)
    sales.refund(sale.id, made_by=kim.id, parts=[sales.Part(1, 2)])
    with pytest.raises(sales.NotSoManyLeft):
        approvals.approve(four, decided_by=kim.id)
    assert [one.state for one in approvals.decided_lately()] == [
        "refused", "withdrawn", "refused", "approved",
    ]  # fmt: skip
    assert (world.balance(lin), approvals.waiting(), world.faults()) == (9000, [], [])


@pytest.mark.usefixtures("context")
def test_goods_that_are_handed_in_wait_with_what_was_decided(world: World) -> None:
    lin, sam, kim = world.member(funds="200"), world.staff(), world.staff()
    milk = world.item(price="10", on_hand=10)
    sale = world.buy(lin, (milk, 6))
    made = returns.declare(
        lin.id, returns.Wish(sale.id, [sales.Part(1, 4)], "shop", "Damaged", ids.new())
    )
    given = hand_in(sale, world.location, sam, hand_ins.Decision(1, 3, "resell"),
                    hand_ins.Decision(1, 1, "scrap"), return_id=made)  # fmt: skip
    with (
        pytest.raises(refund_limits.ApprovalNeeded) as needed,
        approvals.asking(approvals.handed_in(given)),
    ):
        hand_ins.hand_in(given)
    assert (world.balance(lin), world.left(milk)) == (14000, 4)
    approvals.approve(needed.value.data["request"], decided_by=kim.id)
    assert (world.balance(lin), world.left(milk)) == (18000, 7)
    # An exchange takes other goods at once, so it cannot wait, and is refused whole.
    kept = world.buy(lin, (milk, 3))
    tea = world.item("tea", price="15", on_hand=3)
    swap = hand_in(kept, world.location, sam, hand_ins.Decision(1, 3, "resell"))
    with pytest.raises(refund_limits.ApprovalNeeded):
        hand_ins.exchange(swap, (sales.Line(tea.id, 1),))
    assert (world.left(tea), approvals.many_waiting(), world.faults()) == (3, 0, [])
    # The audit sees what nobody approved.
    with transaction() as session:
        session.execute(
            text("UPDATE refund_requests SET decided_by = asked_by, asked_by = decided_by")
        )
    assert any("refunds_without_second_person" in fault for fault in world.faults())


@pytest.mark.usefixtures("context")
def test_what_changed_meanwhile_is_not_paid_and_an_owner_alone_does_not_wait(world: World) -> None:
    lin, olga = world.member(funds="100"), world.owner()
    milk = world.item(price="10", on_hand=20)
    alone = world.buy(lin, (milk, 3))
    sales.refund(alone.id, made_by=olga.id)
    assert world.balance(lin) == 10000
    sam = world.staff()
    sale = world.buy(lin, (milk, 6))
    everything = asked(sale.id, olga.id, None)
    sales.refund(sale.id, made_by=sam.id, parts=[sales.Part(1, 1)])
    with pytest.raises(approvals.RefundChanged):
        approvals.approve(everything, decided_by=sam.id)
    assert (world.balance(lin), approvals.many_waiting()) == (5000, 0)
    # The shopper's own cancellation is not staff's.
    order = world.order(lin, (milk, 4), place=world.location)
    fulfilment.cancel(order.id, made_by=lin.id, member_id=lin.id)
    assert (world.balance(lin), world.faults()) == (5000, [])


def test_the_desk_says_what_waits_and_a_colleague_decides(world: World, app: Flask) -> None:
    lin, sam, olga = world.member(funds="100"), world.staff(), world.owner()
    milk = world.item(price="10", on_hand=10)
    sale, desk = world.buy(lin, (milk, 5)), world.client_for(sam)
    page = desk.get(f"/desk/sales/{sale.id}").text
    assert "Above ¥20.00 for one sale a colleague must approve it." in page
    key = re.findall(r'name="key" value="([^"]+)"', page)[0]
    form = {"quantity-1": "3", "reason": "Damaged", "key": key}
    for _ in range(2):
        answer = desk.post(f"/desk/sales/{sale.id}/refunds", form)
        assert (answer.status_code, answer.location) == (303, "/desk/refunds")
    page = desk.get("/desk/refunds").text
    assert "Nothing was given back yet" in page and "Withdraw" in page and "¥30.00" in page
    [request_id] = re.findall(r"/desk/refunds/(\w+)/withdrawals", page)
    assert desk.post(f"/desk/refunds/{request_id}/approvals").status_code == 403
    office = world.client_for(olga)
    assert "Refunds to approve" in office.get("/desk/sales").text
    assert office.post(f"/desk/refunds/{request_id}/refusals", reason=" ").status_code == 422
    assert office.post(f"/desk/refunds/{request_id}/approvals").status_code == 303
    assert office.post(f"/desk/refunds/{request_id}/approvals").status_code == 409
    assert "approved" in desk.get("/desk/refunds").text
    # Handed in, and exchanged.
    give = {"at": "MAIN", "key": ids.new(), "resell-1": "2"}
    assert desk.post(f"/desk/returns/{sale.id}", give).status_code == 303
    sale = world.buy(lin, (milk, 5))
    give = {"at": "MAIN", "key": ids.new(), "resell-1": "4"}
    swapped = desk.post(f"/desk/returns/{sale.id}", give | {"take": milk.code})
    assert swapped.status_code == 409 and "without an exchange" in swapped.text
    assert desk.post(f"/desk/returns/{sale.id}", give).location == "/desk/refunds"
    assert "The goods lie aside" in office.get("/desk/refunds").text
    [request_id] = re.findall(r"/desk/refunds/(\w+)/refusals", office.get("/desk/refunds").text)
    assert office.post(f"/desk/refunds/{request_id}/refusals", reason="Used").status_code == 303
    assert "Used" in desk.get("/desk/refunds").text
    assert (world.balance(lin), world.faults()) == (5000, [])
