"""Places that have stock of their own, by the code that people use for them."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from .. import clock, logbook
from ..db import db, in_transaction, insert_new
from ..errors import Invalid, NotFound
from .models import Location

__all__ = [
    "MAIN",
    "QUARANTINE",
    "SELLING",
    "Location",
    "LocationTaken",
    "add_location",
    "describe_location",
    "location",
    "location_by_id",
    "locations",
    "quarantine_of",
    "selling_location",
    "sells_in_hand",
    "set_when_empty",
]

MAIN = "MAIN"
SELLING = ("shop", "warehouse")
"""Kinds of places whose goods are for sale."""
QUARANTINE = " · quarantine"
"""So ends the name of the place beside another; pages say it in the reader's language."""
WHEN_EMPTY = ("refuse", "sell")
# Built once: every sale asks for its location.
# Nobody shops, works or sends to where goods are in transit.
_BY_CODE = select(Location).where(Location.code == bindparam("code"), Location.kind != "transit")


class LocationTaken(Invalid):
    code = "location_taken"
    status = 409
    title = "There is a location with this code"


def location(code: str) -> Location:
    """The location with this code, in any case. Raises NotFound."""
    found = db.session.scalar(_BY_CODE, {"code": code.strip().upper()[:32]})
    if found is None:
        raise NotFound(f"There is no location {code[:32]!r}", what="location")
    return found


def location_by_id(location_id: int) -> Location:
    found = db.session.get(Location, location_id)
    if found is None:
        raise NotFound("There is no such location", what="location")
    return found


def selling_location(code: str) -> Location:
    """The location with this code, where goods are sold. Raises NotFound."""
    found = location(code)
    if found.kind not in SELLING:
        raise NotFound(f"Nothing is sold at {code[:32]!r}", what="location")
    return found


def locations(*, every: bool = False, transit: bool = False) -> list[Location]:
    """The locations that sell, the first one first; with `every` quarantines, too, and with
    `transit` also where goods on their way are."""
    kinds = (*SELLING, *(["quarantine"] if every or transit else []), *["transit"] * transit)
    return list(
        db.session.scalars(select(Location).where(Location.kind.in_(kinds)).order_by(Location.id))
    )


def set_when_empty(location_id: int, when_empty: str) -> None:
    """Joiner: what a place does when its book says zero and the shopper holds the item: "refuse",
    or "sell". Raises Invalid, NotFound."""
    if when_empty not in WHEN_EMPTY:
        raise Invalid("At zero a place refuses or sells", field="when_empty")
    in_transaction()
    location_by_id(location_id).when_empty = when_empty


def sells_in_hand(location_id: int) -> bool:
    """Whether a shopper who holds an item buys it there whatever the book says."""
    return location_by_id(location_id).when_empty == "sell"


def quarantine_of(location_id: int) -> int:
    """Joiner: the place beside a location where returned goods wait that are not for sale; opened
    with the first of them."""
    session = in_transaction()
    beside = session.get_one(Location, location_id)
    code = f"{beside.code[:30]}-Q"
    query = select(Location.id).where(Location.code == code, Location.kind == "quarantine")
    found = session.scalar(query)
    if found is None:
        row = {"code": code, "name": f"{beside.name[:105]}{QUARANTINE}", "kind": "quarantine",
               "address": beside.address, "created_at": clock.now()}  # fmt: skip
        session.connection().execute(insert_new(Location), [row])
        found = session.scalar(query)
    if found is None:
        raise LocationTaken(f"{code} is a place of another kind", field="code")
    return int(found)


def describe_location(location_id: int, name: str, address: str) -> None:
    """Joiner: another name and address of a place; its code stays. Raises NotFound, and Invalid
    for no name."""
    if not name.strip():
        raise Invalid("A place has a name", field="name")
    in_transaction()
    place = location_by_id(location_id)
    before = {"name": place.name, "address": place.address}
    place.name, place.address = name.strip(), address.strip()
    logbook.note(
        "place.described", location_id, place_id=location_id, before=before,
        after={"name": place.name, "address": place.address},
    )  # fmt: skip


def add_location(code: str, name: str, kind: str = "shop", address: str = "") -> Location:
    """Joiner: a new location. Raises LocationTaken, or Invalid for a code that is not 1 to 32
    letters, digits or dashes."""
    code = code.strip().upper()
    if not 1 <= len(code) <= 32 or not all(c.isascii() and (c.isalnum() or c == "-") for c in code):
        raise Invalid("A location's code has 1 to 32 letters, digits or dashes", field="code")
    session = in_transaction()
    if session.scalar(select(Location.id).where(Location.code == code)) is not None:
        raise LocationTaken(f"There is a location {code} already", field="code")
    added = Location(code=code, name=name, kind=kind, address=address, created_at=clock.now())
    session.add(added)
    try:
        session.flush()
    except IntegrityError as error:  # Somebody else has just added it.
        raise LocationTaken(f"There is a location {code} already", field="code") from error
    logbook.note(
        "place.added", added.id, place_id=added.id,
        after={"code": code, "name": name, "kind": kind, "address": address},
    )  # fmt: skip
    return added
