"""The basket: what was scanned, waiting to be paid; over several scans, tabs and sign-ins.

A guest's basket is known by a secret in the browser's cookie. A member has one basket; what they
scanned as a guest joins it when they sign in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from ... import (
    catalogue,
    clock,
    stock,
    web,
)
from ...catalogue.markdowns import reduced_minor
from ...db import (
    db,
    in_transaction,
    repeatable,
    transaction,
)
from ...errors import Invalid, NotFound
from ..ages.ages import age_of
from ..buying import MOST_LINES, MOST_PIECES, Line
from ..goods import carried, due_minor, parts_of
from ..models import Basket, BasketLine, Sale
from ..till.marked import Marked, marked_at
from .basket_offers import Buyer, reduced
from .basket_rows import (
    Holder,
    at,
    changed,
    claim_in,
    empty_out,
    locked,
    opened,
    quantities,
)
from .basket_shown import Contents, Shown

__all__ = [
    "KEPT_DAYS", "Buyer", "Contents", "Holder", "Shown", "add", "claim", "clear", "contents",
    "empty", "paid_at_till", "paid_with", "pieces", "pieces_expression", "set_coupon", "set_points",
    "set_quantity", "sweep", "take_out", "take_out_anywhere",
]  # fmt: skip

KEPT_DAYS = 30
REPEATS = 2


def pieces_expression(member_id: ColumnElement[int] | Any, secret: str | None) -> ScalarSelect[int]:
    """An expression for the item page: how many pieces wait in the visitor's baskets."""
    guest = (Basket.secret == secret) & Basket.member_id.is_(None)
    return (
        select(func.sum(BasketLine.quantity))
        .join(Basket, Basket.id == BasketLine.basket_id)
        .where((Basket.member_id == member_id) | guest)
        .correlate_except(Basket, BasketLine)
        .scalar_subquery()
    )


def pieces(holder: Holder) -> int:
    """How many pieces wait in the visitor's baskets."""
    if holder.member_id is None and holder.secret is None:
        return 0
    query = select(func.sum(BasketLine.quantity)).join(Basket, Basket.id == BasketLine.basket_id)
    return int(db.session.scalar(query.where(holder.mine)) or 0)


def contents(holder: Holder, currency: str, buyer: Buyer | None = None) -> Contents | None:
    """The visitor's basket, or None when nothing was ever added. Changes nothing. At a till the
    `buyer` is somebody else than its holder."""
    basket = _find(holder)
    if basket is None:
        return None
    item = catalogue.Item
    price = catalogue.price_in_force(item.id, basket.location_id, currency=currency)
    level = stock.sellable(item, basket.location_id)
    query = (
        select(BasketLine.id, item, BasketLine.quantity, BasketLine.seen_minor, price, level,
               BasketLine.label_id, Basket.key, catalogue.rules_mark(), Basket.coupon,
               Basket.with_points)
        .join(item, item.id == BasketLine.item_id)
        .join(Basket, Basket.id == BasketLine.basket_id)
        .where(BasketLine.basket_id == basket.id)
        .order_by(BasketLine.id)
    )  # fmt: skip
    rows = db.session.execute(query).all()
    carries = _carried(rows, currency)
    dated = [(row[1].id, basket.location_id) for row in rows if row[1].tracks_batches]
    near = {item: marked for (item, _), marked in marked_at(dated).items()}
    on_top = web.tax_on_top()
    sells = stock.sells_in_hand(basket.location_id)
    lines = [
        Shown(
            id=row[0], item_id=row[1].id, item_code=row[1].code,
            item_path=catalogue.item_path(row[1]), names=row[1].names, picture=row[1].picture,
            quantity=row[2], seen_minor=row[3],
            unit_minor=None if row[1].archived_at else _unit(row, near.get(row[1].id)),
            tax_rate_bp=row[1].tax_rate_bp, on_hand=row[5] or 0, label_id=row[6],
            on_top=on_top,
            in_hand=sells and not (row[1].tracks_batches or row[1].is_bundle),
            deposits=carries[row[1].id][0] if row[1].id in carries else (),
            least_age=carries[row[1].id][1] if row[1].id in carries else row[1].least_age,
        )
        for row in rows
    ]  # fmt: skip
    # The key is of the same moment as the lines: another tab may be changing both.
    key = rows[0].key if rows else basket.key
    found = Contents(basket.id, basket.location_id, key, lines, rows[0].coupon if rows else "",
                     with_points=bool(rows and rows[0].with_points))  # fmt: skip
    if not rows or not (rows[0].rules_mark or found.coupon):
        return found
    return reduced(found, [row[1].category_id for row in rows], rows[0].rules_mark or 0,
                   buyer or Buyer(holder.member_id, "shelf"), currency)  # fmt: skip


def _unit(row: Any, near: Marked | None) -> int | None:
    """The price of one: marked down where all of the line are near their date."""
    if row[4] is None or near is None or row[2] > near.left:
        return None if row[4] is None else int(row[4])
    return reduced_minor(row[4], near.percent)


def _carried(
    rows: Sequence[Any], currency: str
) -> dict[int, tuple[tuple[tuple[catalogue.Deposit, int], ...], int]]:
    """The deposits on one of each item, and from which age it is; it asks only where an item may
    carry a deposit, or is a bundle."""
    may = {row[1].id for row in rows if row[1].is_bundle or row[1].deposit_id is not None}
    if not may:
        return {}
    quotes = catalogue.as_sold(may)
    parts = parts_of(quotes.values())
    return {
        item: (tuple(carried(quote, parts, currency)), age_of(quote, parts))
        for item, quote in quotes.items()
    }


