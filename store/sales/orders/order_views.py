"""Pages of an order: collect or have it delivered, and cancelling it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import (
    delivery,
    identity,
    ids,
    membership,
    stock,
    web,
)
from ... import forms as fields
from ...catalogue import Quote
from ...errors import Invalid, NotFound, Refusal
from ...payment import in_wechat_views
from ...payment.gateways import OUTSIDE
from ...payment.gateways.simulated import WISHES
from ...payment.on_delivery import MEANS
from .. import forms
from ..basket import basket
from ..basket.basket_views import BasketChanged
from ..buying import Line
from ..paying.paying_views import to_provider
from ..receipts.receipts import receipt
from ..shelf.elsewhere import Elsewhere, elsewhere, far
from ..shelf.shelf import named
from ..shown_views import blueprint, shown_off, why_not
from . import fulfilment
from .held import waiting_orders
from .order_goods import pieces_of
from .order_paying_views import COURIER, means_of, ways
from .ordering import Offer, Order, offer
from .orders import order

HOW = ("collect", "deliver")


@blueprint.get("/order", endpoint="order")
def show_order() -> ResponseReturnValue:
    """One item, or the basket, with the ways in which it can come. Changes nothing."""
    identity.signed_in()
    if ask := in_wechat_views.to_ask():
        return redirect(ask, 303)
    member, asked = identity.signed_in(), _asked(identity.signed_in().id)
    if not asked.lines:
        return redirect(url_for("sales.basket"), 303)
    pieces = pieces_of(asked.wanted)
    weight = delivery.weight_g(pieces, asked.piece_g)
    found = elsewhere(pieces, asked.location_id, asked.currency, weight)
    known = delivery.address_book(member.id)
    asked = _chosen(asked, found, known)
    says, made = _offer(asked)
    without = None
    if made is None and asked.coupon:
        asked, without = replace(asked, coupon=""), says
        says, made = _offer(asked)
    where = stock.location_by_id(asked.location_id)
    paid = ways(asked, made, request.args.get("pay", ""))
    return render_template(
        "sales/order.html", order=asked, offer=made, says=says, found=found, known=known,
        lines=_lines(asked, made), far=far, location_name=where.name, currency=asked.currency,
        place=next((one for one in found.places if one.location_id == asked.place_id), None),
        back_to=url_for("sales.basket") if _is_basket() else None,
        choice=_choice, again=request.full_path, ways=paid, wishes=WISHES,
        waits=waiting_orders(member.id), without=without if made else None,
    )  # fmt: skip


@blueprint.post("/orders")
def place_order() -> ResponseReturnValue:
    """Pay for the order as it was shown. A second tap, a reload: the same receipt."""
    member, key = identity.signed_in(), forms.purchase_key()
    basket.claim(forms.holder())
    asked = _asked(member.id)
    if _is_basket():
        paid = basket.paid_with(member.id, key)
        if paid is not None:
            basket.empty(member.id, key)
            return redirect(url_for("sales.receipt", sale_id=paid), 303)
        if asked.key != key:
            raise BasketChanged() if asked.lines else NotFound("Your basket is empty")
    seen = forms.seen_by_item([line.item_id for line in asked.lines])
    asked = replace(
        asked,
        key=key,
        lines=tuple(replace(line, seen_minor=seen[line.item_id]) for line in asked.lines),
        shipping_seen_minor=fields.whole("shipping_seen", least=0, most=10**15, default=0),
        is_confirmed=identity.confirmed(member.id),
        account_minor=forms.account_minor(),
        coupon=asked.coupon if fields.text("coupon", most=32) == asked.coupon else "",
        seen_total_minor=forms.seen_total(),
    )
    if asked.means in OUTSIDE:
        return to_provider(asked, request.form.get("pay", "").partition(":")[2] or None)
    bought = order(asked)
    if _is_basket():
        basket.empty(member.id, key)
    return redirect(url_for("sales.receipt", sale_id=bought.sale_id), 303)


@blueprint.post("/sales/<sale_id>/cancel")
def cancel(sale_id: str) -> ResponseReturnValue:
    """The shopper's own order, as far as nothing of it has left."""
    member = identity.signed_in()
    if receipt(sale_id, member.id) is None:
        raise NotFound("There is no such receipt")
    to_account = forms.to_account()
    fulfilment.cancel(sale_id, made_by=member.id, member_id=member.id, to_account=to_account)
    sale = receipt(sale_id, member.id)
    if sale is not None and sale.means == MEANS:
        flash(gettext("Cancelled. You pay nothing for it."), "good")
    elif sale is not None and sale.means in OUTSIDE and not to_account:
        flash(gettext("Cancelled. The money goes back to where it came from."), "good")
    else:
        flash(gettext("Cancelled. The money is back in your account."), "good")
    return redirect(url_for("sales.receipt", sale_id=sale_id), 303)


