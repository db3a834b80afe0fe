"""Refunds: all of a sale goes back, or some units of it, money and goods in one transaction.

What a unit gives back is exactly what was paid for it. Where a line's total cannot be divided
evenly, the units differ by the smallest coin, and all of them together are the line's total: the
units up to the k-th have together given back total × k ÷ quantity, rounded down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert, select, update

from ... import (
    clock,
    ids,
    logbook,
    outbox,
    payment,
    stock,
)
from ...db import in_transaction, repeatable, transaction
from ...delivery.queue import states_of
from ...delivery.states import ENDED
from ...errors import Invalid, NotFound, Refusal
from ...payment import escrow
from ...payment.on_delivery import MEANS, due_of, give_to_account
from ..models import (
    TRANSITIONS,
    Refund,
    RefundLine,
    Sale,
    SaleLine,
)
from ..opening import (
    NotSoManyLeft,
    Part,
    given_units,
    resolved,
    share,
)
from ..rounding import of_refund
from .refund_deposits import with_deposits
from .refund_limits import limit_of

__all__ = [
    "Given", "NotRefundable", "NotSoManyLeft", "OnItsWay", "PaidBack", "Part", "give_back",
    "gives_back", "held", "pay_back", "refund", "refuse_on_its_way", "share",
]  # fmt: skip


class NotRefundable(Refusal):
    """The sale is in a state from which no refund leads on. `data`: state."""

    code = "not_refundable"
    status = 409
    title = "This sale was refunded already"


class OnItsWay(Refusal):
    """The order has not arrived: what has not left is cancelled, what has left is waited for.
    `data`: states of its shipments."""

    code = "on_its_way"
    status = 409
    title = "This order has not arrived yet"


class Given(NamedTuple):
    """Units of a line whose money goes back, and how much that is."""

    position: int
    item_id: int
    quantity: int
    total_minor: int
    tax_minor: int


class PaidBack(NamedTuple):
    refund_id: str
    member_id: int | None
    location_id: int
    lines: list[Given]
    goods: list[Given]
    """Those lines that are goods, or parts of bundles, and no shipping."""

    @property
    def total_minor(self) -> int:
        return sum(line.total_minor for line in self.lines)


@repeatable
def refund(
    sale_id: str, *, made_by: int, reason: str = "", parts: Sequence[Part] | None = None,
    to_account: bool = False,
) -> str:  # fmt: skip
    """Opener: give back what these units cost, or everything, and put the goods back where they
    were sold; the money to where it came from, or to the member's account. Answers the refund's id.
    Raises NotFound, NotRefundable, Invalid, NotSoManyLeft, ApprovalNeeded."""
    with transaction():
        return give_back(
            sale_id, made_by=made_by, reason=reason, parts=parts, to_account=to_account
        )


def give_back(
    sale_id: str, *, made_by: int, reason: str = "", parts: Sequence[Part] | None = None,
    to_account: bool = False, approved_above: int | None = None,
) -> str:  # fmt: skip
    """Joiner: the same, for callers with something of their own to write beside it."""
    at = clock.now()
    given = pay_back(
        sale_id, made_by=made_by, reason=reason, parts=parts, at=at, to_account=to_account,
        approved_above=approved_above,
    )  # fmt: skip
    stock.put_back(
        [
            stock.Want(line.item_id, given.location_id, line.quantity, sale_id, made_by)
            for line in given.goods
        ],
        at,
        note=reason,
    )
    return given.refund_id


def pay_back(
    sale_id: str,
    *,
    made_by: int,
    reason: str,
    parts: Sequence[Part] | None,
    at: datetime,
    on_its_way: bool = False,
    to_account: bool = False,
    waits: bool = True,
    approved_above: int | None = None,
) -> PaidBack:
    """Joiner: the money alone, of these units or of all that are left. The caller says in the same
    transaction where the goods are. Goods of an order that has not arrived cannot come back: who
    pays for what will not come at all says `on_its_way`. The money goes to where it came from, or
    to the member's account. Raises what `refund` raises."""
    session = in_transaction()
    sale = held(sale_id)
    if sale is None:
        raise NotFound("There is no such sale")
    if (sale.state, "refund_rest") not in TRANSITIONS:
        raise NotRefundable(state=sale.state)
    if to_account and sale.member_id is None:
        raise Invalid("The sale is in nobody's name: no account can have it", field="to")
    if sale.fulfilment != "taken" and not on_its_way:
        refuse_on_its_way(sale_id)
    if parts is not None:
        parts = [unit for units in resolved(sale, parts) for unit in units]
    lines = {line.position: line for line in _lines_of(sale_id)}
    asked = with_deposits(lines, _asked(lines, parts))
    given = [_given(lines[position], many) for position, many in sorted(asked.items())]
    left = sum(line.quantity - given_units(line) for line in lines.values())
    total = sum(line.total_minor for line in given)
    limit = approved_above
    if waits and limit is None:
        limit = limit_of(sale, total, made_by)
    due = due_of([sale_id]).get(sale_id, 0) if sale.means == MEANS else 0
    event = "refund_part" if sum(asked.values()) < left else "refund_rest"
    if sale.state == "due" and event == "refund_part" and total >= due:
        event = "refund_due"
    state = TRANSITIONS[sale.state, event]
    moved = session.execute(
        update(Sale).where(Sale.id == sale.id, Sale.state == sale.state).values(state=state)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise NotRefundable(state=state)
    _count(sale_id, lines, given)
    refund_id = ids.new()
    deposits = [line for line in given if lines[line.position].kind == "deposit"]
    owed = sum(line.total_minor for line in deposits)
    gone = payment.refund(sale_id, total, owed, member_id=sale.member_id, to_account=to_account)
    if sale.fulfilment != "taken":
        escrow.give_back(sale_id, total - min(due, total) - owed)
    if sale.means == MEANS and total > due and sale.member_id is not None:
        # What was paid at the door cannot go back there: it is in the shopper's account.
        give_to_account(sale_id, sale.member_id, total - due, sale.currency)
    more = of_refund(sale, total - gone, refund_id, at)
    _write(refund_id, sale_id, _booked(given, lines), made_by, reason, at,
           account_minor=gone, rounding_minor=more, limit_minor=limit)  # fmt: skip
    outbox.put("sale.refunded", refund_id)
    said = {"refund": refund_id, "total_minor": total, "currency": sale.currency}
    logbook.note("refund.made", sale_id, place_id=sale.location_id, after=said)
    goods = [line for line in given if lines[line.position].kind in ("goods", "part")]
    return PaidBack(refund_id, sale.member_id, sale.location_id, given, goods)


def gives_back(sale_id: str, parts: Sequence[Part], made_by: int) -> int:
    """Joiner: what these units of lines would give back now. Raises Invalid, NotSoManyLeft,
    ApprovalNeeded."""
    sale = held(sale_id)
    lines = {line.position: line for line in _lines_of(sale_id)}
    asked = with_deposits(lines, _asked(lines, parts))
    total = sum(_given(lines[position], many).total_minor for position, many in asked.items())
    if sale is not None:
        limit_of(sale, total, made_by)
    return total


def held(sale_id: str) -> Sale | None:
    """Joiner: the sale as it is now, ours until the commit: of two who change it, one waits for the
    other."""
    query = select(Sale).where(Sale.id == sale_id).with_for_update()
    return in_transaction().scalar(query.execution_options(populate_existing=True))


def refuse_on_its_way(sale_id: str) -> None:
    """Goods of an order that have not arrived cannot come back yet. Raises OnItsWay."""
    waiting = states_of(sale_id) - {*ENDED}
    if waiting:
        raise OnItsWay(states=sorted(waiting))


def _lines_of(sale_id: str) -> Sequence[Any]:
    """The lines as they are now that the sale's row is locked."""
    columns = (
        SaleLine.position, SaleLine.item_id, SaleLine.quantity, SaleLine.quantity_refunded,
        SaleLine.quantity_returning, SaleLine.total_minor, SaleLine.tax_minor, SaleLine.kind,
        SaleLine.of_position, SaleLine.quantity_opened,
    )  # fmt: skip
    return in_transaction().execute(select(*columns).where(SaleLine.sale_id == sale_id)).all()


def _asked(lines: dict[int, Any], parts: Sequence[Part] | None) -> dict[int, int]:
    """Units by position; a line that is named twice is one. Raises Invalid, NotSoManyLeft."""
    left = {
        at: line.quantity - given_units(line) - line.quantity_returning
        for at, line in lines.items()
        if line.kind != "deposit"
    }
    if parts is None:
        parts = [Part(at, many) for at, many in left.items() if many]
        if not parts:
            raise NotSoManyLeft("All that is left is on its way back", left=0)
    asked: dict[int, int] = {}
    for position, quantity, _ in parts:
        if position not in lines:
            raise Invalid("The sale has no such line", field="lines")
        if position not in left:
            raise Invalid("A deposit goes back with its item, or for an empty", field="lines")
        if quantity < 1:
            raise Invalid("A quantity is 1 or more", field="lines")
        asked[position] = asked.get(position, 0) + quantity
    if not asked:
        raise Invalid("Say what goes back", field="lines")
    for position, quantity in asked.items():
        if quantity > left[position]:
            raise NotSoManyLeft(position=position, left=left[position], asked=quantity)
    return asked


def _given(line: Any, many: int) -> Given:
    whole = (line.quantity, given_units(line), many)
    return Given(line.position, line.item_id, many, share(line.total_minor, *whole),
                 share(line.tax_minor, *whole))  # fmt: skip


def _booked(given: Sequence[Given], lines: Mapping[int, Any]) -> list[Given]:
    """The same as the books have it: a part of a bundle on the bundle, as its sale was."""
    return [
        one._replace(item_id=lines[line.of_position].item_id) if line.kind == "part" else one
        for one in given
        for line in (lines[one.position],)
    ]


_count_units = (
    update(SaleLine)
    .where(
        SaleLine.sale_id == bindparam("sale"),
        SaleLine.position == bindparam("line"),
        SaleLine.quantity_refunded == bindparam("before"),
        SaleLine.quantity_opened == bindparam("opened"),
    )
    .values(quantity_refunded=bindparam("before") + bindparam("many"))
)


def _count(sale_id: str, lines: dict[int, Any], given: Sequence[Given]) -> None:
    """The guard: the share of a unit depends on how many went back before it, so a line that
    changed since it was read is refused, whoever changed it."""
    for line in given:
        before = lines[line.position].quantity_refunded
        row = {"sale": sale_id, "line": line.position, "before": before, "many": line.quantity,
               "opened": lines[line.position].quantity_opened}  # fmt: skip
        if in_transaction().connection().execute(_count_units, row).rowcount != 1:
            raise NotSoManyLeft(position=line.position, left=0, asked=line.quantity)


def _write(
    refund_id: str, sale_id: str, given: Sequence[Given], made_by: int, reason: str, at: datetime,
    account_minor: int = 0, rounding_minor: int = 0, limit_minor: int | None = None,
) -> None:  # fmt: skip
    connection = in_transaction().connection()
    connection.execute(
        insert(Refund),
        [
            {
                "id": refund_id,
                "sale_id": sale_id,
                "total_minor": sum(line.total_minor for line in given),
                "tax_minor": sum(line.tax_minor for line in given),
                "account_minor": account_minor,
                "rounding_minor": rounding_minor,
                "limit_minor": limit_minor,
                "reason": reason,
                "made_by": made_by,
                "created_at": at,
            }
        ],
    )
    rows = [line._asdict() | {"refund_id": refund_id} for line in given]
    connection.execute(insert(RefundLine), rows)
