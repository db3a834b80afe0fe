"""Pages of paying from outside: by which means, the wait for the provider, what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from flask import current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ... import (
    catalogue,
    clock,
    identity,
    ids,
    payment,
    web,
)
from ... import forms as fields
from ...errors import NotFound
from ...payment import (
    asides,
    asking,
    cards,
    events,
    in_wechat_views,
    paybacks,
)
from ...payment.card_models import SavedMeans
from ...payment.gateways import Gateway, Keeps
from ...payment.gateways.bank import NAME as BANK
from ...payment.gateways.offered import least_by_transfer
from ...payment.gateways.simulated import WISHES
from ...payment.models import OPEN, Attempt
from ...payment.offering_views import gateway_named, gateway_of, offered_here
from .. import forms
from ..basket import basket
from ..basket.basket_views import BasketChanged
from ..buying import Buy, Line
from ..goods import deposited, due_minor, parts_of
from ..guests import guest_views, guests
from ..offers import Offers
from ..orders.held import lines_of, single_of
from ..orders.ordering import Order
from ..shown_views import blueprint
from ..till.marked import marked_at, reduced
from . import paying
from .transfer_views import transfer


class _Goods(NamedTuple):
    """What shall be paid for: lines of a buy, as they are shown, and under which key."""

    location_id: int
    key: str
    lines: tuple[Line, ...]
    shown: list[tuple[str, int, int]]
    """Name, quantity, what the line costs."""
    coupon: str = ""
    off_minor: int = 0
    """What offers, the coupon and points take off."""
    points: int = 0

    @property
    def total_minor(self) -> int:
        return sum(total for _, _, total in self.shown)


@blueprint.get("/pay", endpoint="ways")
def ways() -> ResponseReturnValue:
    """By which means? Of one item (`code`), or of the basket; of a guest without the account."""
    member = _buyer()
    if ask := in_wechat_views.to_ask():
        return redirect(ask, 303)
    goods = _item() if request.args.get("code") else _basket()
    currency = forms.currency()
    balance = payment.balance_of(member.id, currency) if member else 0
    part, found = with_account(balance, goods.total_minor)
    back = url_for("sales.basket")
    if request.args.get("code"):
        known = catalogue.find_item(request.args["code"][:64], base_url=web.base_url())
        back = catalogue.item_path(known) if known else back
    page = render_template(
        "sales/ways.html", guest=member is None, goods=goods, currency=currency, back_to=back,
        wishes=WISHES,
        gateways=found, key=goods.key, asked=request.args, balance_minor=balance,
        part_minor=part, choice=_choice, cards=cards_for(member.id if member else None, found),
    )  # fmt: skip
    return page if member else guest_views.remember(make_response(page))


def _buyer() -> identity.Visitor | None:
    """Who pays; None is a guest, where the shop lets them. Raises SignInNeeded."""
    member = identity.current()
    if member is None and not guest_views.lets_guests_pay():
        raise identity.SignInNeeded()
    return member


def with_account(
    balance_minor: int, total_minor: int, channel: str = "shelf"
) -> tuple[int, list[Gateway]]:
    """What of a total the account pays, where it holds too little for all of it and the visitor has
    not said `account=0`; and the providers for the rest."""
    part = balance_minor if 0 < balance_minor < total_minor else 0
    if part and request.args.get("account") != "0":
        found = offered_here(total_minor - part, channel)
        if found:
            return part, found
    return 0, offered_here(total_minor, channel)


def _choice(**other: Any) -> str:
    """The address of this page with another choice."""
    kept: dict[str, Any] = {
        name: request.args[name][:64]
        for name in ("code", "quantity", "at", "label")
        if request.args.get(name)
    }
    return url_for("sales.ways", **kept, **other)


@blueprint.post("/pay", endpoint="pay")
def pay() -> ResponseReturnValue:
    """Hold the goods and go to the provider. The same page sent twice is one payment."""
    member = _buyer()
    guest_id = None if member else guest_views.pays()
    means, saved_id = _means()
    key = forms.purchase_key()
    lines: tuple[Line, ...]
    coupon, points = "", 0
    if request.form.get("code"):
        lines, place = (forms.line(),), forms.location().id
    else:
        basket.claim(forms.holder())
        goods = _basket()
        if goods.key != key:
            paid = (
                basket.paid_with(member.id, key) if member
                else guests.paid_with(guest_id or 0, key)
            )  # fmt: skip
            if paid is None:
                raise BasketChanged()
            return redirect(url_for("sales.receipt", sale_id=paid), 303)
        seen = forms.seen_by_item([line.item_id for line in goods.lines])
        place, coupon, points = goods.location_id, goods.coupon, goods.points
        lines = tuple(
            Line(line.item_id, line.quantity, seen[line.item_id], line.label_id)
            for line in goods.lines
        )
    asked = Buy(
        member.id if member else None, place, forms.currency(), lines, key, "shelf", means=means,
        is_confirmed=bool(member and identity.confirmed(member.id)),
        account_minor=forms.account_minor(), coupon=coupon, points=points,
        guest_id=guest_id,
        seen_total_minor=forms.seen_total(),
    )  # fmt: skip
    return to_provider(asked, saved_id)


def _means() -> tuple[str, str | None]:
    """By which provider, and by which kept card: "stripe", or "stripe:" and the card's id."""
    means, _, card = fields.text("means", least=1, most=40).partition(":")
    return means, card or None


