"""Returns read back: what of a sale may come back, and until when; and which returns there are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from ... import catalogue, clock, ids
from ...db import connection
from ..models import Sale, SaleLine
from ..receipts.receipts import Receipt, ReceiptLine, receipt
from .return_models import Return, ReturnDecision, ReturnLine
from .returns import stricter

OPEN = ("declared", "part_received")
PAGE = 50


@dataclass(frozen=True)
class Inside:
    """What is in the bundle on a line: how many pieces of it may still be declared, and `why_not`
    as of a line."""

    item_id: int
    names: dict[str, str]
    left: int
    why_not: str


@dataclass(frozen=True)
class Returnable:
    """A line of a sale: how many units may still be declared, the rule of the day of the sale, and
    until when it holds. `why_not` is "never", "late", "none" (nothing is left), or empty. `inside`
    is what is in a bundle, that comes back alone, too."""

    line: ReceiptLine
    rule: catalogue.Rule
    until: datetime
    left: int
    why_not: str
    inside: tuple[Inside, ...] = ()


@dataclass(frozen=True)
class Coming:
    """Units of a line in a return."""

    position: int
    names: dict[str, str]
    picture: str | None
    quantity: int
    received: int

    @property
    def awaited(self) -> int:
        return self.quantity - self.received


@dataclass(frozen=True)
class Known:
    """A return as pages show it."""

    id: str
    sale_id: str
    code: str
    way: str
    why: str
    reason: str
    address: str
    state: str
    created_at: datetime
    allowed_reason: str
    fetched_at: datetime | None
    member_id: int | None
    to_account: bool
    lines: tuple[Coming, ...] = ()
    decisions: tuple[tuple[int, int, str], ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def to_fetch(self) -> bool:
        """Whether it still lies at the shopper's, to be picked up there."""
        return self.way == "pick_up" and self.state == "declared" and self.fetched_at is None

    @property
    def number(self) -> str:
        """The code as people read it out."""
        return f"{self.code[:4]}-{self.code[4:]}"


def returnable(sale: Receipt) -> list[Returnable]:
    """Every line of a sale with what may come back of it now."""
    at = clock.now()
    contents = catalogue.parts_of({line.item_id for line in sale.lines if line.is_bundle})
    items = {part.item_id for parts in contents.values() for part in parts}
    items |= {line.item_id for line in sale.lines}
    rules = catalogue.rules_at(items, sale.created_at)
    returning = dict(
        connection().execute(
            select(SaleLine.position, SaleLine.quantity_returning).where(
                SaleLine.sale_id == sale.id, SaleLine.kind.in_(("goods", "part"))
            )
        ).all()
    )  # fmt: skip
    bundles = {line.position: line.item_id for line in sale.lines}
    found = []
    for line in sale.lines:
        if line.position not in returning:
            continue  # What delivery cost is no goods.
        rule = rules[line.item_id]
        if line.of_position is not None:
            rule = stricter(rule, rules[bundles[line.of_position]])
        if line.quantity == line.quantity_opened:
            continue  # Its parts are lines of their own.
        until = sale.created_at + timedelta(days=rule.days)
        left = line.kept - returning[line.position]
        inside = tuple(
            Inside(
                part.item_id,
                part.names,
                left * part.quantity,
                _why_not(stricter(rule, rules[part.item_id]), sale.created_at, at, left),
            )
            for part in contents.get(line.item_id, ())
        )
        why_not = _why_not(rule, sale.created_at, at, left)
        found.append(Returnable(line, rule, until, left, why_not, inside))
    return found


def _why_not(rule: catalogue.Rule, sold_at: datetime, at: datetime, left: int) -> str:
    if not rule.days:
        return "never"
    if at > sold_at + timedelta(days=rule.days):
        return "late"
    return "" if left else "none"


def one(return_id: str) -> Known | None:
    found = _known(_query().where(Return.id == return_id[:20]))
    return found[0] if found else None


def of_sale(sale_id: str) -> list[Known]:
    """The returns of a sale, the newest first."""
    return _known(_query().where(Return.sale_id == sale_id[:20]))


