"""Payouts: what a settlement owes goes to the seller's bank, once, and again where it came back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from .. import clock, logbook
from ..db import db, in_transaction, repeatable, transaction
from ..errors import Invalid, NotFound, Refusal
from ..payment.shares import pay_out, take_back
from .models import PAYOUT_TRANSITIONS, Payout, PayoutStep

__all__ = ["PayoutChanged", "fail", "pay", "steps_of"]

LONGEST_REFERENCE = 80
LONGEST_REASON = 160


class PayoutChanged(Refusal):
    """Something happened to this payout since the page was shown. `data`: state, reference."""

    code = "payout_changed"
    status = 409
    title = "This payout is no longer as the page says"


@repeatable
def pay(settlement_id: str, reference: str, *, steps: int, made_by: int | None) -> None:
    """Opener: the bank has paid it, under this reference. `steps` is how much had happened to it
    when the page was shown; the same said twice is said once. Raises Invalid, NotFound,
    PayoutChanged."""
    reference = reference.strip()
    if not 1 <= len(reference) <= LONGEST_REFERENCE:
        raise Invalid("Write the bank's reference", field="reference")
    with transaction():
        payout = _locked(settlement_id)
        if (payout.state, payout.reference, payout.steps) == ("paid", reference, steps + 1):
            return
        _step(payout, "pay", steps, made_by, reference=reference)
        pay_out(payout.amount_minor, payout.currency, f"{settlement_id} {reference}")
        said = {"amount_minor": payout.amount_minor, "currency": payout.currency}
        logbook.note("payout.paid", settlement_id, after=said | {"reference": reference})


@repeatable
def fail(settlement_id: str, reason: str, *, steps: int, made_by: int | None) -> None:
    """Opener: it came back from the bank, and is due again. Raises Invalid, NotFound,
    PayoutChanged."""
    reason = reason.strip()
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise Invalid("Say why it came back", field="reason")
    with transaction():
        payout = _locked(settlement_id)
        if (payout.state, payout.steps) == ("due", steps + 1):
            return
        _step(payout, "fail", steps, made_by, reason=reason)
        take_back(payout.amount_minor, payout.currency, f"{settlement_id} {reason}")
        said = {"amount_minor": payout.amount_minor, "currency": payout.currency}
        logbook.note("payout.failed", settlement_id, after=said)


def steps_of(settlement_id: str) -> list[PayoutStep]:
    """What happened to a payout, the newest first."""
    query = select(PayoutStep).where(PayoutStep.settlement_id == settlement_id)
    return list(db.session.scalars(query.order_by(PayoutStep.number.desc())))


def _locked(settlement_id: str) -> Any:
    table = Payout.__table__
    query = select(table).where(table.c.settlement_id == settlement_id).with_for_update()
    found = in_transaction().execute(query).one_or_none()
    if found is None:
        raise NotFound("There is no such payout", what="payout")
    return found


def _step(
    payout: Any, event: str, steps: int, made_by: int | None, *, reference: str = "",
    reason: str = "",
) -> None:  # fmt: skip
    """Joiner: what happens to it leads to another state, if it is still as the page said."""
    after = PAYOUT_TRANSITIONS.get((payout.state, event))
    moved = 0
    if after is not None:
        changed = in_transaction().execute(
            update(Payout)
            .where(
                Payout.settlement_id == payout.settlement_id, Payout.state == payout.state,
                Payout.steps == steps,
            )
            .values(state=after, reference=reference, steps=steps + 1)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        moved = int(changed.rowcount)  # type: ignore[attr-defined]
    if moved != 1:
        raise PayoutChanged(state=payout.state, reference=payout.reference)
    row = {"settlement_id": payout.settlement_id, "number": steps + 1, "event": event,
           "reference": reference, "reason": reason, "made_by": made_by,
           "at": clock.now()}  # fmt: skip
    in_transaction().connection().execute(insert(PayoutStep), [row])