def to_provider(asked: Buy | Order, saved_id: str | None = None) -> ResponseReturnValue:
    """Keep the goods and go to the provider. The same page sent twice is one payment."""
    by_transfer = asked.means == BANK
    if by_transfer and not isinstance(asked, Order):
        raise NotFound("Goods from the shelf are not paid by bank transfer")
    minutes, least = int(current_app.config["HOLD_MINUTES"]), 0
    if by_transfer:
        minutes = 1440 * int(current_app.config["BANK_DAYS"])
        least = least_by_transfer(current_app.config, asked.currency)
    try:
        attempt_id = paying.pay(
            paying.Paying(
                asked, gateway_named(asked.means), minutes=minutes, least_minor=least,
                subject=current_app.config["SHOP_NAME"], base_url=web.base_url(),
                wish=fields.choice("wish", WISHES, "approve"), address=request.remote_addr or "",
                saved_id=saved_id, keeps=saved_id is None and keeps_asked(asked),
                **in_wechat_views.terms(asked.means),
            )
        )  # fmt: skip
    except paying.AlreadyPaid as refusal:
        return redirect(url_for("sales.receipt", sale_id=refusal.data["sale"]), 303)
    return redirect(url_for("sales.payment", attempt_id=attempt_id, go=1), 303)


@blueprint.get("/pay/<attempt_id>", endpoint="payment")
def wait(attempt_id: str) -> ResponseReturnValue:
    """Where the shopper comes back to, with or without having paid, and after a lost signal."""
    mine = _mine(attempt_id)
    if mine.sale_id is not None:
        return redirect(url_for("sales.receipt", sale_id=mine.sale_id), 303)
    by_transfer = mine.gateway == BANK and mine.state in OPEN
    return render_template(
        "sales/transfer.html" if by_transfer else "sales/payment.html",
        transfer=transfer(mine) if by_transfer else None, mine=mine, waits=mine.state in OPEN,
        goes_back=paybacks.of_attempt(mine.id), part=asides.of(mine.id), why=_why(mine),
        again=_again(mine) if mine.state == "failed" or in_wechat_views.is_over(mine) else "",
        go=request.args.get("go") == "1",
        lines=[(web.in_language(names), many, total)
               for names, many, total in lines_of(mine.id)],
        window=in_wechat_views.window(mine),
    )  # fmt: skip


def _why(mine: Attempt) -> str:
    """Why a kept card was declined, as its provider says it."""
    if mine.state != "failed" or mine.saved_id is None:
        return ""
    said = [one.detail for one in events.of_attempt(mine.id) if one.event == "declined"]
    return said[-1] if said else ""


