"""Returns: one declaration and one code for all three ways: by mail, in any shop, by pick-up.

The shopper says which units come back and gets a code. Staff of any shop check the units that
arrive and decide for each: for sale again, where it was handed in; into that shop's quarantine; or
scrap. Money and goods move in one transaction. A unit is declared once and received once: the
line of the sale counts what is on its way (`quantity_returning`) and what came back
(`quantity_refunded`), in guarded statements with a CHECK behind them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from ... import (
    catalogue,
    clock,
    ids,
    logbook,
    stock,
)
from ...db import in_transaction, repeatable, transaction
from ...errors import Invalid, NotFound, Refusal
from ..models import STANDING, Sale, SaleLine
from ..opening import resolved
from ..refunds.refunds import (
    NotRefundable,
    NotSoManyLeft,
    Part,
    held,
    refuse_on_its_way,
)
from .return_models import (
    REASONS,
    RETURN_TRANSITIONS,
    WAYS,
    Return,
    ReturnLine,
)

CODE_LENGTH = 8


class NotReturnable(Refusal):
    """This item is not taken back. `data`: position, item."""

    code = "not_returnable"
    status = 409
    title = "This item is not taken back"


class ReturnTooLate(Refusal):
    """The time for returning it is over. `data`: position, item, until."""

    code = "return_too_late"
    status = 409
    title = "The time for returning this is over"


class ReturnOver(Refusal):
    """The return was received, fetched or cancelled. `data`: state."""

    code = "return_over"
    status = 409
    title = "This return is over"


@dataclass(frozen=True)
class Wish:
    """What a shopper declares: `why` is one of REASONS or empty, `reason` their words. `key` is
    made by the page: the same key is the same return. The money comes to where it came from,
    or to their account."""

    sale_id: str
    parts: Sequence[Part]
    way: str
    reason: str
    key: str
    address: str = ""
    to_account: bool = False
    why: str = ""


@dataclass(frozen=True)
class Override:
    """Staff take back what the rules would not; who and why is kept with the return."""

    member_id: int
    reason: str


@repeatable
def declare(member_id: int, wish: Wish) -> str:
    """Opener: the shopper says what comes back; answers the return's id. Raises NotFound (also for
    another shopper's sale), Invalid, NotRefundable, OnItsWay, NotReturnable, ReturnTooLate,
    NotSoManyLeft."""
    with transaction():
        return declare_own(member_id, wish)


def declare_own(member_id: int, wish: Wish) -> str:
    """Joiner: the same, for the API."""
    sale = held(wish.sale_id)
    if sale is None or sale.member_id != member_id:
        raise NotFound("There is no such receipt")
    known = select(Return.id).where(Return.sale_id == sale.id, Return.key == wish.key)
    found = in_transaction().scalar(known)
    if found is not None:
        return str(found)
    if wish.way not in WAYS:
        raise Invalid("A return comes by mail, to a shop, or is picked up", field="way")
    if wish.way == "pick_up" and not wish.address:
        raise Invalid("Say where it is to be picked up", field="address")
    return declare_in(sale, wish, made_by=member_id)


@repeatable
def cancel(return_id: str, member_id: int | None = None) -> None:
    """Opener: what has not arrived is not coming back after all; with a member, only theirs, and
    only while it is with them. Raises NotFound, ReturnOver."""
    with transaction():
        cancel_in(return_id, member_id)


def cancel_in(return_id: str, member_id: int | None = None) -> None:
    """Joiner: the same, for the API."""
    found = held_return(return_id)
    if member_id is not None and _owner(found.sale_id) != member_id:
        raise NotFound("There is no such return")
    if member_id is not None and found.fetched_at is not None:
        raise ReturnOver(state="fetched")
    state = moved_by(found, "cancel")
    waiting = in_transaction().execute(
        select(ReturnLine.position, ReturnLine.quantity - ReturnLine.quantity_received).where(
            ReturnLine.return_id == return_id
        )
    )
    for position, many in waiting.all():
        count_returning(found.sale_id, position, -many)
    end(found, state)
    logbook.note("return.cancelled", return_id, after={"sale": found.sale_id})


def _owner(sale_id: str) -> int | None:
    return in_transaction().scalar(select(Sale.member_id).where(Sale.id == sale_id))


def held_return(return_id: str) -> Return:
    query = select(Return).where(Return.id == return_id[:20]).with_for_update()
    found = in_transaction().scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("There is no such return")
    return found


def declare_in(sale: Sale, wish: Wish, *, made_by: int, override: Override | None = None) -> str:
    if sale.fulfilment != "taken":
        refuse_on_its_way(sale.id)
    if sale.state not in STANDING:
        raise NotRefundable(state=sale.state)
    session, at = in_transaction(), clock.now()
    parts = summed(unit for units in resolved(sale, wish.parts) for unit in units)
    if override is None:
        _refuse_by_rules(sale, parts, at)
    return_id = ids.new()
    session.add(
        Return(
            id=return_id, sale_id=sale.id, code=ids.short_code(CODE_LENGTH), key=wish.key,
            way=wish.way, why=_why(wish), reason=wish.reason, address=wish.address,
            state="declared", to_account=wish.to_account, made_by=made_by, created_at=at,
            allowed_by=override.member_id if override else None,
            allowed_reason=override.reason if override else "",
        )
    )  # fmt: skip
    session.flush()
    for position, quantity, _ in parts:
        count_returning(sale.id, position, quantity)
        session.add(ReturnLine(return_id=return_id, position=position, quantity=quantity))
    session.flush()
    if wish.way == "pick_up":
        stock.open_task("pick_up", sale.location_id, member_id=made_by)
    return return_id


def _why(wish: Wish) -> str:
    """Words of one's own are some other reason. Raises Invalid."""
    if wish.why and wish.why not in REASONS:
        raise Invalid(f"why must be one of: {', '.join(REASONS)}", field="why")
    return wish.why or ("other" if wish.reason else "")