def _find(holder: Holder) -> Basket | None:
    """The basket that was touched last; one that holds something before an empty one."""
    holds = select(BasketLine.id).where(BasketLine.basket_id == Basket.id).exists()
    query = select(Basket).where(holder.mine).order_by(holds.desc(), Basket.updated_at.desc())
    return db.session.scalar(query.limit(1))


def add(holder: Holder, line: Line, location_id: int, currency: str) -> None:
    """Opener: one more scan at a location. Raises Invalid (quantity, too many lines),
    ItemNotForSale."""
    for _ in range(REPEATS):
        try:
            return _add(holder, line, location_id, currency)
        except IntegrityError:
            db.session.rollback()  # Another tap has just opened the basket: it is there now.
    return _add(holder, line, location_id, currency)


@repeatable
def _add(holder: Holder, line: Line, location_id: int, currency: str) -> None:
    with transaction() as session:
        claim_in(holder)
        basket = at(holder, location_id) or opened(holder, location_id)
        if basket.member_id is not None and paid_with(basket.member_id, basket.key):
            empty_out(basket)  # Else what was paid for would be paid for again with the new scan.
        quote = catalogue.quotes([line.item_id], location_id, currency).get(line.item_id)
        if quote is None:
            raise catalogue.ItemNotForSale("This item is not for sale here")
        have = quantities(basket)
        if line.quantity < 1 or have.get(line.item_id, 0) + line.quantity > MOST_PIECES:
            raise Invalid(f"A quantity is 1 to {MOST_PIECES}", field="quantity")
        if line.item_id in have:
            session.execute(
                update(BasketLine)
                .where(BasketLine.basket_id == basket.id, BasketLine.item_id == line.item_id)
                .values(quantity=BasketLine.quantity + line.quantity)
            )
        elif len(have) >= MOST_LINES:
            raise Invalid(f"A basket holds {MOST_LINES} different items", field="item")
        else:
            session.add(
                BasketLine(basket_id=basket.id, item_id=line.item_id, quantity=line.quantity,
                           seen_minor=due_minor(quote, parts_of([quote]), currency),
                           label_id=line.label_id)
            )  # fmt: skip
        changed(basket)


@repeatable
def set_quantity(holder: Holder, line_id: int, quantity: int) -> None:
    """Opener: so many of a line; 0 takes it out. Raises NotFound, Invalid."""
    if not 0 <= quantity <= MOST_PIECES:
        raise Invalid(f"A quantity is 0 to {MOST_PIECES}", field="quantity")
    with transaction() as session:
        of = select(BasketLine.basket_id).where(BasketLine.id == line_id).scalar_subquery()
        basket = session.scalar(locked(select(Basket).where(Basket.id == of, holder.mine)))
        line = session.get(BasketLine, line_id, populate_existing=True)
        if line is None or basket is None:
            raise NotFound("There is no such line in your basket")
        if quantity:
            line.quantity = quantity
        else:
            session.delete(line)
        changed(basket)


@repeatable
def set_coupon(holder: Holder, code: str) -> None:
    """Opener: the coupon of the visitor's basket; an empty one takes it out. Whether it takes
    something off is said wherever the basket is shown."""
    with transaction():
        basket = _find(holder)
        if basket is None:
            return
        basket.coupon = code
        changed(basket)


@repeatable
def set_points(holder: Holder, wanted: bool) -> None:
    """Opener: whether the member's points are spent on the visitor's basket."""
    with transaction():
        basket = _find(holder)
        if basket is not None:
            basket.with_points = int(wanted)
            changed(basket)


@repeatable
def claim(holder: Holder) -> None:
    """Opener: after a sign-in, what was scanned as a guest joins the member's baskets."""
    with transaction():
        claim_in(holder)


def paid_with(member_id: int, key: str) -> str | None:
    """The sale that this key already made for the member, if any."""
    query = select(Sale.id).where(Sale.member_id == member_id, Sale.key == key)
    return db.session.scalar(query)


def paid_at_till(seller_id: int, key: str) -> str | None:
    """The sale that this key already made at this seller's till, if any."""
    query = select(Sale.id).where(Sale.sold_by == seller_id, Sale.key == key)
    return db.session.scalar(query)


@repeatable
def clear(holder: Holder, key: str) -> None:
    """Opener: take everything out of the visitor's basket with this key; one that has changed since
    stays as it is."""
    with transaction() as session:
        for basket in session.scalars(locked(select(Basket).where(holder.mine, Basket.key == key))):
            empty_out(basket)


@repeatable
def empty(member_id: int, key: str) -> None:
    """Opener: take out what was paid with this key, unless the basket changed since. It comes after
    the sale's commit: when it is lost, the next tap or the next scan does it."""
    with transaction():
        take_out(member_id, key)


def take_out(member_id: int | None, key: str) -> None:
    """Joiner: the same; a till's basket is no member's."""
    query = select(Basket).where(Basket.member_id == member_id, Basket.key == key)
    for basket in in_transaction().scalars(locked(query)):
        empty_out(basket)


def take_out_anywhere(key: str) -> None:
    """Joiner: the same for a guest, who may have signed in since: the basket is where it is."""
    for basket in in_transaction().scalars(locked(select(Basket).where(Basket.key == key))):
        empty_out(basket)


@repeatable
def sweep() -> int:
    """Opener: remove baskets that nobody touched for a month; answers how many."""
    with transaction() as session:
        before = clock.now() - timedelta(days=KEPT_DAYS)
        old = select(Basket.id).where(Basket.updated_at < before)
        session.execute(delete(BasketLine).where(BasketLine.basket_id.in_(old)))
        gone = session.execute(delete(Basket).where(Basket.updated_at < before))
        return int(gone.rowcount)  # type: ignore[attr-defined]
