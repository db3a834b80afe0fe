"""Denials: a guest's receipt went to an address, and who reads it says that the purchase is not
theirs.

Anybody may type any address. The letter has a link of its own, bound to the sale and the address;
what is said by it stands: the sale never comes into the account of whoever has proven this address,
by whatever way. It stays nobody's, or whose it is.
"""

from __future__ import annotations

from sqlalchemy import Select, select, update

from ... import clock, ids
from ...db import (
    connection,
    in_transaction,
    repeatable,
    transaction,
)
from ..models import Sale
from .guest_models import GuestMail

__all__ = ["address_of", "denied_at", "deny", "hold", "key_of"]


def key_of(key: bytes, sale_id: str, address: str) -> str:
    """What the letter's link has in it: 130 bits under the shop's key."""
    return ids.mac(key, "not-mine", sale_id, address, length=26)


def address_of(sale_id: str, said: str, key: bytes) -> str | None:
    """The address to which the letter with this link went; None where no letter had it."""
    query = select(GuestMail.value).where(GuestMail.sale_id == sale_id[:20])
    sent = connection().execute(query).scalars()
    return next((each for each in sent if ids.same(said, key_of(key, sale_id, each))), None)


@repeatable
def deny(sale_id: str, address: str) -> None:
    """Opener: who reads this address says that the purchase is not theirs. Again changes nothing.
    A claim at the same moment is before, or sees it."""
    with transaction() as session:
        hold(sale_id)
        session.execute(
            update(GuestMail)
            .where(
                GuestMail.sale_id == sale_id, GuestMail.value == address,
                GuestMail.denied_at.is_(None),
            )
            .values(denied_at=clock.now())
        )  # fmt: skip


def hold(sale_id: str) -> None:
    """Joiner: nobody claims or denies this sale until the commit but us."""
    query = select(Sale.id).where(Sale.id == sale_id)
    in_transaction().execute(query.with_for_update()).first()


def denied_at(mails: list[str]) -> Select[str]:
    """The sales of which somebody who reads one of these addresses has said that."""
    return select(GuestMail.sale_id).where(
        GuestMail.value.in_(mails), GuestMail.denied_at.is_not(None)
    )
