"""Escrow: the money of an order is held until its shopper has it.

It is charged to the takings like any sale, and moves on to the account `escrow` in the same
transaction. From there it goes back to the takings when it is *released*: by the shopper's word, by
the code at the counter, by a timer after the last parcel has arrived, or by a decision where the
shopper was not content. What is refunded meanwhile comes out of it. The figures of the takings are
those of the sales, and know nothing of this.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from .. import clock, web
from ..db import connection, db, in_transaction, repeatable, transaction
from ..errors import Invalid, Refusal
from . import ledger
from .escrow_models import Complaint, Escrow
from .models import Transfer

__all__ = [
    "HELD", "TRANSITIONS", "EscrowOver", "arrive", "complain", "complaint", "decide",
    "decided_lately", "find", "give_back", "held_of", "hold", "name_refund", "release",
    "release_due", "total_held", "waiting",
]  # fmt: skip

ESCROW = "escrow"
TRANSITIONS = {
    ("waiting", "pay"): "waiting",
    ("waiting", "arrive"): "arrived",
    ("waiting", "receive"): "released",
    ("waiting", "complain"): "disputed",
    ("waiting", "empty"): "returned",
    ("arrived", "receive"): "released",
    ("arrived", "time_is_up"): "released",
    ("arrived", "complain"): "disputed",
    ("arrived", "empty"): "returned",
    ("disputed", "decide"): "released",
    ("disputed", "empty"): "returned",
    ("returned", "pay"): "waiting",
}
"""(state, event) → state; what is not here changes nothing. "empty": all that was held went back;
"pay": another parcel was paid at the door. What arrives while it is disputed waits for the
decision."""
HELD = ("waiting", "arrived", "disputed")
PAGE = 100


class EscrowOver(Refusal):
    """The order's money is not held, or not any more. `data`: state."""

    code = "escrow_over"
    status = 409
    title = "The money of this order is not held any more"


def days() -> int:
    """For how many days after its arrival an order's money is held; 0: nothing is."""
    return int(web.setting("ESCROW_DAYS"))


def hold(sale_id: str, member_id: int, amount_minor: int, currency: str) -> None:
    """Joiner: so much of what was charged for an order is held from now on, where the owner wants
    that. An order that is paid parcel by parcel holds more with each."""
    if amount_minor <= 0 or not days():
        return
    found = _locked(sale_id)
    own = in_transaction().connection()
    if found is None:
        row = {"sale_id": sale_id, "member_id": member_id, "currency": currency, "how": "",
               "held_minor": amount_minor, "state": "waiting",
               "opened_at": clock.now()}  # fmt: skip
        own.execute(insert(Escrow), [row])
    elif (found.state, "pay") in TRANSITIONS:
        _change(found, "pay", held_minor=found.held_minor + amount_minor)
    else:
        return
    _move(ESCROW, ledger.TAKINGS, amount_minor, currency, "escrow_held", sale_id)


def give_back(sale_id: str, amount_minor: int) -> None:
    """Joiner: so much of an order is refunded; what is held pays for it first."""
    found = _locked(sale_id) if amount_minor > 0 else None
    if found is None or found.state not in HELD:
        return
    back = min(amount_minor, found.held_minor)
    rest = found.held_minor - back
    _change(found, None if rest else "empty", held_minor=rest)
    _move(ledger.TAKINGS, ESCROW, back, found.currency, "escrow_back", sale_id)
    if not rest and found.state == "disputed":
        _close(sale_id, "refund", "", None)


def arrive(sale_id: str) -> None:
    """Joiner: everything of an order has arrived: the time runs from now."""
    found = _locked(sale_id)
    if found is not None and (found.state, "arrive") in TRANSITIONS:
        # The owner may have switched it off meanwhile; then it is due at once.
        _change(found, "arrive", due_at=clock.now() + timedelta(days=days()))


def release(sale_id: str, how: str, event: str = "receive") -> bool:
    """Joiner: the money of an order is the shop's now; answers whether it was held until now."""
    found = _locked(sale_id)
    if found is None or (found.state, event) not in TRANSITIONS:
        return False
    _change(found, event, held_minor=0, released_at=clock.now(), how=how)
    _move(ledger.TAKINGS, ESCROW, found.held_minor, found.currency, "escrow_out", sale_id)
    return True


@repeatable
def _release_one(sale_id: str) -> bool:
    """Opener: the time of one order is up, if it still is."""
    with transaction():
        return release(sale_id, "timer", "time_is_up")


def release_due(limit: int = 200) -> int:
    """Release what is due by its timer, each by itself; answers how many. Any process may, any
    number of times."""
    over = (Escrow.state == "arrived", Escrow.due_at <= clock.now())
    query = select(Escrow.sale_id).where(*over).order_by(Escrow.due_at).limit(limit)
    due = list(db.session.scalars(query))
    db.session.rollback()
    return sum(_release_one(sale_id) for sale_id in due)


