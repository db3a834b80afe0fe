"""Claims: what somebody bought as a guest comes into their name, once they have shown who they are.

Three things show that a guest's sale is a member's: the device on which it was bought, an address
of theirs, proven, to which its receipt went, and the link of the receipt. The member is shown
first what they would take over; never what they have said is not theirs (`denials`). A sale is
claimed once, by one person: a guarded statement, with the key of `claims` behind it. What must be
true at once follows in the same transaction (`follows`), the rest from the outbox (`sale.claimed`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from ... import (
    clock,
    identity,
    ids,
    outbox,
)
from ...db import (
    connection,
    in_transaction,
    repeatable,
    transaction,
)
from ...errors import Refusal
from ...payment.naming import give_name
from ..models import Sale
from .denials import denied_at, hold
from .guest_models import Claim, GuestMail

__all__ = ["AT_ONCE", "CLAIMED", "NotProven", "claim", "claimable", "follows"]

CLAIMED = "sale.claimed"
AT_ONCE = 100
"""So many sales are shown and taken over at once; the next ones then."""

Follower = Callable[[Sequence[str], int], None]
_followers: list[Follower] = []


class NotProven(Refusal):
    """The member has shown no address or outside account to be theirs: nothing is taken over."""

    code = "not_proven"
    status = 409
    title = "Please prove your phone number or e-mail address first"


def follows(joiner: Follower) -> Follower:
    """Register a joiner that is called with the sales and the member they now belong to."""
    _followers.append(joiner)
    return joiner


def claimable(member_id: int, guest_id: int | None, linked: str | None = None) -> dict[str, str]:
    """Guests' sales that this member may take over, by what shows that they are theirs; the newest
    first. `guest_id` is the device, `linked` the sale whose link they have."""
    mails = identity.proven_mails(member_id)
    free = (Sale.member_id.is_(None), Sale.guest_id.is_not(None), Sale.id.not_in(denied_at(mails)))
    found: dict[str, str] = {}
    if linked is not None:
        found |= _ids(select(Sale.id).where(*free, Sale.id == linked), "link")
    if mails:
        sent = select(GuestMail.sale_id).where(GuestMail.value.in_(mails))
        found |= _ids(select(Sale.id).where(*free, Sale.id.in_(sent)), "mail")
    if guest_id is not None:
        found |= _ids(select(Sale.id).where(*free, Sale.guest_id == guest_id), "device")
    return {sale: found[sale] for sale in sorted(found, reverse=True)[:AT_ONCE]}


def _ids(query: Any, how: str) -> dict[str, str]:
    rows = connection().execute(query.order_by(Sale.id.desc()).limit(AT_ONCE))
    return {row[0]: how for row in rows}


def claim(
    member_id: int, shown: Collection[str], guest_id: int | None, linked: str | None = None
) -> list[str]:
    """Opener: those of the sales that were shown which are still this member's to take over come
    into their name; answers them. Raises NotProven."""
    if not identity.is_proven(member_id):
        raise NotProven()
    try:
        return _claim(member_id, shown, guest_id, linked)
    except IntegrityError:
        # The member's own sale took the same key in between: decided again.
        return _claim(member_id, shown, guest_id, linked)


@repeatable
def _claim(
    member_id: int, shown: Collection[str], guest_id: int | None, linked: str | None
) -> list[str]:
    with transaction():
        found = claimable(member_id, guest_id, linked)
        taken = [sale for sale in sorted(found) if sale in shown and _take(sale, member_id)]
        if taken:
            _write_down(taken, member_id, found)
            give_name(taken, member_id)
            for follower in _followers:
                follower(taken, member_id)
            outbox.put_many(CLAIMED, taken, clock.now())
        return taken


def _take(sale_id: str, member_id: int) -> bool:
    """The guard: nobody's until now, and not denied by who reads the member's addresses. A key that
    the member has used themselves is replaced."""
    hold(sale_id)
    free = (
        Sale.id == sale_id, Sale.member_id.is_(None), Sale.guest_id.is_not(None),
        Sale.id.not_in(denied_at(identity.proven_mails(member_id))),
    )  # fmt: skip
    own = aliased(Sale)
    key = select(Sale.key).where(Sale.id == sale_id).scalar_subquery()
    used = select(own.id).where(own.member_id == member_id, own.key == key)
    session = in_transaction()
    values: dict[str, object] = {"member_id": member_id}
    if session.scalar(used) is not None:
        values["key"] = ids.new()
    changed = session.execute(update(Sale).where(*free).values(**values))
    return bool(changed.rowcount == 1)  # type: ignore[attr-defined]


def _write_down(sale_ids: Sequence[str], member_id: int, how: dict[str, str]) -> None:
    session, at = in_transaction(), clock.now()
    of = session.execute(select(Sale.id, Sale.guest_id).where(Sale.id.in_(sale_ids))).all()
    rows = [
        {"sale_id": sale, "guest_id": guest, "member_id": member_id, "how": how[sale], "at": at}
        for sale, guest in of
    ]
    session.execute(insert(Claim), rows)