def _is_basket() -> bool:
    return not request.values.get("code")


def _asked(member_id: int) -> Order:
    """What the address or the form says: goods, how they come, where to."""
    how = request.values.get("how", "")
    if how and how not in HOW:
        raise Invalid("An order is collected or delivered", field="how")
    pay = request.values.get("pay", "")
    if pay.partition(":")[0] not in ("", "account", COURIER, *OUTSIDE):
        raise Invalid("There is no such way of paying for an order", field="pay")
    key, place, lines, coupon, points = _goods()
    address = request.values.get("address", "")
    return Order(
        member_id, place.id, forms.currency(), lines, key, how,
        int(current_app.config["PIECE_G"]),
        place_id=_place(request.values.get("place", "")) if how == "collect" else None,
        address_id=_number(address) if how == "deliver" and address else None,
        means=means_of(pay), coupon=coupon, points=points,
    )  # fmt: skip


def _goods() -> tuple[str, stock.Location, tuple[Line, ...], str, int]:
    """Key, place, lines, coupon and points: of the one item that is named, else of the visitor's
    basket."""
    code = request.values.get("code", "")[:64]
    if code:
        quantity = request.values.get("quantity", "1")
        many = _number(quantity) if quantity else 1
        if not 1 <= many <= forms.MOST_AT_ONCE:
            raise Invalid(f"A quantity is 1 to {forms.MOST_AT_ONCE}", field="quantity")
        return ids.new(), forms.location(), (Line(forms.item_id(code), many),), "", 0
    found = basket.contents(forms.holder(), forms.currency())
    if found is None:
        return "", forms.location(), (), "", 0
    lines = tuple(Line(one.item_id, one.quantity, None, one.label_id) for one in found.lines)
    return found.key, stock.location_by_id(found.location_id), lines, found.coupon, found.points


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise NotFound("There is no such thing")
    return int(text)


def _place(code: str) -> int | None:
    return stock.location(code[:32]).id if code else None


def _chosen(asked: Order, found: Elsewhere, known: list[Any]) -> Order:
    """What the page shows first: what was asked for, else what is nearest, else what is sent."""
    how = asked.fulfilment or ("collect" if found.places else "deliver")
    asked = replace(asked, fulfilment=how)
    if how == "collect" and asked.place_id is None and found.places:
        return replace(asked, place_id=found.places[0].location_id)
    if how == "deliver" and asked.address_id is None and known:
        return replace(asked, address_id=known[0].id)
    return asked


def _offer(asked: Order) -> tuple[str, Offer | None]:
    """What the order would be now, or why it cannot be."""
    if (asked.place_id if asked.fulfilment == "collect" else asked.address_id) is None:
        return "", None
    try:
        made = offer(asked)
    except delivery.NoDelivery:
        return gettext("We do not deliver there yet."), None
    except membership.CouponRefused as refusal:
        return why_not(refusal.data), None
    except Refusal as refusal:
        if refusal.status == 404:
            raise
        return refusal.message, None
    if made.plan.missing:
        return gettext("Not all of this is left for orders."), None
    return "", made


def _lines(asked: Order, made: Offer | None) -> list[dict[str, Any]]:
    """The goods as the page shows them; the prices are of where they are sold."""
    shown = named([line.item_id for line in asked.lines])
    quotes = {quote.item_id: quote for quote in made.quotes} if made else {}
    deposits: dict[int, int] = {}
    for each in made.deposits if made else ():
        deposits[each.of_position] = deposits.get(each.of_position, 0) + each.total_minor
    return [
        {
            "item_id": line.item_id, "quantity": line.quantity,
            "name": web.in_language(shown[line.item_id].names),
            "picture": shown[line.item_id].picture,
            "unit_minor": quotes[line.item_id].amount_minor if line.item_id in quotes else None,
            "on_top_minor": _on_top(quotes.get(line.item_id), line.quantity),
            "deposit_minor": deposits.get(at, 0) // line.quantity,
            "off": shown_off((each.names, each.amount_minor) for each in quotes[line.item_id].off)
            if line.item_id in quotes else [],
            "off_minor": quotes[line.item_id].off_minor if line.item_id in quotes else 0,
        }
        for at, line in enumerate(asked.lines, start=1)
    ]  # fmt: skip


def _on_top(quote: Quote | None, quantity: int) -> int:
    return quote.taxed(quantity).tax_minor if quote is not None and quote.on_top else 0


def _choice(**other: Any) -> str:
    """The address of this page with another choice."""
    kept = {
        name: request.args[name][:64]
        for name in ("code", "quantity", "at", "how", "place", "address", "pay", "account")
        if request.args.get(name)
    }
    return url_for("sales.order", **{**kept, **other})
