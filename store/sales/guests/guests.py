"""Guests: people who buy without an account, and how their receipts are found again.

A guest is a device: a secret in its cookie, whose digest is kept. What was bought there is in
nobody's name. Its receipt opens on that device, or by its link: an authentication code under the
shop's key, which nobody can guess. Both open nothing any more once the sale is somebody's.
"""

from __future__ import annotations

from sqlalchemy import select

from ... import clock, ids, post
from ...db import (
    db,
    insert_new,
    repeatable,
    transaction,
)
from ..models import Sale
from .guest_models import Guest, GuestMail

__all__ = ["LETTER", "enter", "is_open_to", "known", "link_key", "paid_with", "send_receipt"]

LETTER = "guest_receipt"


def known(secret: str | None) -> int | None:
    """The guest whose device has this secret, if it has paid here."""
    if secret is None:
        return None
    return db.session.scalar(select(Guest.id).where(Guest.digest == ids.digest(secret)))


@repeatable
def enter(secret: str) -> int:
    """Opener: the same, written down where it is the first time."""
    with transaction() as session:
        row = {"digest": ids.digest(secret), "made_at": clock.now()}
        session.execute(insert_new(Guest).values(**row))
        return session.scalars(select(Guest.id).where(Guest.digest == row["digest"])).one()


def link_key(key: bytes, sale_id: str) -> str:
    """What the link to a guest's receipt has in it: 130 bits under the shop's key."""
    return ids.mac(key, "guest-receipt", sale_id, length=26)


def is_open_to(sale_id: str, secret: str | None, said: str, key: bytes) -> bool:
    """Whether a sale is a guest's, in nobody's name yet, and was bought on the device with this
    secret, or `said` is what its link has in it."""
    by_link = bool(said) and ids.same(said, link_key(key, sale_id))
    if not by_link and secret is None:
        return False
    free = (Sale.id == sale_id, Sale.member_id.is_(None), Sale.guest_id.is_not(None))
    guest_id = db.session.scalar(select(Sale.guest_id).where(*free))
    return guest_id is not None and (by_link or known(secret) == guest_id)


def paid_with(guest_id: int, key: str) -> str | None:
    """The sale that this key already made for the guest, if any."""
    query = select(Sale.id).where(Sale.guest_id == guest_id, Sale.key == key)
    return db.session.scalar(query)


@repeatable
def send_receipt(sale_id: str, to: str, language: str) -> bool:
    """Opener: the receipt's link goes to an address that anybody may have typed, once. Whoever
    proves it may claim the sale. False where it went there before."""
    with transaction() as session:
        new = insert_new(GuestMail).values(sale_id=sale_id, value=to, at=clock.now())
        if session.execute(new.returning(GuestMail.sale_id)).first() is None:
            return False
        post.put(LETTER, sale_id, to, language)
        return True
