"""Approvals: refunds by staff above the limit are written down and wait; another person approves
or refuses them, once.

Whoever approves carries out exactly what was asked, in the transaction that ends the request. What
cannot go back any more by then, or would be another amount, ends the request, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select, update

from ... import clock, ids, logbook
from ...db import (
    db,
    in_transaction,
    insert_new,
    repeatable,
    transaction,
)
from ...errors import (
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
)
from ...payment import KeyReused
from ..models import Refund, Sale
from ..opening import NotSoManyLeft, Part
from ..returns.hand_ins import Decision, HandIn, take_in
from ..returns.returns import Override, ReturnOver
from .approval_models import RefundRequest
from .refund_limits import ApprovalNeeded
from .refunds import NotRefundable, give_back

__all__ = [
    "OwnRequest", "RefundChanged", "RefundWaits", "RequestOver", "Wanted", "approve", "asking",
    "decided_lately", "handed_in", "many_waiting", "parts_of", "refuse", "waiting", "withdraw",
]  # fmt: skip

GONE = (NotRefundable, NotSoManyLeft, ReturnOver)
"""What ends a request when it is approved: it will not become possible again."""


class RefundWaits(Refusal):
    """Another refund of this sale waits for a second person. `data`: request."""

    code = "refund_waits"
    status = 409
    title = "A refund of this sale waits to be approved"


class RequestOver(Refusal):
    """It does not wait any more. `data`: request, state, and refund where it was approved."""

    code = "request_over"
    status = 409
    title = "This was decided already"


class RefundChanged(Refusal):
    """Other units of the sale went back meanwhile, and this would be another amount than was asked
    for; the request is ended. `data`: total_minor, asked_minor."""

    code = "refund_changed"
    status = 409
    title = "This would be another amount now"


class OwnRequest(Forbidden):
    """Nobody approves or refuses what they asked for."""

    code = "own_request"
    title = "A second person must decide this"


@dataclass(frozen=True)
class Wanted:
    """A refund as staff ask for it; with goods in their hands, `hand_in`. The same key is the same
    request."""

    sale_id: str
    asked_by: int
    key: str
    reason: str = ""
    parts: Sequence[Part] | None = None
    to_account: bool = False
    hand_in: HandIn | None = None

    def kept(self) -> dict[str, Any]:
        """As JSON has it."""
        parts = None if self.parts is None else [list(part) for part in self.parts]
        kept: dict[str, Any] = {"parts": parts, "to_account": self.to_account, "hand_in": None}
        if self.hand_in is not None:
            given = asdict(self.hand_in)
            kept["hand_in"] = given | {
                "decisions": [list(each) for each in self.hand_in.decisions],
            }
        return kept


def handed_in(asked: HandIn) -> Wanted:
    """What a hand-in asks for."""
    return Wanted(asked.sale_id, asked.staff_id, asked.key, asked.note, None, asked.to_account,
                  asked)  # fmt: skip


@contextmanager
def asking(wanted: Wanted) -> Iterator[None]:
    """Around an opener that gives back what is wanted: what is above the limit is written down
    instead. Raises ApprovalNeeded with the request's id; RequestOver for a key whose request was
    decided; RefundWaits, KeyReused."""
    with transaction():
        _refuse_asked(wanted)
    try:
        yield
    except ApprovalNeeded as needed:
        raise ApprovalNeeded(request=_ask(wanted, needed.data), **needed.data) from needed


@repeatable
def _ask(wanted: Wanted, amounts: dict[str, Any]) -> str:
    """Opener: write it down; answers the request's id."""
    row = {
        "id": ids.new(), "sale_id": wanted.sale_id, "asked": wanted.kept(),
        "total_minor": amounts["total_minor"], "limit_minor": amounts["limit_minor"],
        "reason": wanted.reason, "asked_by": wanted.asked_by, "key": wanted.key,
        "asked_at": clock.now(), "state": "waiting", "decided_reason": "",
    }  # fmt: skip
    with transaction() as session:
        new = insert_new(RefundRequest).execution_options(preserve_rowcount=True)
        if session.connection().execute(new, row).rowcount == 1:
            said = {"sale": wanted.sale_id, "total_minor": amounts["total_minor"]}
            logbook.note("refund.asked", row["id"], after=said)
            return str(row["id"])
        _refuse_asked(wanted)
        other = select(RefundRequest.id).where(
            RefundRequest.sale_id == wanted.sale_id, RefundRequest.state == "waiting"
        )
        raise RefundWaits(request=session.scalar(other) or "")


def _refuse_asked(wanted: Wanted) -> None:
    """Joiner: what was asked with this key before is not asked again. Raises ApprovalNeeded while
    it waits, RequestOver, KeyReused."""
    query = select(RefundRequest).where(
        RefundRequest.asked_by == wanted.asked_by, RefundRequest.key == wanted.key
    )
    found = in_transaction().scalar(query)
    if found is None:
        return
    if (found.sale_id, found.asked, found.reason) != (
        wanted.sale_id, wanted.kept(), wanted.reason
    ):  # fmt: skip
        raise KeyReused("The key was used for something else")
    if found.state != "waiting":
        raise _over(found)
    currency = in_transaction().scalar(select(Sale.currency).where(Sale.id == found.sale_id))
    raise ApprovalNeeded(
        request=found.id, total_minor=found.total_minor, limit_minor=found.limit_minor,
        currency=currency,
    )  # fmt: skip


