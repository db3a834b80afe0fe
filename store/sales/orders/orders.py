"""Orders: what is bought on the web, to be collected or delivered. Paid from the account at once,
like any buy, or to the courier at the door, or through a gateway (`order_holds`); the goods are
kept at the chosen place, or places, until they leave.

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

from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from ... import (
    catalogue,
    clock,
    delivery,
    ids,
    membership,
    outbox,
    payment,
    stock,
    web,
)
from ...catalogue.figures import read_rate
from ...db import (
    connection,
    in_transaction,
    repeatable,
    transaction,
)
from ...errors import Invalid
from ...payment import attempts, escrow, on_delivery
from ...payment.models import OPEN
from ...payment.on_delivery import MEANS
from ..ages.ages import age_of
from ..buying import Bought, from_account
from ..goods import deposit_rows
from ..limits import Guard
from ..models import Sale, SaleLine
from ..offers import off_rows
from . import at_the_door
from .ordering import (
    SHIPPING_CODE,
    Offer,
    Order,
    check,
    offer,
    out_of_stock,
)

__all__ = ["Offer", "Order", "Overtaken", "earlier", "offer", "order", "refuse_part", "write"]


def order(asked: Order) -> Bought:
    """Opener: order: charge the account (or what is to be paid at the door), keep the goods, let
    the sale stand.

    Any number of times with one key is one sale. Refusals, in order: Invalid, KeyReused 409,
    ItemNotForSale 404, PriceRose 409, CouponRefused 409, NotFound (address) 404, NoDelivery 409,
    OutOfStock 409, NoCashOnDelivery 409, InsufficientFunds 402.
    """
    check(asked)
    if asked.means not in ("account", MEANS):
        raise Invalid("What a gateway shall bring is paid on its page first", field="pay")
    for last in (False, False, False, True):
        try:
            return _order(asked)
        except (IntegrityError, Overtaken) as error:
            # Somebody was faster, with the goods, the money or this key: decided again on what is
            # true now. Nothing of the try is left.
            if last:
                raise error.__cause__ or error from None
    raise AssertionError("unreachable")


class Overtaken(Exception):
    """The shelf or the balance changed between our reading and writing."""


@repeatable
def _order(asked: Order) -> Bought:
    with transaction():
        before = earlier(asked)
        if before is not None:
            return before
        _pay_otherwise(asked)
        found = offer(asked)
        if found.plan.missing:
            raise out_of_stock(found)
        try:
            return Bought(write(asked, found, clock.now()), repeated=False)
        except stock.OutOfStock as refusal:
            raise Overtaken from refusal


def _pay_otherwise(asked: Order) -> None:
    """Joiner: the shopper of this page went to a provider and came back to pay otherwise: what is
    kept for that payment is free again."""
    mine = attempts.with_key(asked.member_id, asked.key)
    if mine is not None and mine.state in OPEN:
        attempts.step(attempts.locked(mine.id), "given_up", "return")


def earlier(asked: Order) -> Bought | None:
    """The member's sale with this key, if there is one. Raises KeyReused."""
    query = select(Sale.id, Sale.contents).where(
        Sale.member_id == asked.member_id, Sale.key == asked.key
    )
    found = connection().execute(query).first()
    if found is None:
        return None
    if found.contents != asked.contents:
        raise payment.KeyReused("The purchase key was used for other goods")
    return Bought(found.id, repeated=True)


def write(asked: Order, found: Offer, at: datetime) -> str:
    """Joiner: pay and write; answers the sale's id. Raises InsufficientFunds, NoCashOnDelivery;
    OutOfStock and Overtaken where somebody was faster."""
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
             "account_minor": asked.account_minor,
             "sold_by": None, "fulfilment": asked.fulfilment, "created_at": at}
        ],
    )  # fmt: skip
    own.execute(insert(SaleLine), rows)
    _reduce(sale_id, asked, found)
    outbox.put("sale.paid", sale_id)
    if found.where is not None and asked.address_id is not None:
        delivery.keep_for_order(sale_id, asked.member_id, found.where)
        delivery.use_address(asked.member_id, asked.address_id)
    delivery.open_shipments(sale_id, asked.member_id, asked.fulfilment, found.plan.parcels, at)
    return sale_id


def _reduce(sale_id: str, asked: Order, found: Offer) -> None:
    """Why its lines cost less; and what may be had so many times is counted, unless it was when the
    goods were kept for an attempt to pay."""
    off = [each for quote in found.quotes for each in quote.off]
    if not off:
        return
    membership.write_reductions(sale_id, off_rows(found.quotes))
    if asked.attempt_id is not None:
        membership.settle(asked.attempt_id, sale_id)
    elif not membership.use(off, asked.member_id, sale_id=sale_id):
        raise Overtaken


def _charge(sale_id: str, asked: Order, found: Offer, at: datetime) -> None:
    total = found.total_minor
    accounts = payment.accounts([asked.member_id], asked.currency)
    if asked.means == MEANS:
        on_delivery.hold_member(asked.member_id, asked.currency)
        at_the_door.refuse(asked.member_id, asked.fulfilment, total, asked.currency)
    refuse_part(asked, total, accounts)
    paid = payment.Payment(
        asked.member_id, total, sale_id, asked.means, asked.attempt_id, found.deposit_minor
    )
    parts = paid.split(asked.account_minor) if asked.account_minor else [paid]
    if not payment.charge(parts, accounts, at):
        raise Overtaken
    if asked.means != MEANS:
        escrow.hold(sale_id, asked.member_id, total - found.deposit_minor, asked.currency)


def refuse_part(asked: Order, total_minor: int, accounts: payment.Accounts) -> None:
    """Joiner: what leaves the account for an order is there, and within its limits. Raises
    AccountSuffices, InsufficientFunds, ConfirmationNeeded."""
    part = from_account(asked.means, asked.account_minor, total_minor)
    if accounts.balance_of(asked.member_id) < part:
        raise payment.InsufficientFunds(
            balance_minor=accounts.balance_of(asked.member_id), needed_minor=part,
            currency=asked.currency,
        )  # fmt: skip
    if part and not asked.is_confirmed:
        owner = (asked.member_id, asked.currency)
        Guard.read({asked.currency: accounts}).refuse(owner, part)


def _rows(sale_id: str, asked: Order, found: Offer) -> list[dict[str, object]]:
    rows = [
        _row(sale_id, at, quote, line.quantity, "goods", line.label_id)
        | {"least_age": age_of(quote, found.parts)}
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
        "of_position": None, "off_minor": quote.off_minor, "least_age": 0,
    }  # fmt: skip


def _delivery_as_sold(found: Offer) -> catalogue.Quote:
    """Joiner: delivery as an item of the books. It is made with the first order, and archived, so
    that it is on no shelf; its name and tax rate are the owner's to change."""
    session = in_transaction()
    item = session.scalar(select(catalogue.Item).where(catalogue.Item.code == SHIPPING_CODE))
    if item is None:
        names = {"en": "Delivery", "zh": "配送"}
        rate = read_rate(web.setting("TAX_RATE"))
        try:
            item = catalogue.add_item(code=SHIPPING_CODE, names=names, tax_rate_bp=rate)
        except catalogue.CodeTaken as error:  # Another order was the first, just now.
            raise Overtaken from error
        catalogue.archive_item(item.id)
        session.flush()
    return catalogue.Quote(
        item.id, item.code, dict(item.names), item.tax_rate_bp, found.shipping_minor, False
    )