@repeatable
def fetch(return_id: str, *, made_by: int) -> None:
    """Opener: a courier, or staff, has it from the shopper's door; a second tap changes nothing.
    Raises NotFound, ReturnOver, Invalid where it is not picked up."""
    with transaction():
        found = held_return(return_id)
        if found.way != "pick_up":
            raise Invalid("This return is not picked up", field="of")
        if found.fetched_at is None:
            if found.state != "declared":
                raise ReturnOver(state=found.state)
            found.fetched_at, found.fetched_by = clock.now(), made_by
            _fetching_done(found, made_by)


def _fetching_done(found: Return, made_by: int | None) -> None:
    """Joiner: the last one that was to be fetched for a shop ends the task."""
    session = in_transaction()
    session.flush()
    shop = session.scalar(select(Sale.location_id).where(Sale.id == found.sale_id))
    waits = (
        select(Return.id)
        .join(Sale, Sale.id == Return.sale_id)
        .where(Return.state == "declared", Return.way == "pick_up", Return.fetched_at.is_(None))
        .where(Sale.location_id == shop)
    )
    if shop is not None and session.scalar(waits.limit(1)) is None:
        stock.close_tasks(("pick_up",), shop, None, made_by)


def summed(parts: Iterable[Part]) -> list[Part]:
    """A line that is named twice is one. Raises Invalid."""
    sums: dict[int, int] = {}
    for position, quantity, _ in parts:
        if not (1 <= quantity <= stock.LARGEST and 1 <= position <= stock.LARGEST):
            raise Invalid("A quantity is 1 or more", field="quantity")
        sums[position] = sums.get(position, 0) + quantity
    if not sums:
        raise Invalid("Say what comes back", field="quantity")
    return [Part(position, sums[position]) for position in sorted(sums)]


def _refuse_by_rules(sale: Sale, parts: Sequence[Part], at: datetime) -> None:
    rows = in_transaction().execute(
        select(SaleLine.position, SaleLine.item_id, catalogue.Item.code, SaleLine.of_position)
        .join(catalogue.Item, catalogue.Item.id == SaleLine.item_id)
        .where(SaleLine.sale_id == sale.id, SaleLine.kind.in_(("goods", "part")))
    )
    lines = {row.position: row for row in rows}
    rules = catalogue.rules_at([line.item_id for line in lines.values()], sale.created_at)
    for position, _, _ in parts:
        line = lines.get(position)
        if line is None:
            raise Invalid("The sale has no such line", field="quantity")
        rule = rules[line.item_id]
        if line.of_position is not None:
            rule = stricter(rule, rules[lines[line.of_position].item_id])
        if not rule.days:
            raise NotReturnable(position=position, item=line.code)
        until = sale.created_at + timedelta(days=rule.days)
        if at > until:
            raise ReturnTooLate(position=position, item=line.code, until=until.isoformat())


def stricter(one: catalogue.Rule, other: catalogue.Rule) -> catalogue.Rule:
    """A part of a bundle comes back by its own rule and by the bundle's."""
    return catalogue.Rule(min(one.days, other.days), one.opened and other.opened)


_returning = (
    update(SaleLine)
    .where(
        SaleLine.sale_id == bindparam("sale"),
        SaleLine.position == bindparam("line"),
        SaleLine.kind.in_(("goods", "part")),
        SaleLine.quantity_returning + bindparam("many") >= 0,
        SaleLine.quantity_refunded
        + SaleLine.quantity_opened
        + SaleLine.quantity_returning
        + bindparam("many")
        <= SaleLine.quantity,
    )
    .values(quantity_returning=SaleLine.quantity_returning + bindparam("many"))
)


def count_returning(sale_id: str, position: int, many: int) -> None:
    """The guard: never more units are on their way back than are left. Raises NotSoManyLeft."""
    if not many:
        return
    row = {"sale": sale_id, "line": position, "many": many}
    if in_transaction().connection().execute(_returning, row).rowcount != 1:
        left = in_transaction().scalar(
            select(SaleLine.quantity - SaleLine.quantity_refunded - SaleLine.quantity_returning
                   - SaleLine.quantity_opened)
            .where(SaleLine.sale_id == sale_id, SaleLine.position == position)
        )  # fmt: skip
        raise NotSoManyLeft(position=position, left=left or 0, asked=many)


def moved_by(found: Return, event: str) -> str:
    """The state that the event leads to. Raises ReturnOver."""
    state = RETURN_TRANSITIONS.get((found.state, event))
    if state is None:
        raise ReturnOver(state=found.state)
    return state


def end(found: Return, state: str) -> None:
    moved = in_transaction().execute(
        update(Return).where(Return.id == found.id, Return.state == found.state).values(state=state)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise ReturnOver(state=state)
    if found.way == "pick_up":
        _fetching_done(found, None)


__all__ = [
    "NotReturnable", "Override", "ReturnOver", "ReturnTooLate", "Wish", "cancel", "declare",
    "fetch",
]  # fmt: skip