def _again(mine: Attempt) -> str:
    """Where the same goods are paid for in another way; "" where that is not known any more."""
    found = basket.contents(forms.holder(), forms.currency())
    if found is not None and found.lines and found.key == mine.key:
        return url_for("sales.ways")
    one = single_of(mine.id)
    return url_for("sales.ways", code=one[0], quantity=one[1], at=one[2]) if one else ""


@blueprint.post("/pay/<attempt_id>/checks", endpoint="check_payment")
def check(attempt_id: str) -> ResponseReturnValue:
    """Ask the provider now: the shopper is back."""
    mine = _mine(attempt_id)
    asking.ask_about(mine, gateway_of(mine))
    return redirect(url_for("sales.payment", attempt_id=attempt_id), 303)


@blueprint.post("/pay/<attempt_id>/cancellations", endpoint="abandon_payment")
def abandon(attempt_id: str) -> ResponseReturnValue:
    """The shopper does not want to pay in this way any more."""
    mine = _mine(attempt_id)
    asking.abandon(mine, gateway_of(mine))
    return redirect(url_for("sales.payment", attempt_id=attempt_id), 303)


def _mine(attempt_id: str) -> Attempt:
    """A payment of this member, or begun on this device by a guest. Raises SignInNeeded,
    NotFound."""
    member, guest_id = identity.current(), guest_views.device()
    if member is None and guest_id is None:
        raise identity.SignInNeeded()
    return paying.find(attempt_id, member.id if member else None, guest_id)


def cards_for(member_id: int | None, gateways: Sequence[Gateway]) -> list[SavedMeans]:
    """The member's kept cards of these providers that can pay still; a guest has none."""
    names = [one.name for one in gateways if isinstance(one, Keeps)]
    found = cards.of_member(member_id, names) if names and member_id is not None else []
    return [card for card in found if not cards.is_expired(card)]


def keeps_asked(asked: Buy | Order) -> bool:
    """Whether a member wants the card kept that they are going to pay with."""
    wants = fields.flag("keep") and asked.member_id is not None
    return wants and isinstance(gateway_named(asked.means), Keeps)


def _item() -> _Goods:
    code, place = request.args["code"][:64], forms.location()
    item_id = forms.item_id(code)
    asked = request.args.get("quantity", "1")
    many = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 3 else 1
    quote = catalogue.quotes([item_id], place.id, forms.currency()).get(item_id)
    if quote is None:
        raise catalogue.ItemNotForSale("This item is not for sale here")
    many, at = max(1, many), (item_id, place.id)
    if quote.tracks_batches:
        quote = reduced(quote, place.id, {at: many}, marked_at([at]))
    parts = parts_of([quote])
    line = Line(item_id, many, seen_minor=due_minor(quote, parts, forms.currency()))
    member = identity.current()
    asked_for = Buy(member.id if member else None, place.id, forms.currency(), (line,), "")
    quote = Offers.read([asked_for], [quote]).price(asked_for, [quote], [many], clock.now())[0]
    shown = [(web.in_language(quote.names), many, quote.taxed(many).total_minor)]
    shown += [
        (web.in_language(one.deposit.names), one.quantity, one.total_minor)
        for one in deposited([(quote, many)], parts, forms.currency())
    ]
    return _Goods(place.id, ids.new(), (line,), shown, off_minor=quote.off_minor)


def _basket() -> _Goods:
    found = basket.contents(forms.holder(), forms.currency())
    if found is None or not found.lines:
        raise NotFound("Your basket is empty")
    lines = tuple(
        Line(line.item_id, line.quantity, line.due_minor, line.label_id) for line in found.lines
    )
    shown: list[tuple[str, int, int]] = [
        (web.in_language(line.names), line.quantity, line.total_minor) for line in found.lines
    ]
    shown += [
        (web.in_language(one.names), many * line.quantity, one.amount_minor * many * line.quantity)
        for line in found.lines
        for one, many in line.deposits
    ]
    return _Goods(found.location_id, found.key, lines, shown, found.holding_coupon,
                  found.off_minor, found.points)  # fmt: skip
