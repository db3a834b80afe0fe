"""Marks along a busy account: what had come and gone up to a transfer, so that a statement of a
month adds up what lies between two marks, and not all that ever moved.

They are laid behind what is settled: every transfer up to a mark was committed long before, and
nothing can be added below it. Whoever lays them finds the same; they say nothing that the transfers
do not say, and are laid again where they are missing.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from .. import clock
from ..db import db, insert_new, repeatable, transaction
from ..errors import Unavailable
from .models import AccountMark, Transfer

__all__ = ["Sums", "lay_along", "sums_until", "transfer_after", "transfer_before"]

log = logging.getLogger(__name__)

EVERY = 250
"""So many movements lie between two marks."""
BITE = 5_000
BITES = 4
"""How much is laid at once: who opens a statement does not wait for years of it."""
SETTLED = timedelta(hours=1)
"""No transaction is open for so long, and no two clocks differ by it: what happened before is
numbered before, and what is older will not change."""


class Sums(NamedTuple):
    """What came to an account and went from it, in all, until a moment."""

    came_minor: int
    went_minor: int


def sums_until(account_id: int, moment: datetime) -> Sums:
    """From the last mark before the moment on, as far as the first after it."""
    found = _newest(account_id, AccountMark.at < moment - SETTLED)
    first, came, went = (found.transfer_id, found.came_minor, found.went_minor) if (
        found
    ) else (0, 0, 0)  # fmt: skip
    last = transfer_after(account_id, moment)
    between = [Transfer.id > first, Transfer.at < moment]
    between += [Transfer.id <= last] if last else []
    more = db.session.execute(
        select(*(
            select(func.coalesce(func.sum(Transfer.amount_minor), 0))
            .where(side == account_id, *between)
            .scalar_subquery()
            for side in (Transfer.credit_id, Transfer.debit_id)
        ))
    ).one()  # fmt: skip
    return Sums(came + int(more[0]), went + int(more[1]))


def transfer_before(account_id: int, moment: datetime) -> int:
    """A transfer up to which everything happened before this moment; 0 where none is known."""
    found = _newest(account_id, AccountMark.at < moment - SETTLED)
    return found.transfer_id if found else 0


def transfer_after(account_id: int, moment: datetime) -> int | None:
    """A transfer after which nothing happened before this moment; None where none is known."""
    query = select(AccountMark.transfer_id).where(
        AccountMark.account_id == account_id, AccountMark.at > moment + SETTLED
    )
    return db.session.scalar(query.order_by(AccountMark.transfer_id).limit(1))


def _newest(account_id: int, *where: Any) -> Any:
    query = select(AccountMark).where(AccountMark.account_id == account_id, *where)
    return db.session.scalar(query.order_by(AccountMark.transfer_id.desc()).limit(1))


def lay_along(account_id: int) -> None:
    """Lay what is missing, where an account has moved so much since its last mark that adding it up
    would be felt. It only saves time: where nothing can be written, nothing is."""
    try:
        for _ in range(BITES):
            if not _lay_some(account_id):
                return
    except (Unavailable, DBAPIError):
        db.session.rollback()
        log.warning("no marks could be laid along account %s", account_id)


def _lay_some(account_id: int) -> bool:
    """Opener: the marks of the next movements; answers whether there may be more."""
    found = _newest(account_id)
    last, came, went = (found.transfer_id, found.came_minor, found.went_minor) if (
        found
    ) else (0, 0, 0)  # fmt: skip
    if not _is_felt(account_id, last):
        db.session.rollback()
        return False
    end = max(_settled(account_id, side) for side in (Transfer.credit_id, Transfer.debit_id))
    rows = sorted(
        row
        for side, sign in ((Transfer.credit_id, 1), (Transfer.debit_id, -1))
        for row in db.session.execute(
            select(Transfer.id, Transfer.at, Transfer.amount_minor * sign)
            .where(side == account_id, Transfer.id > last, Transfer.id <= end)
            .order_by(Transfer.id)
            .limit(BITE)
        )
    )[:BITE]
    db.session.rollback()
    laid = []
    for number, (transfer_id, at, signed) in enumerate(rows, 1):
        came, went = came + max(signed, 0), went + max(-signed, 0)
        if number % EVERY == 0:
            laid.append({"account_id": account_id, "transfer_id": transfer_id, "at": at,
                         "came_minor": came, "went_minor": went})  # fmt: skip
    if laid:
        _write(laid)
    return len(rows) == BITE


@repeatable
def _write(laid: list[dict[str, Any]]) -> None:
    with transaction() as session:
        session.connection().execute(insert_new(AccountMark), laid)


def _is_felt(account_id: int, last: int) -> bool:
    """Whether more than two marks are missing on one of its sides."""
    return any(
        db.session.scalar(
            select(Transfer.id)
            .where(side == account_id, Transfer.id > last)
            .order_by(Transfer.id)
            .offset(2 * EVERY)
            .limit(1)
        )
        for side in (Transfer.credit_id, Transfer.debit_id)
    )


def _settled(account_id: int, side: Any) -> int:
    """The newest transfer on this side that is older than any open transaction."""
    query = select(Transfer.id).where(side == account_id, Transfer.at < clock.now() - SETTLED)
    return db.session.scalar(query.order_by(Transfer.id.desc()).limit(1)) or 0
