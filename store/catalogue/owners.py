"""Sellers: whose goods stand on our shelf, and since when each item is whose.

Whose an item is is history like its price: what was sold belongs to whom the item belonged to when
it was sold, whatever the owner decides afterwards. A bundle belongs to whom its parts belong to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypedDict, Unpack

from sqlalchemy import ScalarSelect, bindparam, func, insert, select

from .. import clock
from ..db import Moment, connection, db, in_transaction
from ..errors import Invalid, NotFound, Refusal
from ..prepared import Prepared
from .models import BundlePart, DepositKind, Item, ItemSeller, Seller
from .texts import clean

__all__ = [
    "SellerFields", "SellerHasItems", "add_seller", "close_seller", "edit_seller", "has_sellers",
    "item_counts", "open_seller", "owner_at", "owners_of", "seller_with", "sellers", "set_owner",
    "take_turn",
]  # fmt: skip

LONGEST_NAME = 120
_CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,18}[A-Z0-9])?\Z", re.ASCII)
_ACCOUNT = re.compile(r"[A-Z0-9]{4,40}\Z", re.ASCII)
_LINES = {"tax_number": 40, "bank_name": 120, "bank_holder": 120, "contact": 200}

_now = bindparam("owner_now", type_=Moment(), callable_=clock.now)
_any = Prepared(lambda dialect: select(Seller.id).limit(1))


class SellerHasItems(Refusal):
    """Items are still the seller's. `data`: items."""

    code = "seller_has_items"
    status = 409
    title = "Items are still this seller's"


class SellerTaken(Invalid):
    """Another seller has this code."""

    code = "seller_taken"
    title = "Another seller has this code"


class SellerFields(TypedDict, total=False):
    """What may be said about a seller. An empty `bank_account` leaves the one that is kept."""

    names: Mapping[str, str]
    tax_number: str
    bank_name: str
    bank_holder: str
    bank_account: str
    contact: str


class Owner(NamedTuple):
    """A seller as lists and choices show it."""

    id: int
    code: str
    names: dict[str, str]
    archived_at: datetime | None


def take_turn() -> None:
    """Joiner: whoever says whose an item is, or on which terms, and whoever books what was sold do
    it one after the other. So nothing that begins can begin before a sale that is booked."""
    first = select(Seller.id).order_by(Seller.id).limit(1).with_for_update()
    in_transaction().execute(first)


def has_sellers() -> bool:
    """Whether there is any seller: a shop without pays one short statement for the question."""
    return _any.first() is not None


def sellers(*, closed: bool = False) -> list[Owner]:
    """The sellers by code; the closed ones only where asked for."""
    query = select(Seller.id, Seller.code, Seller.names, Seller.archived_at).order_by(Seller.code)
    if not closed:
        query = query.where(Seller.archived_at.is_(None))
    return [Owner(*row) for row in connection().execute(query)]


def seller_with(code: str) -> Seller:
    """The seller with a code, however it was typed. Raises NotFound."""
    found = db.session.scalar(select(Seller).where(Seller.code == code.strip().upper()[:40]))
    if found is None:
        raise NotFound("There is no such seller", what="seller")
    return found


def owner_at(item_id: Any, at: Any | None = None) -> ScalarSelect[int]:
    """An expression for any query over items: whose the item is (at a moment); NULL is the house's
    own."""
    return (
        select(ItemSeller.seller_id)
        .where(ItemSeller.item_id == item_id, ItemSeller.starts_at <= (_now if at is None else at))
        .order_by(ItemSeller.starts_at.desc(), ItemSeller.id.desc())
        .limit(1)
        .correlate_except(ItemSeller)
        .scalar_subquery()
    )


def owners_of(item_ids: Iterable[int], at: datetime | None = None) -> dict[int, int]:
    """{item: seller} of those that are a seller's (at a moment)."""
    owner = owner_at(Item.id, at)
    query = select(Item.id, owner).where(Item.id.in_(set(item_ids)))
    return {row[0]: row[1] for row in connection().execute(query) if row[1] is not None}


def item_counts() -> dict[int, int]:
    """{seller: how many items for sale are theirs}."""
    owner = owner_at(Item.id).label("owner")
    held = select(owner).where(Item.archived_at.is_(None), Item.id.in_(select(ItemSeller.item_id)))
    of = held.subquery()
    query = select(of.c.owner, func.count()).where(of.c.owner.is_not(None)).group_by(of.c.owner)
    return {row[0]: row[1] for row in connection().execute(query)}


