"""What is held for payments from outside, read back: prices as they stood, and the attempts."""

from __future__ import annotations

from sqlalchemy import select

from ... import catalogue, stock
from ...db import db
from ...payment.models import OPEN, Attempt
from ..goods import Parts, deposited, parts_of
from ..models import Hold
from . import order_holds
from .ordering import Order

__all__ = ["lines_of", "paid_by", "single_of", "stood", "waiting_orders"]


def stood(held: Hold) -> tuple[list[catalogue.Quote], Parts]:
    """Prices, parts of bundles and deposits as they were shown."""
    quotes = [catalogue.kept_quote(line["quote"]) for line in held.lines]
    parts = {
        quote.item_id: [catalogue.kept_part(part) for part in line["parts"]]
        for quote, line in zip(quotes, held.lines)
        if line.get("parts")
    }
    return quotes, parts or parts_of(quotes)


def waiting_orders(member_id: int) -> list[Attempt]:
    """A member's payments for web orders that nobody knows the end of; their goods are kept."""
    query = select(Attempt).join(Hold, Hold.attempt_id == Attempt.id)
    mine = (Attempt.member_id == member_id, Attempt.sold_by.is_(None), Attempt.state.in_(OPEN))
    query = query.where(*mine, Hold.channel == "web").order_by(Attempt.created_at.desc())
    return list(db.session.scalars(query.limit(5)))


def paid_by(sale_id: str, asked: Order) -> str | None:
    """The id of the attempt that paid for a sale, where it was for this same order."""
    query = select(Attempt.id, Hold.order).join(Hold, Hold.attempt_id == Attempt.id)
    found = db.session.execute(query.where(Attempt.sale_id == sale_id)).first()
    return found[0] if found and (found[1] or {}).get("contents") == asked.contents else None


def single_of(attempt_id: str) -> tuple[str, int, str] | None:
    """The item, how many of it and where, of an attempt to pay for one item at the shelf."""
    held = db.session.get_one(Hold, attempt_id)
    if held.order is not None or len(held.lines) != 1:
        return None
    place = stock.location_by_id(held.location_id)
    return stood(held)[0][0].code, held.lines[0]["quantity"], place.code


def lines_of(attempt_id: str) -> list[tuple[dict[str, str], int, int]]:
    """What an attempt is to pay for: names, quantity, and what a line costs."""
    held = db.session.get_one(Hold, attempt_id)
    found, parts = stood(held)
    quotes = [(quote, line["quantity"]) for quote, line in zip(found, held.lines)]
    lines = [(quote.names, many, quote.taxed(many).total_minor) for quote, many in quotes]
    currency = db.session.get_one(Attempt, attempt_id).currency
    deposits = deposited(quotes, parts, currency)
    lines += [(one.deposit.names, one.quantity, one.total_minor) for one in deposits]
    shipping = order_holds.shipping_of(held)
    return lines + ([(shipping[0], 1, shipping[1])] if shipping else [])
