"""Reading takings: the roll-up and what still waits in the outbox, in one snapshot."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    Subquery,
    func,
    select,
    union_all,
)

from .. import web
from ..catalogue.models import Item
from ..db import db
from ..outbox import Outbox
from .calendar import Span, pieces
from .events import MEASURES, PAID, REFUNDED, Choice, events, sums
from .models import (
    WHOLE_DAY,
    WHOLE_YEAR,
    Reckoning,
    Takings,
    TakingsOfItem,
    TakingsOfMember,
)

__all__ = ["Books", "open_books"]


@dataclass(frozen=True)
class Books:
    """The books at one moment. `waiting` says that the outbox holds sales which the roll-up does
    not have; `usable` is false while the roll-up is in the days of another time zone, and then
    everything is read from the sale lines: slower, and still right."""

    connection: Connection
    waiting: bool
    usable: bool

    def summed(
        self,
        span: Span,
        choice: Choice,
        keys: Sequence[str] = (),
        *,
        before: datetime | None = None,
    ) -> list[Row[Any]]:
        """The measures summed by the keys: day, hour, location_id, channel, means, item_id,
        member_id, seller_id. `before` ends the span within a day."""
        rows = self._rows(span, choice, keys, before)
        groups = [rows.c[key] for key in keys]
        return list(self.connection.execute(select(*groups, *sums(rows)).group_by(*groups)))

    def by_item(self, span: Span, choice: Choice) -> list[Row[Any]]:
        """The measures of every item, with the item's category."""
        rows = self._rows(span, choice, ("item_id",), None)
        found = select(rows.c.item_id, *sums(rows)).group_by(rows.c.item_id).subquery()
        query = select(Item.category_id, found).join_from(found, Item, Item.id == found.c.item_id)
        return list(self.connection.execute(query))

    def by_item_and_seller(self, span: Span, choice: Choice) -> tuple[list[Any], list[Any]]:
        """The same, and the measures of every seller and channel, from one statement: where they
        come from the sale lines these are gone through once."""
        fine = self.summed(span, choice, ("item_id", "seller_id", "channel"))
        categories = {
            row.id: row.category_id
            for row in self.connection.execute(select(Item.id, Item.category_id))
        }
        goods = ((categories[row[0]], row[0], *row[3:]) for row in fine)
        return _added(goods), _added((*row[1:],) for row in fine)

    def brands(self) -> dict[int, str]:
        """The brands of items, of those that have one."""
        query = select(Item.id, Item.brand).where(Item.brand != "")
        return {row.id: row.brand for row in self.connection.execute(query)}

    def top_shoppers(
        self, span: Span, choice: Choice, limit: int | None, offset: int = 0
    ) -> tuple[list[Row[Any]], int]:
        """The shoppers who brought most, and how many there are in all."""
        if self.from_lines(choice, ("member_id",)):
            found = self.summed(span, choice, ("member_id",))
            found.sort(key=lambda row: (-row.total_minor, row.member_id))
            return found[offset : None if limit is None else offset + limit], len(found)
        rows = self._rows(span, choice, ("member_id",), None)
        brought = func.sum(rows.c.total_minor)
        ranked = (
            select(rows.c.member_id)
            .group_by(rows.c.member_id)
            .order_by(brought.desc(), rows.c.member_id)
        )
        # Ranked by one sum and counted by itself: all the sums of everybody would take twice as
        # long, and so would a count that is carried along.
        top = list(self.connection.scalars(ranked.limit(limit).offset(offset)))
        many = len(top)
        if offset or (limit is not None and many == limit):
            everybody = select(rows.c.member_id).group_by(rows.c.member_id).subquery()
            many = self.connection.scalar(select(func.count()).select_from(everybody)) or 0
        sums_of = {row.member_id: row for row in self._of_members(rows, top)}
        return [sums_of[member_id] for member_id in top], int(many)

    def _of_members(self, rows: Subquery, member_ids: list[int]) -> Iterator[Row[Any]]:
        grouped = select(rows.c.member_id, *sums(rows)).group_by(rows.c.member_id)
        for at in range(0, len(member_ids), 500):
            some = rows.c.member_id.in_(member_ids[at : at + 500])
            yield from self.connection.execute(grouped.where(some))

    def rows(self, span: Span, choice: Choice, keys: Sequence[str]) -> Subquery:
        """The same as rows for a statement to go on with: each event once, by the keys or finer."""
        return self._rows(span, choice, keys, None)

    def currencies(self) -> list[str]:
        """The currencies in which anything was ever sold, without reading every row."""
        found: list[str] = []
        while True:
            after = found[-1] if found else ""
            query = select(func.min(Takings.currency)).where(Takings.currency > after)
            following = self.connection.scalar(query)
            if following is None:
                return found
            found.append(following)

    def from_lines(self, choice: Choice, keys: Sequence[str]) -> bool:
        """Whether no roll-up has the answer: what somebody bought, at which hours and by which
        means is in none, nor are hours, shoppers and means of some goods, nor who sold."""
        of_goods = choice.of_goods or _by_goods(keys)
        of_member = choice.member_id is not None or "member_id" in keys
        by_means = choice.means is not None or "means" in keys
        by_staff = choice.sold_by is not None or "sold_by" in keys
        several = of_goods + of_member + (by_means or "hour" in keys) > 1
        return not self.usable or by_staff or several

    def _rows(
        self, span: Span, choice: Choice, keys: Sequence[str], before: datetime | None
    ) -> Subquery:
        """Rows that hold each event of the span once, on as coarse a level as the keys allow."""
        by_item = choice.of_goods or _by_goods(keys)
        names = [*keys, *MEASURES]
        if before is not None or self.from_lines(choice, keys):
            found = events(span, replace(choice, before=before), by_item=by_item)
            return select(*(found.c[name] for name in names)).subquery()
        model: type[Any] = Takings
        if by_item:
            model = TakingsOfItem
        elif choice.member_id is not None or "member_id" in keys:
            model = TakingsOfMember
        longest = WHOLE_DAY if model is Takings or "day" in keys else WHOLE_YEAR
        parts = _kept_rows(model, names, span, choice, longest)
        if self.waiting:
            found = events(span, replace(choice, settled=False), by_item=by_item)
            parts.append(select(*(found.c[name] for name in names)))
        return union_all(*parts).subquery() if len(parts) > 1 else parts[0].subquery()


