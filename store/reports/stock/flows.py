"""The flows of stock: movements summed up by day and month, up to a movement that is certain.

An id is given out before the commit, so a smaller one may become visible after a larger. The change
feed waits for that already, and its mark says up to which movement all are decided: the flows go
just as far. What is newer the pages add from the movements themselves.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Subquery,
    case,
    cast,
    delete,
    func,
    literal,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from ... import web
from ...db import (
    Base,
    insert_new,
    repeatable,
    transaction,
)
from ...stock.models import Movement
from .. import calendar
from ..calendar import (
    Span,
    day_number,
    local_day,
    months_of,
    pieces,
    zone,
)
from ..models import WHOLE_DAY, WHOLE_MONTH
from ..reading import Books
from .flow_models import Flow, FlowMark

__all__ = ["KEYS", "MEASURES", "differences", "flows", "fold", "sold_of"]

KEYS = ("item_id", "location_id")
MEASURES = ("quantity", "quantity_days", "sold")
AT_ONCE = 200_000
FEW = 200
"""So many new movements are not worth a commit: a page adds them in no time."""


def fold(least: int = FEW) -> int:
    """Opener, as often as needed: sum up the movements that are certain, if there are so many new
    ones; answers how many. For the worker."""
    done = 0
    while many := _fold_once(least):
        done += many
    return done


@repeatable
def _fold_once(least: int) -> int:
    with transaction() as session:
        connection, name = session.connection(), web.setting("TIME_ZONE")
        mark, certain = read_mark(connection), _certain(connection)
        if mark is not None and mark.time_zone == name and certain - mark.seen_id < max(1, least):
            return 0
        first = {"id": 1, "seen_id": 0, "time_zone": name}
        connection.execute(insert_new(FlowMark), [first])
        locked = session.execute(
            select(FlowMark.seen_id, FlowMark.time_zone).with_for_update()
        ).one()
        since = locked.seen_id
        if locked.time_zone != name:
            session.execute(delete(Flow))
            since = 0
        upto = min(certain, since + AT_ONCE)
        if upto > since:
            _add(connection, since, upto)
        session.execute(update(FlowMark).values(seen_id=max(upto, since), time_zone=name))
        return max(0, int(upto) - int(since))


def read_mark(connection: Connection) -> Any:
    return connection.execute(select(FlowMark.seen_id, FlowMark.time_zone)).first()


def _certain(connection: Connection) -> int:
    marks = Base.metadata.tables["change_marks"].c
    found = connection.execute(select(marks.seen_id).where(marks.name == "movements")).scalar()
    return int(found or 0)


def _add(connection: Connection, since: int, upto: int) -> None:
    some = (Movement.id > since, Movement.id <= upto)
    ends = connection.execute(select(func.min(Movement.at), func.max(Movement.at)).where(*some))
    first, last = (moment for moment in ends.one())
    span = Span(*(day_number(at.astimezone(zone()).date()) for at in (first, last)))
    table: Any = Flow.__table__
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    for months in (WHOLE_DAY, WHOLE_MONTH):
        rows = summed(span, months, *some)
        adding: Any = insert(table).from_select(["months", "day", *KEYS, *MEASURES], rows)
        connection.execute(
            adding.on_conflict_do_update(
                index_elements=["months", "day", *KEYS],
                set_={name: table.c[name] + adding.excluded[name] for name in MEASURES},
            )
        )


def summed(span: Span, months: int, *some: ColumnElement[bool]) -> Select[Any]:
    """The rows that these movements, all of them within the span, come to."""
    rows = _moved(span, *some).subquery().c
    start: Any = rows.day
    if months == WHOLE_MONTH:
        starts = [calendar.month_start(part.first) for part in months_of(span)]
        *later, _ = zip(starts, [*starts[1:], 0])
        whens = [(rows.day < _number(after), _number(first)) for first, after in later]
        start = case(*whens, else_=_number(starts[-1])) if whens else _number(starts[-1])
    days = select(start.label("start"), *(rows[name] for name in (*KEYS, *MEASURES))).subquery().c
    return (
        select(
            _number(months).label("months"), days.start, *(days[name] for name in KEYS),
            *(cast(func.sum(days[name]), BigInteger) for name in MEASURES),
        )
        .where(literal_column("1 = 1"))
        .group_by(days.start, *(days[name] for name in KEYS))
    )  # fmt: skip


def _number(value: int) -> ColumnElement[int]:
    return literal(value, BigInteger)


def _moved(span: Span, *some: ColumnElement[bool]) -> Select[Any]:
    """Each of these movements with its day and measures."""
    at: Any = Movement.at
    day = local_day(at, span)
    sold = case((Movement.reason.in_(("sold", "returned")), -Movement.quantity), else_=0)
    return select(
        day.label("day"), Movement.item_id, Movement.location_id, Movement.quantity,
        (Movement.quantity * day).label("quantity_days"), sold.label("sold"),
    ).where(*some)  # fmt: skip


def flows(books: Books, span: Span, *, name: str = "flows") -> Subquery:
    """What flowed in the days of a span, by the keys, each movement once: item_id, location_id, and
    `quantity`, `moved` (each movement times the days since the first of the span) and `sold`."""
    rows = flow_rows(books, span, (*KEYS, *MEASURES)).c
    moved = func.sum(rows.quantity_days) - span.first * func.sum(rows.quantity)
    return (
        select(
            *(rows[key] for key in KEYS),
            cast(func.sum(rows.quantity), BigInteger).label("quantity"),
            cast(moved, BigInteger).label("moved"),
            cast(func.sum(rows.sold), BigInteger).label("sold"),
        )
        .group_by(*(rows[key] for key in KEYS))
        .subquery(name)
    )


def sold_of(books: Books, span: Span, item_ids: list[int], place: int | None) -> dict[int, int]:
    """How many of these items left for sales in the days, at one place or at all."""
    rows = flow_rows(books, span, (*KEYS, "sold"), item_ids=item_ids).c
    query = select(rows.item_id, cast(func.sum(rows.sold), BigInteger)).group_by(rows.item_id)
    if place is not None:
        query = query.where(rows.location_id == place)
    return {row[0]: row[1] for row in books.connection.execute(query)}


def flow_rows(
    books: Books, span: Span, names: tuple[str, ...], *, item_ids: list[int] | None = None
) -> Subquery:
    """Rows that hold each movement of the span (of some items) once, on as coarse a level as can
    be."""
    mark = read_mark(books.connection)
    usable = mark is not None and mark.time_zone == web.setting("TIME_ZONE")
    seen = mark.seen_id if usable else 0
    of = Flow.__table__.c
    mine = Movement.id > seen, *([] if item_ids is None else [Movement.item_id.in_(item_ids)])
    kept = [] if item_ids is None else [of.item_id.in_(item_ids)]
    some = _moved(span, *mine).subquery().c
    parts = [select(*(some[name] for name in names)).where(some.day.between(span.first, span.last))]
    for months, part in pieces(span, WHOLE_MONTH) if usable else ():
        here = (of.months == months, of.day.between(part.first, part.last), *kept)
        parts.append(select(*(of[name] for name in names)).where(*here))
    return union_all(*parts).subquery("flow_rows")


def differences(books: Books) -> int:
    """How many rows are not the sum of the movements up to the mark; 0 where nothing is summed up,
    or in the days of another zone."""
    mark = read_mark(books.connection)
    if mark is None or mark.time_zone != web.setting("TIME_ZONE"):
        return 0
    some = Movement.id <= mark.seen_id
    ends = select(func.min(Movement.at), func.max(Movement.at)).where(some)
    first, last = books.connection.execute(ends).one()
    wrong = 0
    for months in (WHOLE_DAY, WHOLE_MONTH):
        of = Flow.__table__.c
        kept = select(
            of.months,
            of.day,
            *(of[name] for name in KEYS),
            *((-of[name]).label(name) for name in MEASURES),
        ).where(of.months == months)
        both: Any = kept
        if first is not None:
            span = Span(*(day_number(at.astimezone(zone()).date()) for at in (first, last)))
            both = union_all(kept, summed(span, months, some))
        both_rows = both.subquery()
        rows = both_rows.c
        names = list(rows.keys())
        off: Select[Any] = (
            select(literal_column("1"))
            .select_from(both_rows)
            .group_by(*(rows[name] for name in names[:4]))
            .having(_off(rows, names[4:]) > 0)
        )
        query = select(func.count()).select_from(off.subquery())
        wrong += int(books.connection.scalar(query) or 0)
    return wrong


def _off(rows: Any, names: list[str]) -> Any:
    """How far the sums of these columns are from nothing."""
    total: Any = literal(0, BigInteger)
    for name in names:
        total = total + func.abs(func.sum(rows[name]))
    return total