def approve(request_id: str, *, decided_by: int, reason: str = "") -> str:
    """Opener: give back what was asked for; answers the refund's id. Raises NotFound, RequestOver,
    OwnRequest, and what `refund` and `hand_in` raise; of these NotRefundable, NotSoManyLeft,
    ReturnOver and RefundChanged end the request."""
    try:
        return _approve(request_id, decided_by, reason)
    except (*GONE, RefundChanged) as gone:
        _refuse(request_id, decided_by, gone.code)
        raise


@repeatable
def _approve(request_id: str, decided_by: int, reason: str) -> str:
    with transaction():
        found = _held(request_id, decided_by)
        refund_id = _carry_out(found)
        total = in_transaction().scalar(select(Refund.total_minor).where(Refund.id == refund_id))
        if total != found.total_minor:
            raise RefundChanged(total_minor=total, asked_minor=found.total_minor)
        _end(found.id, "approved", decided_by, reason, refund_id)
        return refund_id


def _carry_out(found: RefundRequest) -> str:
    """Joiner: in the name of whoever asked."""
    hand_in = found.asked["hand_in"]
    if hand_in is None:
        return give_back(
            found.sale_id, made_by=found.asked_by, reason=found.reason, parts=parts_of(found),
            to_account=found.asked["to_account"], approved_above=found.limit_minor,
        )  # fmt: skip
    override = hand_in["override"]
    again = hand_in | {
        "decisions": [Decision(*each) for each in hand_in["decisions"]],
        "override": Override(**override) if override else None,
        "approved_above": found.limit_minor,
    }
    return take_in(HandIn(**again)).refund_id


def parts_of(found: RefundRequest) -> list[Part] | None:
    """The units that were asked for; None for all that are left."""
    parts = found.asked["parts"]
    return None if parts is None else [Part(*each) for each in parts]


def refuse(request_id: str, *, decided_by: int, reason: str) -> None:
    """Opener: nothing goes back. Raises NotFound, RequestOver, OwnRequest, Invalid."""
    if not reason.strip():
        raise Invalid("Say why", field="reason")
    _refuse(request_id, decided_by, reason.strip())


@repeatable
def _refuse(request_id: str, decided_by: int, reason: str) -> None:
    with transaction():
        _end(_held(request_id, decided_by).id, "refused", decided_by, reason)


@repeatable
def withdraw(request_id: str, *, asked_by: int) -> None:
    """Opener: whoever asked does not want it any more. Raises NotFound, also for another's;
    RequestOver."""
    with transaction():
        found = _held(request_id, None)
        if found.asked_by != asked_by:
            raise NotFound("You asked for no such refund")
        _end(found.id, "withdrawn", None, "")


def _held(request_id: str, decided_by: int | None) -> RefundRequest:
    """Joiner: the request, ours until the commit. Raises NotFound, OwnRequest, RequestOver."""
    query = select(RefundRequest).where(RefundRequest.id == request_id[:20]).with_for_update()
    found = in_transaction().scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("There is no such request")
    if found.asked_by == decided_by:
        raise OwnRequest()
    if found.state != "waiting":
        raise _over(found)
    return found


def _end(
    request_id: str, state: str, decided_by: int | None, reason: str, refund_id: str | None = None
) -> None:
    """Joiner: the guard, a request ends once. Raises RequestOver."""
    ended = (
        update(RefundRequest)
        .where(RefundRequest.id == request_id, RefundRequest.state == "waiting")
        .values(state=state, decided_by=decided_by, decided_at=clock.now(),
                decided_reason=reason, refund_id=refund_id)
    )  # fmt: skip
    if in_transaction().execute(ended).rowcount != 1:  # type: ignore[attr-defined]
        raise RequestOver(request=request_id)
    logbook.note(_VERBS[state], request_id, after={"refund": refund_id} if refund_id else None)


_VERBS = {
    "approved": "refund.approved", "refused": "refund.refused", "withdrawn": "refund.withdrawn",
}  # fmt: skip


def _over(found: RefundRequest) -> RequestOver:
    more = {"refund": found.refund_id} if found.refund_id else {}
    return RequestOver(request=found.id, state=found.state, **more)


def waiting() -> Sequence[RefundRequest]:
    """What waits, the oldest first."""
    query = select(RefundRequest).where(RefundRequest.state == "waiting")
    return db.session.scalars(query.order_by(RefundRequest.id).limit(100)).all()


def many_waiting() -> int:
    query = select(func.count()).where(RefundRequest.state == "waiting")
    return int(db.session.scalar(query) or 0)


def decided_lately() -> Sequence[RefundRequest]:
    """What was decided or withdrawn last, the newest first."""
    query = select(RefundRequest).where(RefundRequest.decided_at.is_not(None))
    return db.session.scalars(query.order_by(RefundRequest.decided_at.desc()).limit(20)).all()
