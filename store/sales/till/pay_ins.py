"""Money paid in at a till into a member's account, or given back to them out of it.

Who pays in needs no phone: money only comes. Who wants money out shows the code of their account,
and gets cash; the account is debited by the guarded statement that also a purchase uses, so it
never goes below zero. Both stand in the day of the till that took or gave the money.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from ... import (
    clock,
    ids,
    logbook,
    payment,
)
from ...db import (
    db,
    in_transaction,
    repeatable,
    transaction,
)
from ...errors import Invalid, NotFound
from ...payment import tills
from ..rounding import in_cash
from .till_models import PayIn

__all__ = ["Paid", "find", "pay"]


@dataclass(frozen=True)
class Paid:
    """So much into the account, in minor units; below 0 out of it, in cash. `key` is made by the
    page: the same key is the same money. `most_minor` is what may be paid in at once."""

    member_id: int
    location_id: int
    currency: str
    amount_minor: int
    means: str
    key: str
    staff_id: int
    most_minor: int


def pay(asked: Paid) -> str:
    """Opener: book it; answers its id. Raises Invalid, InsufficientFunds, KeyReused."""
    try:
        return _pay(asked)
    except IntegrityError:  # The same page was sent twice at once, and the other one was faster.
        return _pay(asked)


@repeatable
def _pay(asked: Paid) -> str:
    out = asked.amount_minor < 0
    if asked.means not in (("cash",) if out else ("cash", "card")):
        raise Invalid("Money comes in cash or by card, and goes out in cash", field="means")
    if asked.amount_minor == 0 or asked.amount_minor > asked.most_minor:
        raise Invalid("This amount cannot be paid in", field="amount", most_minor=asked.most_minor)
    if asked.means == "cash" and in_cash(asked.amount_minor, asked.currency) != asked.amount_minor:
        raise Invalid("There are no coins for this amount", field="amount", coins=True)
    if not 1 <= len(asked.key) <= 64:
        raise Invalid("A key has 1 to 64 characters", field="key")
    with transaction() as session:
        before = _earlier(asked)
        if before is not None:
            return before
        mine = ids.new()
        if out:
            tills.pay_out(asked.member_id, -asked.amount_minor, asked.currency, mine)
        else:
            payment.deposit(
                asked.member_id, asked.amount_minor, asked.currency, asked.means, note=mine,
                reason="paid_in",
            )  # fmt: skip
        row = {"id": mine, "key": asked.key, "location_id": asked.location_id,
               "member_id": asked.member_id, "means": asked.means, "currency": asked.currency,
               "amount_minor": asked.amount_minor, "made_by": asked.staff_id,
               "at": clock.now()}  # fmt: skip
        session.connection().execute(insert(PayIn), [row])
        said = {"amount_minor": asked.amount_minor, "currency": asked.currency,
                "means": asked.means}  # fmt: skip
        if out:
            logbook.note("account.paid_out", asked.member_id, place_id=asked.location_id,
                         after=said)  # fmt: skip
        else:
            logbook.note("account.topped_up", asked.member_id, place_id=asked.location_id,
                         after=said)  # fmt: skip
        return mine


def find(pay_in_id: str) -> PayIn:
    """Raises NotFound."""
    found = db.session.get(PayIn, pay_in_id)
    if found is None:
        raise NotFound("There is no such payment")
    return found


def _earlier(asked: Paid) -> str | None:
    """A page that was sent twice takes the money once. Raises KeyReused."""
    query = select(PayIn.id, PayIn.member_id, PayIn.amount_minor, PayIn.means).where(
        PayIn.made_by == asked.staff_id, PayIn.key == asked.key
    )
    found = in_transaction().execute(query).first()
    if found is None:
        return None
    if tuple(found[1:]) != (asked.member_id, asked.amount_minor, asked.means):
        raise payment.KeyReused("The key was used for another payment")
    return str(found.id)