def _added(rows: Iterable[Sequence[Any]]) -> list[Any]:
    """Rows of two keys and the measures, added up by both keys."""
    sums: dict[Any, Sequence[int]] = {}
    for row in rows:
        key, measures = tuple(row[:2]), row[2:]
        known = sums.get(key)
        sums[key] = measures if known is None else tuple(map(operator.add, known, measures))
    return [(*key, *measures) for key, measures in sums.items()]


def _by_goods(keys: Sequence[str]) -> bool:
    return "item_id" in keys or "seller_id" in keys


def open_books() -> Books:
    """The books as they are now: what is read from them until the visit ends, or until they are
    opened again, fits together, whatever is sold and rolled up meanwhile."""
    session = db.session()
    if session.info.get("open"):
        connection = session.connection()
    else:
        session.rollback()
        options = {}
        if session.get_bind().dialect.name == "postgresql":
            # By itself each statement would see the books of its own moment.
            options = {"isolation_level": "REPEATABLE READ"}
        connection = session.connection(execution_options=options)
    due = select(Outbox.id).where(Outbox.topic.in_((PAID, REFUNDED))).limit(1)
    waiting = connection.scalar(due) is not None
    kept = connection.scalar(select(Reckoning.time_zone))
    usable = kept in (None, web.setting("TIME_ZONE"))
    return Books(connection, waiting, usable)


def _kept_rows(
    model: type[Any], names: Sequence[str], span: Span, choice: Choice, longest: int
) -> list[Select[Any]]:
    """Rows of a roll-up table: one select for each run of days, months or years."""
    table = model.__table__.c
    conditions = [
        column == wanted
        for column, wanted in (
            (table.currency, choice.currency),
            (table.location_id, choice.location_id),
            (table.channel, choice.channel),
            (table.get("item_id"), choice.item_id),
            (table.get("member_id"), choice.member_id),
            (table.get("means"), choice.means),
            (table.get("seller_id"), choice.seller_id),
        )
        if wanted is not None
    ]
    if choice.category_id is not None:
        members = select(Item.id).where(Item.category_id == choice.category_id)
        conditions.append(table.item_id.in_(members))
    if choice.brand is not None:
        members = select(Item.id).where(Item.brand == choice.brand)
        conditions.append(table.item_id.in_(members))
    found = []
    for months, part in pieces(span, longest):
        query = select(*(table[name] for name in names)).where(*conditions)
        if "months" in table:
            query = query.where(table.months == months)
        found.append(query.where(table.day.between(part.first, part.last)))
    return found
