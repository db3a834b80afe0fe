"""Which providers a page offers to this visitor's browser."""

from __future__ import annotations

from flask import current_app, request

from .. import identity, web
from ..errors import NotFound
from .blueprint import blueprint
from .gateways import Gateway
from .gateways.bank import NAME as BANK
from .gateways.bank import Bank
from .gateways.offered import offered, set_up
from .models import Attempt

__all__ = ["gateway_named", "gateway_of", "offered_here", "pays_outside"]


@blueprint.app_template_global()
def pays_outside() -> bool:
    """Whether there is anything but the account to pay with, at once."""
    return any(name != BANK for name in set_up(current_app.config))


def offered_here(total_minor: int, channel: str = "shelf") -> list[Gateway]:
    """Those with which so much can be paid from this browser."""
    agent = request.headers.get("User-Agent", "")
    return offered(
        current_app.config, amount_minor=total_minor, currency=web.setting("CURRENCY"),
        agent=agent, channel=channel, payer=identity.payer(),
    )  # fmt: skip


def gateway_named(name: str) -> Gateway:
    """Raises NotFound."""
    found = set_up(current_app.config).get(name)
    if found is None:
        raise NotFound("This shop has no such way of paying")
    return found


def gateway_of(mine: Attempt) -> Gateway:
    """Of what was begun; a transfer can be given up where the shop takes none any more."""
    return Bank("", "") if mine.gateway == BANK else gateway_named(mine.gateway)
