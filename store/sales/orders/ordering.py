"""Ordering: what a member asks to have kept for them, and what that would be now: prices, places,
what delivery costs. Nothing is written here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ... import (
    catalogue,
    clock,
    delivery,
    membership,
    money,
    stock,
)
from ...errors import Invalid
from ...payment.gateways import OUTSIDE
from ...payment.on_delivery import MEANS
from ..buying import Line, PriceRose, check_lines
from ..deciding import refuse_rises
from ..goods import (
    Deposited,
    Parts,
    counted,
    deposited,
    parts_of,
)
from ..offers import Offers, refuse_dearer
from .order_goods import pieces_of

__all__ = ["SHIPPING_CODE", "Offer", "Order", "check", "offer", "out_of_stock"]

SHIPPING_CODE = "DE11VERY"
"""The short code of the item that stands for delivery in the books."""


@dataclass(frozen=True)
class Order:
    """An order as it was asked for. `location_id` is where the shopper shops; `place_id` is where
    they collect, `address_id` where it is delivered. `shipping_seen_minor` is what delivery cost on
    the page. `piece_g` is what goods weigh whose size does not tell. `means` is "account",
    "delivery" (the courier takes cash), or the gateway whose attempt brings the money: all
    of it but `account_minor`."""

    member_id: int
    location_id: int
    currency: str
    lines: tuple[Line, ...]
    key: str
    fulfilment: str
    piece_g: int
    place_id: int | None = None
    address_id: int | None = None
    shipping_seen_minor: int | None = None
    means: str = "account"
    attempt_id: str | None = None
    is_confirmed: bool = False
    account_minor: int = 0
    coupon: str = ""
    points: int = 0
    seen_total_minor: int | None = None
    """What goods, deposits and delivery cost as the page said, where offers made that less."""

    @property
    def channel(self) -> str:
        return "web"

    @property
    def sold_by(self) -> None:
        """Nobody's till."""

    @property
    def sold_at(self) -> int:
        """The location whose sale it is, and whose prices count."""
        return self.place_id if self.fulfilment == "collect" and self.place_id else self.location_id

    @property
    def contents(self) -> str:
        """A digest of what is bought and how it comes: the same key must come with the same."""
        goods = sorted((line.item_id, line.quantity) for line in self.lines)
        how = f"{self.fulfilment}|{self.place_id}|{self.address_id}"
        how += "" if self.means == "account" else f"|{self.means}"
        how += f"+{self.account_minor}" if self.account_minor else ""
        how += f"|coupon:{self.coupon}" if self.coupon else ""
        how += f"|points:{self.points}" if self.points else ""
        text = f"{self.location_id}|{self.currency}|{goods}|{how}"
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def wanted(self) -> dict[int, int]:
        """Quantities by item: two lines of one item are counted together."""
        wanted: dict[int, int] = {}
        for line in self.lines:
            wanted[line.item_id] = wanted.get(line.item_id, 0) + line.quantity
        return wanted


class Waived(NamedTuple):
    """So much delivery would cost who has not reached this tier."""

    tier_names: dict[str, str]
    price_minor: int


@dataclass(frozen=True)
class Offer:
    """What an order would be now: its lines with their quotes, the plan, what delivery costs;
    what is in its bundles, and what is wanted off the shelf."""

    quotes: tuple[catalogue.Quote, ...]
    plan: delivery.Plan
    shipping: delivery.Quoted | None
    where: delivery.Where | None
    goods_minor: int
    deposits: tuple[Deposited, ...] = ()
    parts: Parts = field(default_factory=dict)
    pieces: Mapping[int, int] = field(default_factory=dict)
    free_for: Waived | None = None
    """Why delivery costs nothing, where it would cost something."""

    @property
    def deposit_minor(self) -> int:
        return sum(each.total_minor for each in self.deposits)

    @property
    def shipping_minor(self) -> int:
        return self.shipping.price_minor if self.shipping else 0

    @property
    def total_minor(self) -> int:
        return self.goods_minor + self.deposit_minor + self.shipping_minor


