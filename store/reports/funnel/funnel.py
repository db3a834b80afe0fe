"""Labels as a funnel: scanned, looked at, put into the basket, paid; and those that are dead.

Scans are those that the labels' room has counted, sales those of the lines that say which label was
scanned. A label *stands* while it is the newest of its item at its place, was handed to a printer,
is not out of use, and its item is for sale; dead is one that stands and that nobody has scanned
for so many days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import aliased

from ... import clock
from ...catalogue.models import Category, Item
from ...labels.models import Label, LabelScan, PrintJob
from ...stock.models import Location
from ..calendar import Span, day_number, today
from ..figures import compared_days
from ..filters import Filters
from ..reading import Books, open_books
from .funnel_counts import (
    Steps,
    counted_in,
    series_of,
    sum_of,
)

__all__ = ["DEAD_DAYS", "LISTS", "MUCH", "SORTS", "Asked", "Brief", "Cut", "Funnel",
           "LabelLine", "funnel", "lines_of", "one", "page_of"]  # fmt: skip

LISTS = ("all", "dead", "unpaid")
DEAD_DAYS = (7, 14, 30, 60, 90)
SORTS = ("scans", "looks", "baskets", "sales", "total", "rate", "printed")
MUCH = 5
"""So many scans without a sale are worth a look."""


class Asked(NamedTuple):
    """The time and the goods, which of the labels, since when one is dead, in which order."""

    filters: Filters
    which: str = "all"
    dead_days: int = 30
    sort: str = "scans"

    def address(self) -> dict[str, Any]:
        more = {"which": self.which, "dead": self.dead_days, "sort": self.sort}
        default = {"which": "all", "dead": 30, "sort": "scans"}
        return self.filters.address() | {
            name: value for name, value in more.items() if value != default[name]
        }


class LabelLine(NamedTuple):
    """A label of the list, with its item."""

    id: str
    item_id: int
    location_id: int
    shelf: str
    price_minor: int
    currency: str
    printed_at: datetime
    revoked_at: datetime | None
    code: str
    names: dict[str, str]
    category_id: int | None
    steps: Steps


class Cut(NamedTuple):
    """A line of a table by place or category."""

    key: Any
    code: str
    names: dict[str, str]
    labels: int
    steps: Steps


class Brief(NamedTuple):
    """What sorts a label into lists and tables. `lately` says that it was scanned in the days after
    which it would be dead."""

    id: str
    location_id: int
    category_id: int | None
    printed_at: datetime
    stands: bool
    lately: bool
    steps: Steps


@dataclass(frozen=True)
class Funnel:
    """What the page shows of all labels that were asked for; `listed` are those of the list, in its
    order."""

    asked: Asked
    steps: Steps
    before: Steps
    before_span: Span
    standing: int
    dead: int
    unpaid: int
    places: list[Cut]
    categories: list[Cut]
    listed: list[Brief]


def funnel(asked: Asked) -> Funnel:
    """All of it, from one moment. What was counted is read once, label by label: ten thousand are
    sorted faster than they are asked for again."""
    books, filters = open_books(), asked.filters
    past, _ = compared_days(filters)
    briefs = _briefs(books, asked)
    return Funnel(
        asked, sum_of(one.steps for one in briefs),
        _sum(books, filters, past), past, sum(one.stands for one in briefs),
        sum(_fits(one, "dead", asked) for one in briefs),
        sum(_fits(one, "unpaid", asked) for one in briefs),
        _cuts(books, briefs, "location_id", Location),
        _cuts(books, briefs, "category_id", Category), _listed(briefs, asked),
    )  # fmt: skip


def page_of(asked: Asked, limit: int | None, offset: int = 0) -> list[LabelLine]:
    """Labels of the list, in its order."""
    books = open_books()
    found = _listed(_briefs(books, asked), asked)
    return lines_of(found[offset : None if limit is None else offset + limit])


def lines_of(some: Sequence[Brief]) -> list[LabelLine]:
    """These labels with their items, in the same order."""
    books, known = open_books(), dict[str, Any]()
    for at in range(0, len(some), 500):
        query = _with_items().where(Label.id.in_([one.id for one in some[at : at + 500]]))
        known |= {row.id: row for row in books.connection.execute(query)}
    return [LabelLine._make([*known[one.id], one.steps]) for one in some]


def one(filters: Filters, label_id: str) -> tuple[LabelLine, bool] | None:
    """A label with its funnel, and whether it stands."""
    books = open_books()
    query = _with_items().where(Label.id == label_id)
    row = books.connection.execute(query).first()
    if row is None:
        return None
    stands = books.connection.scalar(query.where(*_stands()).with_only_columns(Label.id))
    steps = sum_of(steps for _, steps in series_of(filters, label_id))
    return LabelLine._make([*row, steps]), stands is not None


def _with_items() -> Any:
    return select(
        Label.id, Label.item_id, Label.location_id, Label.shelf, Label.price_minor, Label.currency,
        Label.printed_at, Label.revoked_at, Item.code, Item.names, Item.category_id,
    ).join(Item, Item.id == Label.item_id)  # fmt: skip


def _briefs(books: Books, asked: Asked) -> list[Brief]:
    """The labels that stand, and all that were scanned or sold from in the span."""
    filters, read = asked.filters, books.connection.execute
    columns = (Label.id, Label.location_id, Item.category_id, Label.printed_at)
    mine = select(*columns).join(Item, Item.id == Label.item_id).where(*_chosen(filters))
    counted = counted_in(books, filters, filters.span).c
    rows = read(
        mine.join(counted.label_id.table, counted.label_id == Label.id).add_columns(
            *(counted[name] for name in Steps._fields)
        )
    ).all()
    standing = {row.id: row for row in read(mine.where(*_stands()))}
    since = day_number(today()) - asked.dead_days + 1
    lately = set(
        books.connection.scalars(
            select(LabelScan.label_id)
            .where(LabelScan.months == 0, LabelScan.day >= since)
            .distinct()
        )
    )
    found = [
        Brief._make([*row[:4], row.id in standing, row.id in lately, Steps._make(row[4:])])
        for row in rows
    ]
    known = {one.id for one in found}
    nothing = Steps()
    found += [
        Brief(*row, True, row.id in lately, nothing)
        for row in standing.values()
        if row.id not in known
    ]
    return found


def _chosen(filters: Filters) -> list[Any]:
    return [
        column == wanted
        for column, wanted in (
            (Label.location_id, filters.location and filters.location.id),
            (Label.item_id, filters.item and filters.item.id),
            (Item.category_id, filters.category and filters.category.id),
            (Item.brand, filters.brand),
        )
        if wanted is not None
    ]  # fmt: skip


def _fits(one: Brief, which: str, asked: Asked) -> bool:
    if which == "dead":
        old = one.printed_at < clock.now() - timedelta(days=asked.dead_days)
        return one.stands and old and not one.lately
    return which == "all" or (one.steps.looks >= MUCH and not one.steps.sales)


def _listed(briefs: Sequence[Brief], asked: Asked) -> list[Brief]:
    found = [one for one in briefs if _fits(one, asked.which, asked)]
    found.sort(key=lambda one: one.id)
    if asked.sort == "printed" or asked.which == "dead":
        found.sort(key=lambda one: one.printed_at, reverse=True)
    elif asked.sort == "rate":
        found.sort(key=lambda one: one.steps.sales / max(one.steps.looks, 1), reverse=True)
    else:
        name = "total_minor" if asked.sort == "total" else asked.sort
        found.sort(key=lambda one: int(getattr(one.steps, name)), reverse=True)
    return found


def _stands() -> list[Any]:
    newer, job = aliased(Label), PrintJob
    later = select(newer.id).where(
        newer.item_id == Label.item_id, newer.location_id == Label.location_id,
        newer.job_id > Label.job_id,
    )  # fmt: skip
    handed = select(job.id).where(job.id == Label.job_id, job.handed > Label.position)
    return [Label.revoked_at.is_(None), Item.archived_at.is_(None), handed.exists(),
            ~later.exists()]  # fmt: skip


def _cuts(books: Books, briefs: Sequence[Brief], by: str, model: Any) -> list[Cut]:
    """What was counted by place or category, most scanned first."""
    sums: dict[Any, list[Steps]] = {}
    for one in briefs:
        if any(one.steps):
            sums.setdefault(getattr(one, by), []).append(one.steps)
    cuts = [Cut(key, "", {}, len(some), sum_of(some)) for key, some in sums.items()]
    return _named(books, cuts, model)


def _named(books: Books, cuts: list[Cut], model: Any) -> list[Cut]:
    names = model.names if model is Category else model.name
    rows = books.connection.execute(select(model.id, model.code, names)).all()
    known = {row[0]: (row[1], row[2] if model is Category else {"": row[2]}) for row in rows}
    found = []
    for one in cuts:
        code, of = known.get(one.key, ("", {}))
        found.append(one._replace(code=code, names=of))
    return sorted(found, key=lambda one: (-one.steps.scans, one.code))


def _sum(books: Books, filters: Filters, span: Span) -> Steps:
    """All of it in other days."""
    counted = counted_in(books, filters, span).c
    table = counted.label_id.table
    sums = [cast(func.coalesce(func.sum(counted[name]), 0), BigInteger) for name in Steps._fields]
    query = select(*sums).select_from(table)
    if _chosen(filters):
        query = (
            query.join(Label, Label.id == counted.label_id)
            .join(Item, Item.id == Label.item_id)
            .where(*_chosen(filters))
        )
    return Steps._make(books.connection.execute(query).one())
