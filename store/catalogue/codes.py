"""Codes: whatever was scanned or typed finds its item, and an item has one address."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, Protocol

from sqlalchemy import Select, bindparam, or_, select

from .. import ids
from ..db import connection, db
from ..errors import Invalid, Refusal
from . import gs1
from .models import Item
from .texts import clean

__all__ = [
    "CodeTaken",
    "ItemNotForSale",
    "ItemRetired",
    "checked_gtin",
    "checked_short_code",
    "checked_sku",
    "find_item",
    "fresh_code",
    "item_by_code_query",
    "item_path",
    "refuse_retired",
]

LONGEST_CODE = 16
LONGEST_SKU = 64


class ItemNotForSale(Refusal):
    """Nothing that we sell has this code: unknown, archived, or without a price."""

    code = "item_not_for_sale"
    status = 404
    title = "This is not for sale here"


class ItemRetired(Refusal):
    """It is no longer sold; it must be brought back before more of it comes in. `data`: item."""

    code = "item_retired"
    status = 409
    title = "This item is no longer sold"


class CodeTaken(Invalid):
    """Another item has this code already. `data`: field, value, item (its short code)."""

    code = "code_taken"
    status = 409
    title = "Another item has this code"


def item_by_code_query(kind: Literal["gtin", "code"]) -> Select[Any]:
    """A Core select of the columns of the item that has `:code`, for hot pages: build it once, add
    columns of other rooms to it, run it with {"code": …}. Archived items are not found."""
    column = Item.gtin if kind == "gtin" else Item.code
    return select(*Item.__table__.columns).where(
        column == bindparam("code"), Item.archived_at.is_(None)
    )


def find_item(code_text: str, *, base_url: str = "") -> Item | None:
    """The item that was scanned or typed: a Digital Link of any host, an element string, the
    digits of a GTIN, EAN or UPC, an in-store code, an SKU or a short code. Archived items are found
    too. An address `/i/{code}` counts only on our own host, which `base_url` names.

    None where nothing has that code. Raises CodeFault for a GS1 code that is broken.
    """
    text = code_text.strip()
    if not text or "\x00" in text:
        return None
    scan = gs1.read(text)
    if scan.kind == "item":
        own = base_url.partition("://")[2].lower()
        return _having(code=scan.code or "") if own and scan.host == own else None
    if scan.kind == "in_store":
        # Known by the whole number, or by the part that is the same for every weight and price.
        return _having(gtin=_gtin_of(text), sku=scan.code or "") or _having(sku=text)
    if scan.gtin:
        found = _having(gtin=scan.gtin) or _having(gtin=scan.alternative)
        return found or (_having(sku=text) if scan.kind == "gtin" else None)
    if scan.kind == "other" and len(text) <= LONGEST_SKU:
        return _having(code=text, sku=text)
    return None


def _gtin_of(text: str) -> str | None:
    digits = "".join(character for character in text if character.isdigit())
    return gs1.normalise(digits) if gs1.is_gtin(digits) else None


def _having(gtin: str | None = None, code: str = "", sku: str = "") -> Item | None:
    """The item with one of these codes; an exact SKU wins over a short code typed like it."""
    wanted: dict[str, str] = {"gtin": gtin} if gtin else {}
    if code and len(code) <= 2 * LONGEST_CODE:
        wanted["code"] = ids.normalise(code)[:LONGEST_CODE]
    if sku:
        wanted |= {"sku": sku, "upper": sku.upper()}
    if not wanted:
        return None
    found = list(db.session.scalars(_any_of(*wanted), wanted))
    found.sort(key=lambda item: (item.sku != sku, item.gtin != gtin, item.archived_at is not None))
    return found[0] if found else None


@cache
def _any_of(*names: str) -> Select[Item]:
    """Items by any of these codes. Built once for each choice of names: every scan needs one."""
    columns = {"gtin": Item.gtin, "code": Item.code, "sku": Item.sku, "upper": Item.sku}
    conditions = [columns[name] == bindparam(name) for name in names]
    return select(Item).where(or_(*conditions)).limit(4)


def refuse_retired(item_id: int) -> None:
    """Refuse more of an item that is no longer sold. Raises ItemRetired."""
    query = select(Item.code).where(Item.id == item_id, Item.archived_at.is_not(None))
    code = connection().execute(query).scalar()
    if code is not None:
        raise ItemRetired(f"{code} is no longer sold: bring it back first", item=code)


class HasCodes(Protocol):
    """An item, or a row of a query that has its columns."""

    @property
    def gtin(self) -> str | None: ...
    @property
    def code(self) -> str: ...


def item_path(item: HasCodes) -> str:
    """The path of an item's page, the same as its label's: the GTIN where it has one."""
    return f"/01/{item.gtin}" if item.gtin else f"/i/{item.code}"


def fresh_code() -> str:
    """A short code for people to type, with a letter in it: six digits alone may be a UPC-E."""
    code = ids.short_code()
    while code.isdigit():
        code = ids.short_code()
    return code


def checked_gtin(text: str) -> str:
    """8, 12, 13 or 14 digits, blanks and dashes allowed, as 14. Raises CodeFault."""
    return gs1.normalise(text.strip().replace(" ", "").replace("-", ""))


def checked_sku(text: str) -> str:
    """The shop's own number for an item: up to 64 characters, kept as they are written."""
    return clean(text, "sku", LONGEST_SKU)


def checked_short_code(text: str) -> str:
    """A short code as it is stored. Raises Invalid unless 4 to 16 letters or digits of the
    alphabet without I, L, O and U, at least one of them a letter."""
    code = ids.normalise(text)
    if not 4 <= len(code) <= LONGEST_CODE or code.isdigit() or not set(code) <= set(ids.ALPHABET):
        raise Invalid(
            "A short code has 4 to 16 letters or digits, one letter at least, and no U",
            field="short_code",
        )
    return code