def offer(asked: Order) -> Offer:
    """What the order would be now. What no place has is the plan's `missing`. Raises
    ItemNotForSale, PriceRose, CouponRefused, NotFound (address), NoDelivery."""
    wanted = asked.wanted
    quotes = catalogue.quotes(sorted(wanted), asked.sold_at, asked.currency)
    if len(quotes) < len(wanted):
        raise catalogue.ItemNotForSale("This item is not for sale here")
    parts = parts_of(quotes.values())
    pieces = pieces_of(wanted) if parts else wanted
    where, shipping = _shipping(asked, pieces)
    lines = tuple(quotes[line.item_id] for line in asked.lines)
    refuse_rises(asked.lines, lines, parts, asked.currency)
    offers = Offers.read([asked], lines)
    shipping, free_for = _waived(asked, shipping, offers)
    _refuse_dearer_shipping(asked, shipping)
    many = [line.quantity for line in asked.lines]
    lines = tuple(offers.price(asked, lines, many, clock.now()))
    able = delivery.candidates(pieces, asked.fulfilment)
    if asked.fulfilment == "collect":
        able = [one for one in able if one.location_id == asked.place_id]
    to = shipping.point if shipping else None
    plan = delivery.source(pieces, able, to, delivery.weighing())
    goods = [(quote, line.quantity) for quote, line in zip(lines, asked.lines)]
    deposits = deposited(goods, parts, asked.currency)
    total = sum(quote.taxed(many).total_minor for quote, many in goods)
    if total > money.LARGEST_MINOR:
        raise Invalid("The total is larger than any sale", field="quantity")
    made = Offer(lines, plan, shipping, where, total, tuple(deposits), parts, pieces,
                 free_for)  # fmt: skip
    refuse_dearer(asked.seen_total_minor, made.total_minor, asked.currency, lines)
    return made


def check(asked: Order) -> None:
    check_lines(asked.lines, asked.key)
    if asked.fulfilment not in ("collect", "deliver"):
        raise Invalid("An order is collected or delivered", field="how")
    if asked.means not in ("account", MEANS, *OUTSIDE):
        raise Invalid("There is no such way of paying for an order", field="pay")
    if asked.account_minor and asked.means not in OUTSIDE:
        raise Invalid("Only what a gateway brings is paid in two parts", field="account")
    if asked.fulfilment == "collect" and asked.place_id is None:
        raise Invalid("Say where you collect it", field="place")
    if asked.fulfilment == "deliver" and asked.address_id is None:
        raise Invalid("Say where it goes", field="address")


def _shipping(
    asked: Order, pieces: Mapping[int, int]
) -> tuple[delivery.Where | None, delivery.Quoted | None]:
    if asked.fulfilment != "deliver" or asked.address_id is None:
        return None, None
    where = delivery.address(asked.member_id, asked.address_id)
    weight = delivery.weight_g(pieces, asked.piece_g)
    table = delivery.zones(asked.currency)
    return where, delivery.quote(where.country, where.postcode, weight, table)


def _waived(
    asked: Order, shipping: delivery.Quoted | None, offers: Offers
) -> tuple[delivery.Quoted | None, Waived | None]:
    """Delivery without its price, where the buyer's tier has it for nothing. Only a shop with such
    a tier asks which one they have reached."""
    plan = offers.rules.plan
    if shipping is None or not shipping.price_minor or plan is None:
        return shipping, None
    if not any(one.free_delivery for one in plan.tiers):
        return shipping, None
    members = [asked.member_id]
    reached = offers.tiers or membership.tiers_of(members, plan)
    tier = plan.free_delivery(reached.get(asked.member_id, frozenset()))
    if tier is None:
        return shipping, None
    return replace(shipping, price_minor=0), Waived(tier.names, shipping.price_minor)


def _refuse_dearer_shipping(asked: Order, shipping: delivery.Quoted | None) -> None:
    seen = asked.shipping_seen_minor
    if shipping and seen is not None and shipping.price_minor > seen:
        rise = {"item": SHIPPING_CODE, "seen_minor": seen, "price_minor": shipping.price_minor}
        raise PriceRose(rises=[rise], currency=asked.currency)


def out_of_stock(found: Offer) -> stock.OutOfStock:
    """Of what is short, the item of which the least is left; of a bundle, by its parts."""
    left, code, many = min(
        ((found.pieces[item] - found.plan.missing[item]) // each, quote.code,
         -(-found.pieces[item] // each))
        for quote in found.quotes
        for item, each in counted(quote.item_id, 1, found.parts)
        if item in found.plan.missing
    )  # fmt: skip
    return stock.OutOfStock(
        f"{left} of {code} left for orders, {many} asked for", item=code, left=left, asked=many
    )