def awaited() -> list[Known]:
    """Returns of which something has not arrived, the newest first."""
    return _known(_query().where(Return.state.in_(OPEN)).limit(PAGE))


_SALE_ID = re.compile(rf"(?<![0-9A-Z])[{ids.ALPHABET}]{{20}}(?![0-9A-Z])", re.ASCII)


def find(text: str) -> tuple[str, str | None] | None:
    """The sale, and the return if one is meant, that a scanned or typed text names: a return's
    code, or a receipt or a pass (its address or its number). None when nothing fits."""
    text = text.strip().upper()[:1000]
    code = ids.normalise(text.rpartition("=")[2].rpartition("/")[2])
    if len(code) == 8 and code.isascii() and code.isalnum():
        row = connection().execute(
            select(Return.sale_id, Return.id).where(Return.code == code)
        ).first()  # fmt: skip
        if row is not None:
            return row[0], row[1]
    number = text if len(text) > 24 else ids.normalise(text)
    for sale_id in _SALE_ID.findall(number):
        if connection().execute(select(Sale.id).where(Sale.id == sale_id)).first() is not None:
            waiting = [each.id for each in of_sale(sale_id) if each.is_open]
            return sale_id, waiting[0] if waiting else None
    return None


def bought_lately(member_id: int, item_id: int) -> Receipt | None:
    """The member's newest sale of an item, whether or not it may still come back."""
    newest = (
        select(Sale.id)
        .join(SaleLine, SaleLine.sale_id == Sale.id)
        .where(Sale.member_id == member_id, SaleLine.item_id == item_id)
        .order_by(Sale.created_at.desc())
        .limit(1)
    )
    sale_id = connection().execute(newest).scalar()
    return None if sale_id is None else receipt(sale_id, member_id)


def _query() -> Any:
    return (
        select(
            Return.id, Return.sale_id, Return.code, Return.way, Return.why, Return.reason,
            Return.address, Return.state, Return.created_at, Return.allowed_reason,
            Return.fetched_at, Sale.member_id, Return.to_account,
        )
        .join(Sale, Sale.id == Return.sale_id)
        .order_by(Return.id.desc())
    )  # fmt: skip


def _known(query: Any) -> list[Known]:
    heads = connection().execute(query).all()
    found = [head.id for head in heads]
    lines, decisions = _lines(found), _decisions(found)
    return [
        replace(Known(*head), lines=tuple(lines[head.id]), decisions=tuple(decisions[head.id]))
        for head in heads
    ]


def _lines(return_ids: Sequence[str]) -> dict[str, list[Coming]]:
    found: dict[str, list[Coming]] = {one_id: [] for one_id in return_ids}
    query = (
        select(
            ReturnLine.return_id, ReturnLine.position, SaleLine.names, catalogue.Item.picture,
            ReturnLine.quantity, ReturnLine.quantity_received,
        )
        .join(Return, Return.id == ReturnLine.return_id)
        .join(
            SaleLine,
            (SaleLine.sale_id == Return.sale_id) & (SaleLine.position == ReturnLine.position),
        )
        .join(catalogue.Item, catalogue.Item.id == SaleLine.item_id)
        .where(ReturnLine.return_id.in_(return_ids))
        .order_by(ReturnLine.return_id, ReturnLine.position)
    )  # fmt: skip
    for row in connection().execute(query) if return_ids else ():
        found[row[0]].append(Coming(*row[1:]))
    return found


def _decisions(return_ids: Sequence[str]) -> dict[str, list[tuple[int, int, str]]]:
    found: dict[str, list[tuple[int, int, str]]] = {one_id: [] for one_id in return_ids}
    query = (
        select(ReturnDecision.return_id, ReturnDecision.position, ReturnDecision.quantity,
               ReturnDecision.decision)
        .where(ReturnDecision.return_id.in_(return_ids))
        .order_by(ReturnDecision.id)
    )  # fmt: skip
    for row in connection().execute(query) if return_ids else ():
        found[row[0]].append((row[1], row[2], row[3]))
    return found
