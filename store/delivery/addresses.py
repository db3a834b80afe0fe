"""Addresses: a member's own book, and the copy that an order keeps. Look-ups begin with the
member, so that nobody reads another's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select

from .. import clock
from ..db import connection, in_transaction
from ..errors import Invalid, NotFound, Refusal
from .models import Address, OrderAddress

__all__ = [
    "Known", "Where", "add_address", "address", "address_book", "keep_for_order", "of_order",
    "remove_address", "use_address",
]  # fmt: skip

MOST = 20
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_FIELDS = ("name", "phone", "street", "city", "postcode", "country")


class TooManyAddresses(Refusal):
    code = "too_many_addresses"
    status = 409
    title = "The address book is full"


@dataclass(frozen=True)
class Where:
    """Where a parcel goes."""

    name: str
    phone: str
    street: str
    city: str
    postcode: str
    country: str

    @property
    def lines(self) -> tuple[str, ...]:
        """As it is written on a parcel."""
        place = " ".join(part for part in (self.postcode, self.city, self.country) if part)
        return tuple(one for one in (self.name, self.street, place, self.phone) if one)

    def checked(self) -> Where:
        """With blanks trimmed. Raises Invalid where something is missing or too long."""
        kept = {name: getattr(self, name).strip() for name in _FIELDS}
        kept["country"], kept["postcode"] = kept["country"].upper(), kept["postcode"].upper()
        for name in ("name", "street", "city"):
            if not kept[name]:
                raise Invalid(f"The {name} is missing", field=name)
        if not _COUNTRY.match(kept["country"]):
            raise Invalid("A country is two letters, such as CN", field="country")
        if len(kept["postcode"]) > 12 or not all(
            one.isalnum() or one in " -" for one in kept["postcode"]
        ):
            raise Invalid("This is no postcode", field="postcode")
        for name, most in (("name", 120), ("phone", 40), ("street", 200), ("city", 120)):
            if len(kept[name]) > most:
                raise Invalid(f"The {name} has at most {most} characters", field=name)
        return Where(**kept)


@dataclass(frozen=True)
class Known:
    """An address of a member's book."""

    id: int
    where: Where


def address_book(member_id: int) -> list[Known]:
    """A member's own addresses, the one used last first."""
    query = (
        select(Address.id, *(getattr(Address, name) for name in _FIELDS))
        .where(Address.member_id == member_id)
        .order_by(Address.used_at.desc(), Address.id.desc())
    )
    return [Known(row[0], Where(*row[1:])) for row in connection().execute(query)]


def address(member_id: int, address_id: int) -> Where:
    """One of the member's own. Raises NotFound; not theirs looks like not there."""
    for known in address_book(member_id):
        if known.id == address_id:
            return known.where
    raise NotFound("There is no such address")


def add_address(member_id: int, where: Where) -> int:
    """Joiner: a new address in the book; answers its id. The same again is the one that is there.
    Raises Invalid, TooManyAddresses."""
    session, where = in_transaction(), where.checked()
    known = address_book(member_id)
    for one in known:
        if one.where == where:
            return one.id
    if len(known) >= MOST:
        raise TooManyAddresses()
    added = Address(member_id=member_id, used_at=clock.now(), **vars(where))
    session.add(added)
    session.flush()
    return added.id


def use_address(member_id: int, address_id: int) -> None:
    """Joiner: it was ordered to just now, so it comes first from now on."""
    mine = (Address.member_id == member_id, Address.id == address_id)
    found = in_transaction().scalar(select(Address).where(*mine))
    if found is not None:
        found.used_at = clock.now()


def remove_address(member_id: int, address_id: int) -> None:
    """Joiner: out of the book for good; orders keep their copy. Raises NotFound."""
    session = in_transaction()
    mine = (Address.member_id == member_id, Address.id == address_id)
    found = session.scalar(select(Address).where(*mine))
    if found is None:
        raise NotFound("There is no such address")
    session.delete(found)
    session.flush()


def keep_for_order(sale_id: str, member_id: int, where: Where) -> None:
    """Joiner: the order's own copy."""
    session = in_transaction()
    session.add(OrderAddress(sale_id=sale_id, member_id=member_id, **vars(where)))
    session.flush()


def of_order(sale_id: str) -> Where | None:
    """Where an order goes; None for one that is collected or was taken at once."""
    columns = [getattr(OrderAddress, name) for name in _FIELDS]
    row = connection().execute(select(*columns).where(OrderAddress.sale_id == sale_id)).first()
    return None if row is None else Where(*row)
