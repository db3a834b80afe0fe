"""Makers of offers and coupons for tests."""

from __future__ import annotations

from typing import Any

from store.db import transaction
from store.membership import offers
from tests.world import World


def offer(world: World, kind: str, value: int, pays: int | None = None, **more: Any) -> int:
    """An offer from now on; answers its id. Inside an application context."""
    with transaction():
        return offers.add(offers.Wanted(kind, value, world.currency, pays, **more), made_by=None)


def coupon(
    world: World, kind: str, value: int, code: str = "TEN-OFF", uses: int | None = None, **more: Any
) -> int:
    """An offer that is had with this code; answers the offer's id."""
    made = offer(world, kind, value, by_code=True, **more)
    with transaction():
        offers.add_codes(made, code=code, most_uses=uses)
    return made


def end(offer_id: int) -> None:
    with transaction():
        offers.end(offer_id, by=None)
