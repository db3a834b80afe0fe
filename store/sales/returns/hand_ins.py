"""Hand-ins: returned units that staff have in their hands, and what becomes of each of them.

Resell puts a unit on the shelf of the shop where it was handed in, not of the one that sold it;
quarantine puts it beside that shop, not for sale; scrap writes it off. The money goes back in the
same transaction, and an exchange takes another item with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, insert, select, update

from ... import clock, logbook, stock
from ...db import in_transaction, repeatable, transaction
from ...errors import Invalid, NotFound, Refusal
from ..buying import Buy, Line
from ..checkout import buy_in
from ..models import Refund, Sale
from ..opening import NotSoManyLeft, Part, resolved
from ..refunds.refunds import PaidBack, held, pay_back
from .return_models import (
    RETURN_TRANSITIONS,
    Return,
    ReturnDecision,
    ReturnLine,
)
from .returns import (
    Override,
    ReturnOver,
    Wish,
    count_returning,
    declare_in,
    end,
    held_return,
    moved_by,
    summed,
)

DECISIONS = ("resell", "quarantine", "scrap")


class Decision(NamedTuple):
    """So many units of a line (or pieces of an item out of the bundle on it), and what becomes of
    them."""

    position: int
    quantity: int
    decision: str
    item_id: int | None = None


@dataclass(frozen=True)
class HandIn:
    """Units that staff have in their hands, at a location, with their decisions. Without a return
    that was declared before (`return_id`), one is written down here, with `why`. The
    money goes back to where it came from, or to the member's account,
    where staff or the shopper's declaration say so.
    `approved_above`: a second person has approved it, above this limit."""

    sale_id: str
    location_id: int
    staff_id: int
    decisions: Sequence[Decision]
    key: str
    note: str = ""
    return_id: str | None = None
    override: Override | None = None
    to_account: bool = False
    approved_above: int | None = None
    why: str = ""


class NotExchangeable(Refusal):
    """The sale was not paid from an account and its money goes to none, so nothing settles the
    difference. `data`: means."""

    code = "not_exchangeable"
    status = 409
    title = "This was not paid from an account"


class Received(NamedTuple):
    return_id: str
    refund_id: str
    total_minor: int
    to_account: bool


class Exchanged(NamedTuple):
    received: Received
    sale_id: str


@repeatable
def hand_in(asked: HandIn) -> Received:
    """Opener: units arrive at a shop; money and goods move. Raises NotFound, Invalid,
    NotRefundable, ReturnOver, NotReturnable, ReturnTooLate, NotSoManyLeft, ApprovalNeeded."""
    with transaction():
        return take_in(asked)


@repeatable
def exchange(asked: HandIn, lines: tuple[Line, ...], age_checked: int = 0) -> Exchanged:
    """Opener: units come back and others are taken, in one transaction: what came back is in the
    account before what is taken is paid from it, so that only the difference moves in the end.
    Raises what `hand_in` and `buy` raise, and NotExchangeable."""
    with transaction():
        received = take_in(asked)
        sale = held(asked.sale_id)
        assert sale is not None
        if sale.member_id is None or (sale.means != "account" and not received.to_account):
            raise NotExchangeable(means=sale.means)
        wanted = Buy(sale.member_id, asked.location_id, sale.currency, lines, asked.key, "till",
                     asked.staff_id, is_confirmed=True, age_checked=age_checked)  # fmt: skip
        return Exchanged(received, buy_in(wanted).sale_id)


def take_in(asked: HandIn) -> Received:
    """Joiner: the same, for an exchange or the API, which write something of their own beside."""
    if not asked.decisions:
        raise Invalid("Say which units came back", field="decisions")
    if any(each.decision not in DECISIONS or each.quantity < 1 for each in asked.decisions):
        raise Invalid("A unit is sold again, quarantined or scrapped", field="decisions")
    at, sale = clock.now(), held(asked.sale_id)
    if sale is None:
        raise NotFound("There is no such sale")
    if (before := _received_before(asked)) is not None:
        return before
    asked = replace(asked, decisions=_by_unit(sale, asked.decisions))
    parts = _by_line(asked.decisions)
    return_id = asked.return_id
    if return_id is None:
        wish = Wish(sale.id, parts, "shop", asked.note, asked.key, to_account=asked.to_account,
                    why=asked.why)  # fmt: skip
        return_id = declare_in(sale, wish, made_by=asked.staff_id, override=asked.override)
    found = held_return(return_id)
    if found.sale_id != sale.id:
        raise NotFound("There is no such return")
    _receive(found, parts)
    to_account = asked.to_account or found.to_account
    paid = pay_back(sale.id, made_by=asked.staff_id, reason=found.reason or asked.note,
                    parts=parts, at=at, to_account=to_account,
                    approved_above=asked.approved_above)  # fmt: skip
    _write_decisions(found.id, paid.refund_id, asked, at)
    _move_goods(asked, paid, at)
    said = [[each.position, each.quantity, each.decision] for each in asked.decisions]
    logbook.note("return.received", sale.id, place_id=asked.location_id,
                 after={"return": found.id, "refund": paid.refund_id, "units": said})  # fmt: skip
    return Received(found.id, paid.refund_id, paid.total_minor, to_account)


def _received_before(asked: HandIn) -> Received | None:
    """A page that was sent twice, or whose answer was lost, handed in once."""
    query = (
        select(ReturnDecision.return_id, ReturnDecision.refund_id, Refund.total_minor,
               Return.to_account)
        .join(Refund, Refund.id == ReturnDecision.refund_id)
        .join(Return, Return.id == ReturnDecision.return_id)
        .where(Refund.sale_id == asked.sale_id, ReturnDecision.key == asked.key)
    )  # fmt: skip
    found = in_transaction().execute(query.limit(1)).first()
    return Received(*found) if found else None


def _by_unit(sale: Sale, decisions: Sequence[Decision]) -> list[Decision]:
    """The same, for units of lines only."""
    units = resolved(sale, [Part(each.position, each.quantity, each.item_id) for each in decisions])
    return [
        Decision(unit.position, unit.quantity, each.decision)
        for each, mine in zip(decisions, units)
        for unit in mine
    ]


def _by_line(decisions: Sequence[Decision]) -> list[Part]:
    return summed(Part(each.position, each.quantity) for each in decisions)


_take_units = (
    update(ReturnLine)
    .where(
        ReturnLine.return_id == bindparam("one"),
        ReturnLine.position == bindparam("line"),
        ReturnLine.quantity_received + bindparam("many") <= ReturnLine.quantity,
    )
    .values(quantity_received=ReturnLine.quantity_received + bindparam("many"))
)


def _receive(found: Return, parts: Sequence[Part]) -> None:
    """Joiner: these units of the return are here. Raises ReturnOver, NotSoManyLeft."""
    session = in_transaction()
    if (found.state, "receive_part") not in RETURN_TRANSITIONS:
        raise ReturnOver(state=found.state)
    for position, many, _ in parts:
        row = {"one": found.id, "line": position, "many": many}
        if session.connection().execute(_take_units, row).rowcount != 1:
            raise NotSoManyLeft(position=position, left=_awaited(found.id, position), asked=many)
        count_returning(found.sale_id, position, -many)
    awaited = sum(_awaited(found.id, position) for position in _positions(found.id))
    end(found, moved_by(found, "receive_part" if awaited else "receive_rest"))


def _positions(return_id: str) -> Sequence[int]:
    query = select(ReturnLine.position).where(ReturnLine.return_id == return_id)
    return in_transaction().scalars(query).all()


def _awaited(return_id: str, position: int) -> int:
    query = select(ReturnLine.quantity - ReturnLine.quantity_received).where(
        ReturnLine.return_id == return_id, ReturnLine.position == position
    )
    return int(in_transaction().scalar(query) or 0)


def _write_decisions(return_id: str, refund_id: str, asked: HandIn, at: datetime) -> None:
    rows = [
        {"return_id": return_id, "refund_id": refund_id, "key": asked.key,
         "position": each.position, "quantity": each.quantity, "decision": each.decision,
         "location_id": asked.location_id, "note": asked.note, "made_by": asked.staff_id, "at": at}
        for each in asked.decisions
    ]  # fmt: skip
    in_transaction().connection().execute(insert(ReturnDecision), rows)


def _move_goods(asked: HandIn, paid: PaidBack, at: datetime) -> None:
    """The goods of each decision go where it says, at the place where they were handed in."""
    items = {line.position: line.item_id for line in paid.lines}

    def wants(decision: str, place: int) -> list[stock.Want]:
        return [
            stock.Want(items[each.position], place, each.quantity, asked.sale_id, asked.staff_id)
            for each in asked.decisions
            if each.decision == decision
        ]

    stock.put_back(wants("resell", asked.location_id), at, note=asked.note)
    if kept := wants("quarantine", asked.location_id):
        place = stock.quarantine_of(asked.location_id)
        stock.put_back([want._replace(location_id=place) for want in kept], at, note=asked.note)
    stock.scrap(wants("scrap", asked.location_id), at, note=asked.note)


__all__ = [
    "DECISIONS",
    "Decision",
    "Exchanged",
    "HandIn",
    "NotExchangeable",
    "Received",
    "exchange",
    "hand_in",
    "take_in",
]
