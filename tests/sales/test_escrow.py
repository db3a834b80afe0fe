"""Held money: an order's money is the shop's when its shopper has it, once, whoever says so first;
and the owner decides where they are not content."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from store import delivery, sales
from store.db import db, transaction
from store.payment import escrow
from store.payment.commands import settle_pending
from store.payment.models import Account, Transfer
from store.sales.orders import couriers, fulfilment, receiving
from tests.conftest import Clock
from tests.world import Somebody, Thing, World

EVERY_EVENT = sorted({event for _, event in escrow.TRANSITIONS})
STATES = (*escrow.HELD, "released", "returned")


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"ESCROW_DAYS": 7, "CASH_ON_DELIVERY": "500", "SIMULATED_GATEWAY": True}


@pytest.fixture
def lin(world: World) -> Somebody:
    world.zone((5000, "6"))
    return world.member(funds="100")


@pytest.fixture
def milk(world: World) -> Thing:
    return world.item(price="12.50", on_hand=10)


def account(world: World, name: str) -> int:
    """What an account of the shop holds: what came in less what went out."""
    with world.app.app_context():
        found = db.session.scalar(select(Account.id).where(Account.code == f"{name}:CNY"))
        total = func.coalesce(func.sum(Transfer.amount_minor), 0)
        came = db.session.scalar(select(total).where(Transfer.credit_id == found))
        return int(came or 0) - int(
            db.session.scalar(select(total).where(Transfer.debit_id == found)) or 0
        )


def state(world: World, sale: sales.Receipt) -> tuple[str, int]:
    with world.app.app_context():
        found = escrow.find(sale.id)
        assert found is not None
        return found.state, found.held_minor


def goes(world: World, sale: sales.Receipt, *events: str) -> None:
    """The first shipment of the order takes these steps."""
    with world.app.app_context():
        parcel = delivery.of_sale(sale.id)[0]
        for event in events:
            fulfilment.step(parcel.id, event, made_by=1, carrier="SF", tracking="1")
        db.session.rollback()


def arrives(world: World, sale: sales.Receipt) -> None:
    goes(world, sale, "pick", "pack", "ship", "deliver")


def test_the_table_of_states(world: World) -> None:
    """Cell by cell: what is not in the table changes nothing, and nothing leaves `released`."""
    cells = {(one, event): escrow.TRANSITIONS.get((one, event)) for one in STATES
             for event in EVERY_EVENT}  # fmt: skip
    assert {one for one, _ in escrow.TRANSITIONS} == {"waiting", "arrived", "disputed", "returned"}
    assert sum(to == "released" for to in cells.values()) == 4
    assert all(cells["released", event] is None for event in EVERY_EVENT)
    assert [event for event in EVERY_EVENT if cells["disputed", event]] == ["decide", "empty"]


def test_it_is_held_until_the_shopper_has_it(world: World, lin: Somebody, milk: Thing) -> None:
    sale = world.order(lin, (milk, 2))
    assert (account(world, "takings"), account(world, "escrow")) == (0, 3100)
    page = world.client_for(lin)
    assert "We hold ¥31.00 until you have your order" in page.get(f"/sales/{sale.id}").text
    assert page.post(f"/sales/{sale.id}/received").status_code == 409  # It has not left.
    arrives(world, sale)
    assert state(world, sale) == ("arrived", 3100)
    for _ in range(2):
        assert page.post(f"/sales/{sale.id}/received").status_code == 303
    assert state(world, sale) == ("released", 0)
    assert (account(world, "takings"), account(world, "escrow")) == (3100, 0)
    assert "With the shop" in page.get(f"/sales/{sale.id}").text
    assert world.faults() == []


def test_the_timer_releases_what_nobody_said_anything_about(
    clock: Clock, world: World, lin: Somebody, milk: Thing
) -> None:
    sale, other = world.order(lin, milk), world.order(lin, milk)
    arrives(world, sale)
    clock.tick(days=6)
    arrives(world, other)
    with world.app.app_context():
        settle_pending()
        clock.tick(days=2)
        assert escrow.held_of([sale.id, other.id, "none"]) == {sale.id: 1850, other.id: 1850}
        assert [escrow.release_due() for _ in range(2)] == [1, 0]
        assert escrow.held_of([sale.id, other.id]) == {other.id: 1850}
    assert state(world, sale) == ("released", 0)
    assert world.faults() == []


def test_the_code_at_the_counter_releases_it(world: World, lin: Somebody, milk: Thing) -> None:
    sale = world.order(lin, milk, place=world.location)
    goes(world, sale, "pick", "pack")
    with world.app.app_context():
        [parcel] = delivery.of_sale(sale.id)
        fulfilment.hand_over(world.location, parcel.code, made_by=1)
    assert state(world, sale) == ("released", 0)
    assert world.faults() == []


def test_what_is_refunded_meanwhile_comes_out_of_it(
    world: World, lin: Somebody, milk: Thing
) -> None:
    sale, gone = world.order(lin, (milk, 2)), world.order(lin, milk)
    with world.app.app_context():
        fulfilment.cancel(gone.id, made_by=lin.id)
    assert state(world, gone) == ("returned", 0)
    arrives(world, sale)
    world_refund = sales.Part(1, 1)
    with world.app.app_context():
        sales.refund(sale.id, made_by=lin.id, parts=[world_refund])
    assert state(world, sale) == ("arrived", 1850)
    assert (account(world, "escrow"), account(world, "takings")) == (1850, 0)
    with world.app.app_context():
        receiving.received(sale.id, lin.id)
        sales.refund(sale.id, made_by=lin.id, parts=[world_refund])
    assert (account(world, "escrow"), account(world, "takings")) == (0, 600)
    assert world.faults() == []


def test_cash_of_the_courier_is_held_when_it_is_booked(
    clock: Clock, world: World, lin: Somebody, milk: Thing
) -> None:
    sale = world.order(lin, milk, means="delivery")
    assert account(world, "escrow") == 0
    arrives(world, sale)
    assert state(world, sale) == ("arrived", 1850)
    with world.app.app_context():
        sales.refund(sale.id, made_by=lin.id, parts=[sales.Part(1, 1)])
        assert [one.amount_minor for one in couriers.owed()] == [1850]
    assert state(world, sale) == ("arrived", 600)
    assert world.balance(lin) == 10_000 + 1250
    clock.tick(days=8)
    with world.app.app_context():
        assert escrow.release_due() == 1
    assert world.faults() == []


def complains(world: World, lin: Somebody, sale: sales.Receipt, **form: Any) -> int:
    said = {"reason": "It is broken", "line": "1", **form}
    return world.client_for(lin).post(f"/sales/{sale.id}/complaints", said).status_code


def test_the_owner_decides_about_a_complaint_and_both_are_told(
    clock: Clock, world: World, lin: Somebody, milk: Thing
) -> None:
    sale, yu = world.order(lin, (milk, 2)), world.owner()
    assert complains(world, lin, sale) == 409  # What has not left is cancelled.
    arrives(world, sale)
    assert complains(world, lin, sale, reason="  ") == 422
    assert complains(world, lin, sale, line="7") == 422
    assert complains(world, world.member(), sale) == 404
    assert complains(world, lin, sale) == 303
    assert complains(world, lin, sale) == 409
    clock.tick(days=30)
    with world.app.app_context():
        assert escrow.release_due() == 0  # It waits for the decision.
    owner = world.client_for(yu)
    page = owner.get("/owner/held").text
    assert "It is broken" in page and f'action="/owner/held/{sale.id}/decisions"' in page
    path = f"/owner/held/{sale.id}/decisions"
    assert owner.post(path, {"decision": "refund", "note": "Sorry"}).status_code == 422
    assert owner.post(path, {"decision": "refund", "quantity-1": "1"}).status_code == 422
    said = {"decision": "refund", "quantity-1": "1", "note": "Sorry, keep it"}
    assert owner.post(path, said | {"quantity-1": "3"}).status_code == 409
    assert state(world, sale) == ("disputed", 3100)
    assert owner.post(path, said).status_code == 303
    assert owner.post(path, said).status_code == 409
    assert state(world, sale) == ("released", 0)
    assert (world.balance(lin), account(world, "takings")) == (10_000 - 1850, 1850)
    assert world.left(milk) == 8  # The shopper keeps it.
    receipt = world.client_for(lin).get(f"/sales/{sale.id}").text
    assert "The shop gives money back." in receipt and "Sorry, keep it" in receipt
    assert "Sorry, keep it" in owner.get("/owner/held").text
    assert world.faults() == []


@pytest.mark.parametrize("decision", ["release", "refund_all"])
def test_nothing_or_all_of_it_goes_back(
    world: World, lin: Somebody, milk: Thing, decision: str
) -> None:
    sale, yu = world.order(lin, milk), world.owner()
    arrives(world, sale)
    complains(world, lin, sale)
    form = {"decision": decision, "note": "We looked at it"}
    assert world.client_for(yu).post(f"/owner/held/{sale.id}/decisions", form).status_code == 303
    if decision == "release":
        assert (state(world, sale), world.balance(lin)) == (("released", 0), 8150)
    else:
        assert (state(world, sale), world.balance(lin)) == (("returned", 0), 10_000)
    assert world.faults() == []


def test_what_comes_back_whole_needs_no_decision(world: World, lin: Somebody, milk: Thing) -> None:
    sale = world.order(lin, milk)
    arrives(world, sale)
    complains(world, lin, sale)
    with world.app.app_context():
        sales.refund(sale.id, made_by=lin.id)
        assert escrow.waiting() == []
    assert state(world, sale) == ("returned", 0)
    assert world.faults() == []


def test_where_the_owner_wants_none_nothing_is_held(
    world: World, lin: Somebody, milk: Thing
) -> None:
    world.app.config["ESCROW_DAYS"] = 0
    sale = world.order(lin, milk)
    with world.app.app_context():
        assert escrow.find(sale.id) is None
    assert "Your money" not in world.client_for(lin).get(f"/sales/{sale.id}").text
    assert account(world, "takings") == 1850


def test_who_switches_it_off_releases_the_rest_on_arrival(
    world: World, lin: Somebody, milk: Thing
) -> None:
    sale = world.order(lin, milk)
    world.app.config["ESCROW_DAYS"] = 0
    arrives(world, sale)
    with world.app.app_context():
        assert escrow.release_due() == 1
    assert state(world, sale) == ("released", 0)


def test_a_refusal_leaves_nothing_behind(world: World, lin: Somebody, milk: Thing) -> None:
    with world.app.app_context():
        for _ in range(2):
            with pytest.raises(escrow.EscrowOver), transaction():
                escrow.complain("nothing", "It is broken", [])
    sale = world.buy(lin, milk)
    page = world.client_for(lin)
    assert page.post(f"/sales/{sale.id}/received").status_code == 409
    assert complains(world, lin, sale) == 409
    assert re.search("not held any more", page.post(f"/sales/{sale.id}/received").text)
    assert world.faults() == []
