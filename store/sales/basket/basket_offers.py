"""What offers and a coupon take off a basket, as it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ... import catalogue, clock, membership
from ..buying import Buy
from ..offers import Offers
from .basket_shown import Contents, Shown

__all__ = ["Buyer", "reduced"]


class Buyer(NamedTuple):
    """In whose name a basket will be paid, if in anybody's, and in which channel. Whose points may
    be spent has shown who they are."""

    member_id: int | None
    channel: str
    may_spend: bool = True


def reduced(
    found: Contents, categories: Sequence[int | None], mark: int, buyer: Buyer, currency: str
) -> Contents:
    """The basket with what is taken off each line. A coupon that does not hold now takes nothing
    off, and says why. What the buyer's points would take off is said; it is taken off where they
    are to be spent."""
    lines = [(one, of) for one, of in zip(found.lines, categories) if one.for_sale]
    quotes = [_quote(one, of, mark) for one, of in lines]
    many = [one.quantity for one, _ in lines]
    asked = Buy(
        buyer.member_id, found.location_id, currency, (), found.key, buyer.channel,
        coupon=found.coupon,
    )  # fmt: skip
    offers, refusal, at = Offers.read([asked], quotes), None, clock.now()
    try:
        priced = offers.price(asked, quotes, many, at)
    except membership.CouponRefused as why:
        refusal = why
        priced = offers.price(replace(asked, coupon=""), quotes, many, at)
    worth, there = 0, 0
    if buyer.member_id is not None and buyer.may_spend and offers.spends(currency):
        offers.points = membership.spendable({buyer.member_id})
        there = offers.points.get(buyer.member_id, 0)
    if there:
        coupon = "" if refusal is not None else found.coupon
        with_them = offers.price(replace(asked, coupon=coupon, points=there), quotes, many, at)
        worth = sum(each.amount_minor for quote in with_them for each in quote.off
                    if each.points is not None)  # fmt: skip
        priced = with_them if found.with_points else priced
    off = {quote.item_id: quote.off for quote in priced}
    shown = [replace(one, off=off.get(one.item_id, ())) for one in found.lines]
    return replace(
        found, lines=shown, coupon_refusal=refusal, points_there=there, worth_minor=worth
    )


def _quote(line: Shown, category_id: int | None, mark: int) -> catalogue.Quote:
    return catalogue.Quote(
        line.item_id, line.item_code, line.names, line.tax_rate_bp, line.unit_minor or 0,
        on_top=line.on_top, category_id=category_id, rules=mark,
    )  # fmt: skip
