"""Orders of a seller's goods: what is held for the shopper is settled when it is released, and what
the owner gives back is the seller's no more."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from store import delivery, sales
from store.db import connection
from store.payment import escrow
from store.sales.orders import fulfilment, receiving
from store.sellers import settling
from store.sellers.models import Settlement
from tests.conftest import Clock
from tests.sellers.counter import give_to, seller
from tests.world import World

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"ESCROW_DAYS": 7}


def settled() -> list[int]:
    """The share of every settlement."""
    query = select(Settlement.share_minor).order_by(Settlement.number)
    return list(connection().execute(query).scalars())


def arrives(sale: sales.Receipt) -> None:
    [parcel] = delivery.of_sale(sale.id)
    for event in ("pick", "pack", "ship", "deliver"):
        fulfilment.step(parcel.id, event, made_by=1, carrier="SF", tracking="1")


def test_an_order_is_settled_when_its_money_is_released(world: World, clock: Clock) -> None:
    world.zone((5000, "6"))
    lin, yu = world.member(funds="500"), world.owner()
    lamp = world.item(price="10.00", on_hand=10)
    give_to(seller(commission_bp=2000), lamp)
    clock.tick(minutes=1)
    content, complains = world.order(lin, lamp), world.order(lin, (lamp, 3))
    clock.tick(days=2)
    assert settling.settle() == []  # It has not even arrived.
    for sale in (content, complains):
        arrives(sale)
    receiving.complain(complains.id, lin.id, "One does not shine", [1])
    clock.tick(days=8)
    assert settling.settle() == []  # The timer's worker has not come by yet.
    assert escrow.release_due() == 1
    settling.settle()
    assert settled() == [800]
    receiving.decide(
        complains.id, "refund", made_by=yu.id, note="Keep it", parts=[sales.Part(1, 1)]
    )
    clock.tick(days=2)
    settling.settle()
    assert settled() == [800, 1600]
    assert world.faults() == []
