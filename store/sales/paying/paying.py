"""Paying from outside: the buy whose money comes from a provider.

    hold      the goods are kept and the prices stand for a while; an attempt is written down
    start     the provider is asked, with no transaction open
    paid      the sale stands, at the prices that were held, in the transaction that settles
    let go    the shopper went away, the provider said no, or nobody paid in time

Money that comes after all buys the goods if they are there still, else goes back to where it came
from, and the page says so. The account's buy (`checkout`) knows nothing of this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError

from ... import (
    clock,
    membership,
    payment,
    stock,
)
from ...db import in_transaction, repeatable, transaction
from ...errors import (
    Invalid,
    NotFound,
    Refusal,
    Unavailable,
)
from ...payment import (
    asides,
    asking,
    attempts,
    cards,
    paybacks,
)
from ...payment.calls import GatewayAway
from ...payment.gateways import Gateway
from ...payment.models import OPEN, Attempt
from ..basket import basket
from ..buying import Bought, Buy, Line
from ..checkout import Weighed, buy_in, weigh
from ..limits import Guard
from ..models import Hold, Sale
from ..orders import order_holds
from ..orders.held import stood
from ..orders.ordering import Order
from ..orders.orders import Overtaken
from .transfers import refuse_many

__all__ = [
    "Paying",
    "find",
    "find_at_till",
    "let_go",
    "pay",
]


@dataclass(frozen=True)
class Paying:
    """A buy, or a web order, with the provider that brings its money, which takes no less than
    `least_minor`. `wish` is for practice money. The member's kept card `saved_id` pays, or the card
    that pays is kept (`keeps`). Inside WeChat `payer` is whose WeChat pays, and `way` tells it."""

    asked: Buy | Order
    gateway: Gateway
    way: str = ""
    minutes: int = 15
    least_minor: int = 0
    subject: str = ""
    base_url: str = ""
    wish: str = "approve"
    address: str = ""
    saved_id: str | None = None
    keeps: bool = False
    payer: str = field(default="", repr=False)


def pay(paying: Paying) -> str:
    """Hold the goods and ask the provider for the money; answers the attempt's id. The same key
    with the same provider finds the same attempt, so that a second tap, a reload or a lost signal
    never asks for the money twice.

    Where the account pays a part (`account_minor`), that is set aside until the payment ends. What
    may be had so many times (a coupon) is counted when its goods are kept, and given back where
    nobody pays.

    Raises what `checkout.buy`, or `orders.order`, raises (InsufficientFunds and ConfirmationNeeded
    of the account's part), AccountSuffices 409, AlreadyPaid, TransfersWaiting 409, GatewayAway 503;
    of a kept card NotFound, CardGone, CardExpired, ConfirmationNeeded.
    """
    try:
        mine, fresh = _hold(paying)
    except (IntegrityError, Overtaken):
        # The same page was sent twice at once, or somebody took the goods: decided again.
        mine, fresh = _hold(paying)
    if fresh:
        try:
            asking.start(mine, _wanted(paying, mine.amount_minor), paying.gateway,
                           f"/pay/{mine.id}")  # fmt: skip
        except GatewayAway:
            attempts.give_up(mine.id, "start")
            raise
    return mine.id


class AlreadyPaid(Refusal):
    """There is a sale with this key. `data`: sale."""

    code = "already_paid"
    status = 409
    title = "This was paid already"


def _wanted(paying: Paying, amount_minor: int) -> attempts.Wanted:
    asked = paying.asked
    return attempts.Wanted(
        asked.member_id, amount_minor, asked.currency, asked.key, paying.wish, paying.way,
        paying.subject, paying.base_url, paying.address,
        asked.sold_by, _guest_of(asked), paying.saved_id, paying.keeps,
        paying.payer,
    )  # fmt: skip


def _guest_of(asked: Buy | Order) -> int | None:
    """Web orders are members' alone."""
    return asked.guest_id if isinstance(asked, Buy) else None


@repeatable
def _hold(paying: Paying) -> tuple[Attempt, bool]:
    """Opener: the attempt of this page, and whether its provider must be asked."""
    asked, name = paying.asked, paying.gateway.name
    with transaction() as session:
        paid = session.scalar(select(Sale.id).where(_whose(asked), Sale.key == asked.key))
        if paid is not None:
            raise AlreadyPaid(sale=paid)
        earlier = attempts.with_key(asked.member_id, asked.key, asked.sold_by, _guest_of(asked))
        if earlier is not None and earlier.sale_id is not None:
            raise AlreadyPaid(sale=earlier.sale_id)  # Claimed since, under another key.
        if earlier is not None and earlier.state in OPEN:
            how = (earlier.gateway, earlier.way, earlier.saved_id, earlier.keeps)
            wished = (name, paying.way, paying.saved_id, paying.keeps)
            if how == wished and _same(earlier, asked):
                return earlier, not earlier.next_url and not earlier.code
            attempts.step(attempts.locked(earlier.id), "given_up", "return")
            if earlier.sale_id is not None:  # It was paid while we waited for it.
                raise AlreadyPaid(sale=earlier.sale_id)
        refuse_many(name, asked.member_id)
        total_minor, keep = _weighed(asked)
        if not total_minor:
            raise Invalid("What costs nothing is not paid for", field="quantity")
        own = _part_of(asked)
        rest_minor = total_minor - (own.amount_minor if own else 0)
        _refuse_card(paying, rest_minor)
        if rest_minor < paying.least_minor:
            raise Invalid("So little is not paid in this way", field="pay")
        mine = attempts.begin(
            _wanted(paying, rest_minor), name, "sale", timedelta(minutes=paying.minutes),
            number=earlier.number + 1 if earlier is not None else 1,
        )  # fmt: skip
        session.flush()
        if own is not None:  # Before the goods: accounts are locked before levels, as in any buy.
            asides.set_aside(mine.id, own)
        keep(mine)
        return mine, True


def _whose(asked: Buy | Order) -> ColumnElement[bool]:
    """The sales among which a key stands."""
    if (guest_id := _guest_of(asked)) is not None:
        return Sale.guest_id == guest_id
    if asked.sold_by is not None:
        return Sale.sold_by == asked.sold_by
    return Sale.member_id == asked.member_id


def _refuse_card(paying: Paying, amount_minor: int) -> None:
    """Joiner: a kept card is the member's own, and one tap spends no more of it than of the account
    without their PIN. Raises NotFound, CardGone, CardExpired, ConfirmationNeeded."""
    asked = paying.asked
    if paying.saved_id is None:
        return
    if asked.member_id is None:
        raise NotFound("There is no such card")
    cards.own(asked.member_id, paying.saved_id, paying.gateway.name)
    if not asked.is_confirmed:
        found = payment.accounts([asked.member_id], asked.currency)
        owner = (asked.member_id, asked.currency)
        Guard.read({asked.currency: found}).refuse(owner, amount_minor)


def _same(earlier: Attempt, asked: Buy | Order) -> bool:
    """Joiner: whether an attempt is for the same. A basket's key tells its goods, not how they
    come."""
    aside = asides.of(earlier.id)
    if (aside.amount_minor if aside else 0) != asked.account_minor:
        return False
    held = in_transaction().get_one(Hold, earlier.id)
    if isinstance(asked, Order):
        return (held.order or {}).get("contents") == asked.contents
    return held.order is None


def _part_of(asked: Buy | Order) -> asides.Part | None:
    """What the account pays of it, where a gateway brings the rest."""
    if not asked.account_minor:
        return None
    if asked.sold_by is not None or asked.member_id is None:
        raise Invalid("A till takes one means of payment", field="account")
    return asides.Part(asked.member_id, asked.account_minor, asked.currency, asked.is_confirmed)


def _weighed(asked: Buy | Order) -> tuple[int, Callable[[Attempt], None]]:
    """Joiner: what it costs now, and how it is kept for an attempt."""
    if isinstance(asked, Order):
        order, offer = asked, order_holds.weigh(asked)
        return offer.total_minor, lambda mine: order_holds.keep(mine, order, offer)
    buy, weighed = asked, weigh(asked)
    return weighed.total_minor, lambda mine: _keep(mine, buy, weighed)


def _keep(mine: Attempt, asked: Buy, weighed: Weighed) -> None:
    """Joiner: write it down, and let web orders not get what this shopper is paying for. Where they
    have it already, nothing is kept: the shopper holds it in hand, and that wins."""
    in_transaction().add(_written(mine.id, asked, weighed))
    in_transaction().flush()
    off = [each for quote in weighed.quotes for each in quote.off]
    if off and not membership.use(off, asked.member_id, attempt_id=mine.id):
        raise Overtaken
    wants = [
        stock.Want(item, asked.location_id, many - weighed.found.get((item, asked.location_id), 0))
        for item, many in weighed.wanted.items()
    ]
    wants = [want for want in wants if want.quantity > 0]
    if not wants:
        return
    try:
        stock.reserve(wants, mine.id, mine.ends_at, clock.now())
    except stock.OutOfStock:
        return


def _written(attempt_id: str, asked: Buy, weighed: Weighed) -> Hold:
    lines = [
        {"quantity": line.quantity, "label": line.label_id, "quote": list(quote),
         "parts": [list(part) for part in weighed.parts.get(quote.item_id, ())]}
        for line, quote in zip(asked.lines, weighed.quotes)
    ]  # fmt: skip
    return Hold(
        attempt_id=attempt_id, location_id=asked.location_id, key=asked.key,
        channel=asked.channel, lines=lines,
    )  # fmt: skip


def _paid(mine: Attempt) -> None:
    """Joiner: the money is there; so is the sale, or the money goes back."""
    session = in_transaction()
    held = session.get_one(Hold, mine.id)
    own = asides.end(mine.id)  # The sale takes it again, like any other.
    stock.release(mine.id, clock.now())
    try:
        _count_again(mine, held)
        bought = _bought(mine, held, own)
    except Unavailable:
        raise  # Somebody was faster: all of it is undone, and decided again.
    except Refusal as refusal:
        membership.release(mine.id)
        paybacks.send_back(mine, refusal.code)
        return
    if bought.repeated:
        membership.release(mine.id)
        paybacks.send_back(mine, "already_paid")
        return
    named = update(Attempt).where(Attempt.id == mine.id).values(sale_id=bought.sale_id)
    session.execute(named)
    if mine.guest_id is not None:
        basket.take_out_anywhere(held.key)
    else:
        basket.take_out(mine.member_id if mine.sold_by is None else None, held.key)


def _count_again(mine: Attempt, held: Hold) -> None:
    """Joiner: money that comes late finds what it had been promised still to be had, or goes back.
    Raises CouponRefused, PointsRefused."""
    off = [each for quote in stood(held)[0] for each in quote.off if each.is_counted]
    if not off or membership.is_kept(mine.id):
        return
    if membership.use(off, mine.member_id, attempt_id=mine.id):
        return
    if all(each.points is not None for each in off):
        raise membership.PointsRefused(asked=sum(each.points or 0 for each in off), left=0)
    raise membership.CouponRefused(coupon="", why="used_up")


def _bought(mine: Attempt, held: Hold, own: asides.Part | None) -> Bought:
    """Joiner: the sale of what was held. Raises what `buy_in` raises."""
    quotes, parts = stood(held)
    if held.order is not None:
        return order_holds.bought(mine, held, quotes, parts, own)
    asked = Buy(
        mine.member_id, held.location_id, mine.currency,
        tuple(Line(quote.item_id, line["quantity"], label_id=line["label"])
              for line, quote in zip(held.lines, quotes)),
        held.key, held.channel, mine.sold_by, means=mine.gateway, attempt_id=mine.id,
        is_confirmed=bool(own and own.is_confirmed), account_minor=own.amount_minor if own else 0,
        guest_id=mine.guest_id,
    )  # fmt: skip
    return buy_in(asked, quotes, parts)


def _over(mine: Attempt) -> None:
    """Joiner: nobody paid, so the goods are kept no longer, a coupon is free again, and the account
    has its part."""
    asides.end(mine.id)
    stock.release(mine.id, clock.now())
    membership.release(mine.id)


attempts.serves("sale", attempts.Ends(_paid, _over))


@repeatable
def let_go(member_id: int, key: str) -> None:
    """Opener: the shopper came back to pay otherwise: what is kept for that payment is free."""
    with transaction():
        mine = attempts.with_key(member_id, key)
        if mine is not None and mine.state in OPEN:
            attempts.step(attempts.locked(mine.id), "given_up", "return")


def find_at_till(attempt_id: str, seller_id: int) -> Attempt:
    """An attempt of a seller's till. Raises NotFound."""
    return attempts.find(attempt_id, purpose="sale", sold_by=seller_id)


def find(attempt_id: str, member_id: int | None, guest_id: int | None = None) -> Attempt:
    """An attempt to pay for a sale: the member's, or that of a guest's device. Raises NotFound."""
    if member_id is None and guest_id is None:
        raise NotFound("There is no such payment")
    return attempts.find(attempt_id, member_id, "sale", guest_id=guest_id)
