"""Orders: what is bought on the web, to be collected or delivered. Paid from the account at once,
like any buy, or to the courier at the door; the goods are kept at the chosen place, or places,
until they leave.

    this member's sale with this key     → the same again, or refused if its contents differ
    quotes, what is free where           refused: not for sale, price rose, sold out
    sourcing, shipping                   which places, in how many parcels, for how much
    account, charge                      refused: no funds, or not to be paid to the courier
    sale, lines, address, outbox         what delivery costs is a line of its own kind
    shipments, reservations              last: the levels are the rows most fought over

A collection is a sale of the place where it is collected; a delivery is one of the shop that the
shopper ordered in, wherever its parcels come from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from .. import catalogue, clock, delivery, ids, money, outbox, payment, stock, web
from ..catalogue.figures import read_rate
from ..db import connection, in_transaction, repeatable, transaction
from ..errors import Invalid
from ..payment import on_delivery
from ..payment.on_delivery import MEANS
from . import at_the_door
from .buying import Bought, Line, PriceRose, check_lines
from .deciding import refuse_rises
from .goods import Deposited, Parts, counted, deposit_rows, deposited, parts_of
from .models import Sale, SaleLine
from .order_goods import pieces_of

__all__ = ["Offer", "Order", "offer", "order"]

SHIPPING_CODE = "DE11VERY"
"""The short code of the item that stands for delivery in the books; it is made with the first
order, and archived, so that it is on no shelf. Its name and tax rate are the owner's to change."""


@dataclass(frozen=True)
class Order:
    """An order as it was asked for. `location_id` is where the shopper shops; `place_id` is where
    they collect, `address_id` where it is delivered. `shipping_seen_minor` is what delivery cost on
    the page. `piece_g` is what goods weigh whose size does not tell. `means` is "account", or
    "delivery": the courier takes cash."""

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
        text = f"{self.location_id}|{self.currency}|{goods}|{how}"
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def wanted(self) -> dict[int, int]:
        """Quantities by item: two lines of one item are counted together."""
        wanted: dict[int, int] = {}
        for line in self.lines:
            wanted[line.item_id] = wanted.get(line.item_id, 0) + line.quantity
        return wanted


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

    @property
    def deposit_minor(self) -> int:
        return sum(each.total_minor for each in self.deposits)

    @property
    def shipping_minor(self) -> int:
        return self.shipping.price_minor if self.shipping else 0

    @property
    def total_minor(self) -> int:
        return self.goods_minor + self.deposit_minor + self.shipping_minor


def order(asked: Order) -> Bought:
    """Opener: order: charge the account (or what is to be paid at the door), keep the goods, let
    the sale stand.

    Any number of times with one key is one sale. Refusals, in order: Invalid, KeyReused 409,
    ItemNotForSale 404, PriceRose 409, NotFound (address) 404, NoDelivery 409, OutOfStock 409,
    NoCashOnDelivery 409, InsufficientFunds 402.
    """
    _check(asked)
    for last in (False, False, False, True):
        try:
            return _order(asked)
        except (IntegrityError, _Overtaken) as error:
            # Somebody was faster, with the goods, the money or this key: decided again on what is
            # true now. Nothing of the try is left.
            if last:
                raise error.__cause__ or error from None
    raise AssertionError("unreachable")


class _Overtaken(Exception):
    """The shelf or the balance changed between our reading and writing."""


@repeatable
def _order(asked: Order) -> Bought:
    with transaction():
        earlier = _earlier(asked)
        if earlier is not None:
            return earlier
        found = offer(asked)
        if found.plan.missing:
            raise _out_of_stock(found)
        try:
            return Bought(_write(asked, found, clock.now()), repeated=False)
        except stock.OutOfStock as refusal:
            raise _Overtaken from refusal


def offer(asked: Order) -> Offer:
    """What the order would be now. What no place has is the plan's `missing`. Raises
    ItemNotForSale, PriceRose, NotFound (address), NoDelivery."""
    wanted = asked.wanted
    quotes = catalogue.quotes(sorted(wanted), asked.sold_at, asked.currency)
    if len(quotes) < len(wanted):
        raise catalogue.ItemNotForSale("This item is not for sale here")
    parts = parts_of(quotes.values())
    pieces = pieces_of(wanted) if parts else wanted
    where, shipping = _shipping(asked, pieces)
    lines = tuple(quotes[line.item_id] for line in asked.lines)
    refuse_rises(asked.lines, lines, parts, asked.currency)
    _refuse_dearer_shipping(asked, shipping)
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
    return Offer(lines, plan, shipping, where, total, tuple(deposits), parts, pieces)


def _check(asked: Order) -> None:
    check_lines(asked.lines, asked.key)
    if asked.fulfilment not in ("collect", "deliver"):
        raise Invalid("An order is collected or delivered", field="how")
    if asked.means not in ("account", MEANS):
        raise Invalid("An order is paid from the account, or to the courier", field="pay")
    if asked.fulfilment == "collect" and asked.place_id is None:
        raise Invalid("Say where you collect it", field="place")
    if asked.fulfilment == "deliver" and asked.address_id is None:
        raise Invalid("Say where it goes", field="address")


