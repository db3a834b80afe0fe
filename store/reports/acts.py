"""The logbook, read: who did what, on what, in which days; any page of it as quick as the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, literal, select, tuple_

from ..catalogue.models import Item
from ..db import connection
from ..errors import Invalid
from ..logbook import VERBS, Act
from ..stock.models import Location
from .calendar import day_number, microseconds, midnight, moment_of

__all__ = ["Asked", "Entry", "Place", "every", "item_names", "newest", "read", "read_place"]

AT_ONCE = 1000
COMMANDS = "command"

Place = tuple[datetime, int]
"""Where in the list an entry stands: its moment and its number."""


class Asked(NamedTuple):
    """Which entries are wanted. `who` is a member's number, or "command"; days are the shop's."""

    who: str = ""
    verb: str = ""
    kind: str = ""
    object: str = ""
    first: date | None = None
    last: date | None = None

    def address(self) -> dict[str, str]:
        """The arguments of an address that asks this again."""
        given = {
            "who": self.who, "verb": self.verb, "kind": self.kind, "object": self.object,
            "from": self.first.isoformat() if self.first else "",
            "to": self.last.isoformat() if self.last else "",
        }  # fmt: skip
        return {name: value for name, value in given.items() if value}


class Entry(NamedTuple):
    id: int
    at: datetime
    member_id: int | None
    via: str
    request: str
    verb: str
    kind: str
    object: str
    place_name: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    done_at: datetime | None

    @property
    def place(self) -> str:
        return f"{microseconds(self.at)}-{self.id}"


def read(arguments: Mapping[str, str]) -> Asked:
    """What an address asks for. Raises Invalid, naming the field."""
    given = {name: value.strip() for name, value in arguments.items()}
    who, verb, kind = (given.get(name, "") for name in ("who", "verb", "kind"))
    if who and who != COMMANDS and not (who.isascii() and who.isdigit() and len(who) < 16):
        raise Invalid("who is the number of a member, or command", field="who")
    if verb and verb not in VERBS:
        raise Invalid("There is no such act", field="verb")
    if kind and kind not in VERBS.values():
        raise Invalid("There is no such kind of thing", field="kind")
    of = given.get("object", "")
    if len(of) > 64 or not of.isprintable():
        raise Invalid("object is the id of a thing", field="object")
    first, last = _day(given, "from"), _day(given, "to")
    if first and last and last < first:
        first, last = last, first
    return Asked(who, verb, kind, of, first, last)


def _day(given: dict[str, str], name: str) -> date | None:
    text = given.get(name, "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{name} is a day like 2027-03-15", field=name) from error
    if not 2000 <= day.year <= 9000:
        raise Invalid(f"{name} is a day of this millennium", field=name)
    return day


def read_place(text: str) -> Place | None:
    """The place in the list that an address names. Raises Invalid."""
    if not text:
        return None
    at, _, act_id = text.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) <= 16 for part in (at, act_id)):
        raise Invalid("before does not name a place in the list", field="before")
    return moment_of(int(at)), int(act_id)


def newest(asked: Asked, before: Place | None, limit: int) -> list[Entry]:
    """The newest acts, or those that come after a place in the list."""
    return [Entry(*row) for row in connection().execute(_query(asked, before).limit(limit))]


def every(asked: Asked) -> Iterator[Entry]:
    """All of them, read by pages."""
    before: Place | None = None
    while True:
        found = newest(asked, before, AT_ONCE)
        yield from found
        if len(found) < AT_ONCE:
            return
        before = (found[-1].at, found[-1].id)


def _query(asked: Asked, before: Place | None) -> Select[Any]:
    query = (
        select(
            Act.id, Act.at, Act.member_id, Act.via, Act.request, Act.verb, Act.kind, Act.object,
            Location.name, Act.before, Act.after, Act.done_at,
        )
        .outerjoin(Location, Location.id == Act.place_id)
        .order_by(Act.at.desc(), Act.id.desc())
    )  # fmt: skip
    if asked.who == COMMANDS:
        query = query.where(Act.member_id.is_(None))
    elif asked.who:
        query = query.where(Act.member_id == int(asked.who))
    if asked.verb:
        query = query.where(Act.verb == asked.verb)
    if asked.kind:
        query = query.where(Act.kind == asked.kind)
    if asked.object:
        query = query.where(Act.object == asked.object)
        if not asked.kind:
            # The index of objects begins with the kind: each kind is looked for by itself.
            query = query.where(Act.kind.in_(sorted(set(VERBS.values()))))
    if asked.first:
        query = query.where(Act.at >= _began(asked.first))
    if asked.last:
        query = query.where(Act.at < _began(asked.last + timedelta(days=1)))
    if before is not None:
        at, act_id = literal(before[0], Act.at.type), literal(before[1], Act.id.type)
        query = query.where(tuple_(Act.at, Act.id) < tuple_(at, act_id))
    return query


def _began(day: date) -> datetime:
    return midnight(day_number(day))


def item_names(entries: list[Entry]) -> dict[str, dict[str, str]]:
    """{an item's number, as the log has it: its names}."""
    wanted = {int(one.object) for one in entries if one.kind == "item" and one.object.isdigit()}
    query = select(Item.id, Item.names).where(Item.id.in_(wanted))
    return {str(row[0]): row[1] for row in connection().execute(query)} if wanted else {}