def add_seller(code: str, **fields: Unpack[SellerFields]) -> Seller:
    """Joiner: a new seller, of whom nothing is yet. Raises Invalid, SellerTaken."""
    session = in_transaction()
    wanted = code.strip().upper()
    if not _CODE.match(wanted):
        raise Invalid("A code has 1 to 20 letters, digits and dashes", field="code")
    if session.scalar(select(Seller.id).where(Seller.code == wanted)) is not None:
        raise SellerTaken(f"Another seller has the code {wanted}", field="code")
    seller = Seller(
        code=wanted, names={}, tax_number="", bank_name="", bank_holder="", bank_account="",
        contact="", created_at=clock.now(), archived_at=None,
    )  # fmt: skip
    fields.setdefault("names", {})
    _change(seller, fields)
    session.add(seller)
    session.flush()
    return seller


def edit_seller(seller_id: int, **fields: Unpack[SellerFields]) -> None:
    """Joiner: change what is given, leave the rest. Raises NotFound, Invalid."""
    seller = _locked(seller_id)
    _change(seller, fields)
    in_transaction().flush()


def close_seller(seller_id: int) -> None:
    """Joiner: no item becomes theirs any more; what is owed is still settled. Raises NotFound,
    SellerHasItems."""
    take_turn()
    seller = _locked(seller_id)
    left = item_counts().get(seller_id, 0)
    if left:
        raise SellerHasItems(items=left)
    seller.archived_at = seller.archived_at or clock.now()
    in_transaction().flush()


def open_seller(seller_id: int) -> None:
    """Joiner: the opposite of close_seller."""
    _locked(seller_id).archived_at = None
    in_transaction().flush()


def set_owner(item_id: int, seller_id: int | None, *, made_by: int | None = None) -> bool:
    """Joiner: from now on the item is this seller's, or the house's own; answers False where it is
    already. Raises Invalid (a bundle or a deposit; a seller that is closed or not there)."""
    if not has_sellers() and seller_id is None:
        return False
    take_turn()
    if owners_of([item_id]).get(item_id) == seller_id:
        return False
    if seller_id is not None:
        _refuse_not_sold_alone(item_id)
        refuse_closed(seller_id)
    put_owners([(item_id, seller_id)], made_by=made_by)
    return True


def put_owners(
    pairs: Sequence[tuple[int, int | None]], *, made_by: int | None = None
) -> None:  # fmt: skip
    """Joiner, its turn taken: these items are these sellers' from now on."""
    now = clock.now()
    rows = [
        {"item_id": item, "seller_id": seller, "starts_at": now, "made_by": made_by}
        for item, seller in pairs
    ]
    if rows:
        in_transaction().connection().execute(insert(ItemSeller), rows)


def refuse_closed(seller_id: int) -> None:
    """Raises Invalid where the seller is closed or not there."""
    query = select(Seller.id).where(Seller.id == seller_id, Seller.archived_at.is_(None))
    if in_transaction().scalar(query) is None:
        raise Invalid("There is no such seller", field="seller")


def _refuse_not_sold_alone(item_id: int) -> None:
    bundle = select(BundlePart.bundle_id).where(BundlePart.bundle_id == item_id)
    deposit = select(DepositKind.item_id).where(DepositKind.item_id == item_id)
    if in_transaction().execute(bundle.union_all(deposit)).first() is not None:
        raise Invalid("A bundle belongs to whom its parts belong to", field="seller")


def _locked(seller_id: int) -> Seller:
    query = select(Seller).where(Seller.id == seller_id).with_for_update()
    found = in_transaction().scalar(query)
    if found is None:
        raise NotFound("There is no such seller", what="seller")
    return found


def _change(seller: Seller, fields: SellerFields) -> None:
    if "names" in fields:
        names = {
            language: clean(name, "name", LONGEST_NAME)
            for language, name in fields["names"].items()
            if name.strip()
        }
        if not names:
            raise Invalid("The name is missing", field="name")
        seller.names = names
    for name, most in _LINES.items():
        if name in fields:
            setattr(seller, name, clean(str(fields[name]), name, most))  # type: ignore[literal-required]
    account = "".join(fields.get("bank_account", "").split()).replace("-", "").upper()
    if account:
        if not _ACCOUNT.match(account):
            raise Invalid("An account has 4 to 40 letters and digits", field="bank_account")
        seller.bank_account = account