def complain(sale_id: str, reason: str, lines: Sequence[int]) -> None:
    """Joiner: the shopper is not content: nothing is released until the owner has decided. Raises
    Invalid (no reason), EscrowOver."""
    said = reason.strip()
    if not said:
        raise Invalid("Say what is wrong", field="reason")
    found = _locked(sale_id)
    if found is None or (found.state, "complain") not in TRANSITIONS:
        raise EscrowOver(state=found.state if found else "none")
    _change(found, "complain")
    row = {"sale_id": sale_id, "reason": said, "lines": sorted(set(lines)), "decision": "",
           "note": "", "opened_at": clock.now()}  # fmt: skip
    in_transaction().connection().execute(insert(Complaint), [row])


def decide(sale_id: str, decision: str, note: str, made_by: int) -> None:
    """Joiner: the owner decides about a complaint; what follows from that (a refund, and then
    `release` of the rest) is the caller's, in the same transaction. Raises EscrowOver where it was
    decided before."""
    if not _close(sale_id, decision, note, made_by):
        found = find(sale_id)
        raise EscrowOver(state=found.state if found else "none")


def name_refund(sale_id: str, refund_id: str) -> None:
    """Joiner: the refund that a decision led to."""
    mine = update(Complaint).where(Complaint.sale_id == sale_id)
    in_transaction().execute(mine.values(refund_id=refund_id))


def _close(sale_id: str, decision: str, note: str, made_by: int | None) -> bool:
    values = {"decision": decision, "note": note[:500], "decided_by": made_by,
              "decided_at": clock.now()}  # fmt: skip
    mine = (Complaint.sale_id == sale_id, Complaint.decided_at.is_(None))
    closed = in_transaction().connection().execute(update(Complaint).where(*mine).values(**values))
    return closed.rowcount == 1


def _locked(sale_id: str) -> Any:
    """Joiner: the row as it is, ours until the commit; None where nothing was ever held."""
    columns = (Escrow.state, Escrow.held_minor, Escrow.currency, Escrow.sale_id)
    query = select(*columns).where(Escrow.sale_id == sale_id).with_for_update()
    return in_transaction().execute(query).one_or_none()


def _change(found: Any, event: str | None, **values: object) -> None:
    """The guard: one step, only from the state and the amount that were read."""
    state = found.state if event is None else TRANSITIONS[found.state, event]
    before = (
        Escrow.sale_id == found.sale_id, Escrow.state == found.state,
        Escrow.held_minor == found.held_minor,
    )  # fmt: skip
    own = in_transaction().connection()
    if own.execute(update(Escrow).where(*before).values(state=state, **values)).rowcount != 1:
        raise EscrowOver(state=found.state)


def _move(
    to: str, source: str, amount_minor: int, currency: str, reason: str, sale_id: str
) -> None:
    """From an account of the shop to another; as in the ledger, the debit pays."""
    row = ledger.row_of(
        ledger.shop_account(source, currency), ledger.shop_account(to, currency), amount_minor,
        currency, reason, clock.now(), sale_id=sale_id,
    )  # fmt: skip
    in_transaction().connection().execute(insert(Transfer), [row])


def find(sale_id: str) -> Escrow | None:
    return db.session.scalar(
        select(Escrow).where(Escrow.sale_id == sale_id).execution_options(populate_existing=True)
    )


def complaint(sale_id: str) -> Complaint | None:
    query = select(Complaint).where(Complaint.sale_id == sale_id)
    return db.session.scalar(query.execution_options(populate_existing=True))


def held_of(sale_ids: Collection[str]) -> dict[str, int]:
    """What is still held of these sales, in minor units; sales of which nothing is held are left
    out: their money is the shop's, and may be settled with others."""
    if not sale_ids:
        return {}
    query = select(Escrow.sale_id, Escrow.held_minor)
    rows = connection().execute(query.where(Escrow.sale_id.in_(sale_ids), Escrow.held_minor > 0))
    return {row[0]: row[1] for row in rows}


def waiting() -> list[tuple[Escrow, Complaint | None]]:
    """What is held: first what must be decided, then what is due first; at most 100."""
    query = (
        select(Escrow, Complaint)
        .outerjoin(Complaint, Complaint.sale_id == Escrow.sale_id)
        .where(Escrow.state.in_(HELD))
        .order_by(Escrow.state != "disputed", Escrow.due_at.is_(None), Escrow.due_at,
                  Escrow.opened_at)
        .limit(PAGE)
    )  # fmt: skip
    return [(row[0], row[1]) for row in db.session.execute(query)]


def total_held(currency: str) -> int:
    """What the shop holds in all, in minor units."""
    query = select(func.coalesce(func.sum(Escrow.held_minor), 0))
    return int(db.session.scalar(query.where(Escrow.currency == currency)) or 0)


def decided_lately(limit: int = 20) -> list[tuple[Escrow, Complaint]]:
    """The newest decisions."""
    query = (
        select(Escrow, Complaint)
        .join(Complaint, Complaint.sale_id == Escrow.sale_id)
        .where(Complaint.decided_at.is_not(None))
        .order_by(Complaint.decided_at.desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for row in db.session.execute(query)]