def _earlier(asked: Order) -> Bought | None:
    query = select(Sale.id, Sale.contents).where(
        Sale.member_id == asked.member_id, Sale.key == asked.key
    )
    found = connection().execute(query).first()
    if found is None:
        return None
    if found.contents != asked.contents:
        raise payment.KeyReused("The purchase key was used for other goods")
    return Bought(found.id, repeated=True)


def _shipping(
    asked: Order, pieces: Mapping[int, int]
) -> tuple[delivery.Where | None, delivery.Quoted | None]:
    if asked.fulfilment != "deliver" or asked.address_id is None:
        return None, None
    where = delivery.address(asked.member_id, asked.address_id)
    weight = delivery.weight_g(pieces, asked.piece_g)
    table = delivery.zones(asked.currency)
    return where, delivery.quote(where.country, where.postcode, weight, table)


def _refuse_dearer_shipping(asked: Order, shipping: delivery.Quoted | None) -> None:
    seen = asked.shipping_seen_minor
    if shipping and seen is not None and shipping.price_minor > seen:
        rise = {"item": SHIPPING_CODE, "seen_minor": seen, "price_minor": shipping.price_minor}
        raise PriceRose(rises=[rise], currency=asked.currency)


def _out_of_stock(found: Offer) -> stock.OutOfStock:
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


def _write(asked: Order, found: Offer, at: datetime) -> str:
    """Joiner: pay and write; answers the sale's id."""
    sale_id, total = ids.new(), found.total_minor
    rows = _rows(sale_id, asked, found)
    _charge(sale_id, asked, found, at)
    own = in_transaction().connection()
    own.execute(
        insert(Sale),
        [
            {"id": sale_id, "member_id": asked.member_id, "key": asked.key,
             "contents": asked.contents, "location_id": asked.sold_at, "channel": "web",
             "means": asked.means, "currency": asked.currency,
             "state": "due" if asked.means == MEANS and total else "paid",
             "total_minor": total, "tax_minor": sum(int(str(row["tax_minor"])) for row in rows),
             "sold_by": None, "fulfilment": asked.fulfilment, "created_at": at}
        ],
    )  # fmt: skip
    own.execute(insert(SaleLine), rows)
    outbox.put("sale.paid", sale_id)
    if found.where is not None and asked.address_id is not None:
        delivery.keep_for_order(sale_id, asked.member_id, found.where)
        delivery.use_address(asked.member_id, asked.address_id)
    delivery.open_shipments(sale_id, asked.member_id, asked.fulfilment, found.plan.parcels, at)
    return sale_id


def _charge(sale_id: str, asked: Order, found: Offer, at: datetime) -> None:
    total = found.total_minor
    accounts = payment.accounts([asked.member_id], asked.currency)
    if asked.means == MEANS:
        on_delivery.hold_member(asked.member_id, asked.currency)
        at_the_door.refuse(asked.member_id, asked.fulfilment, total, asked.currency)
    elif accounts.balance_of(asked.member_id) < total:
        raise payment.InsufficientFunds(
            balance_minor=accounts.balance_of(asked.member_id), needed_minor=total,
            currency=asked.currency,
        )  # fmt: skip
    paid = payment.Payment(
        asked.member_id, total, sale_id, asked.means, deposit_minor=found.deposit_minor
    )
    if not payment.charge([paid], accounts, at):
        raise _Overtaken


def _rows(sale_id: str, asked: Order, found: Offer) -> list[dict[str, object]]:
    rows = [
        _row(sale_id, at, quote, line.quantity, "goods", line.label_id)
        for at, (quote, line) in enumerate(zip(found.quotes, asked.lines), start=1)
    ]
    rows += deposit_rows(sale_id, found.deposits, len(rows))
    if found.shipping_minor:
        rows.append(_row(sale_id, len(rows) + 1, _delivery_as_sold(found), 1, "shipping", None))
    return rows


def _row(
    sale_id: str, position: int, quote: catalogue.Quote, quantity: int, kind: str,
    label_id: str | None,
) -> dict[str, object]:  # fmt: skip
    total, tax = quote.taxed(quantity)
    return {
        "sale_id": sale_id, "position": position, "item_id": quote.item_id, "names": quote.names,
        "quantity": quantity, "unit_minor": quote.amount_minor, "total_minor": total,
        "tax_minor": tax, "tax_rate_bp": quote.tax_rate_bp, "label_id": label_id, "kind": kind,
        "of_position": None,
    }  # fmt: skip


def _delivery_as_sold(found: Offer) -> catalogue.Quote:
    """Joiner: delivery as an item of the books, made when there is none yet."""
    session = in_transaction()
    item = session.scalar(select(catalogue.Item).where(catalogue.Item.code == SHIPPING_CODE))
    if item is None:
        names = {"en": "Delivery", "zh": "配送"}
        rate = read_rate(web.setting("TAX_RATE"))
        item = catalogue.add_item(code=SHIPPING_CODE, names=names, tax_rate_bp=rate)
        catalogue.archive_item(item.id)
        session.flush()
    return catalogue.Quote(
        item.id, item.code, dict(item.names), item.tax_rate_bp, found.shipping_minor, False
    )
