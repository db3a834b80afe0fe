"""Pages of the basket: what was scanned over several scans, and paying for all of it."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import (
    clock,
    identity,
    membership,
    payment,
    web,
)
from ... import forms as fields
from ...errors import NotFound, TooMany
from .. import forms
from ..buying import MOST_PIECES, Buy
from ..checkout import buy
from ..paying.paying import let_go
from ..shown_views import blueprint, shown_off
from . import basket
from .coupon_guesses import guessed


@blueprint.get("/basket", endpoint="basket")
def show() -> str:
    """The basket at the prices of now."""
    member = identity.current()
    found = basket.contents(forms.holder(), forms.currency())
    lines = found.lines if found else []
    return render_template(
        "sales/basket.html",
        lines=[_shown(line) for line in lines],
        rises=[
            _shown(line)
            for line in lines
            if line.unit_minor is not None and line.due_minor > line.seen_minor
        ],
        total_minor=found.total_minor if found else 0,
        tax_minor=found.tax_minor if found else 0,
        on_top_minor=found.on_top_minor if found else 0,
        deposit_minor=found.deposit_minor if found else 0,
        key=found.key if found else "",
        off_minor=found.off_minor if found else 0,
        coupon=found.coupon if found else "",
        coupon_refusal=found.coupon_refusal if found else None,
        least_age=found.least_age if found else 0,
        points=found if found and found.points_there else None,
        ready=all(line.for_sale and line.in_stock for line in lines),
        currency=forms.currency(),
        basket_count=found.pieces if found else 0,
        member_balance_minor=payment.balance_of(member.id, forms.currency()) if member else None,
    )


def _shown(line: basket.Shown) -> dict[str, object]:
    return {
        "id": line.id, "item_id": line.item_id, "url": line.item_path,
        "item_name": web.in_language(line.names), "picture": line.picture,
        "quantity": line.quantity, "unit_minor": line.unit_minor or 0,
        "due_minor": line.due_minor, "deposit_minor": line.deposit_minor,
        "priced_minor": line.priced_minor, "full_minor": line.full_minor,
        "off": shown_off((each.names, each.amount_minor) for each in line.off),
        "was_minor": line.seen_minor,
        "for_sale": line.for_sale, "in_stock": line.in_stock, "on_hand": line.on_hand,
        "least_age": line.least_age,
    }  # fmt: skip


@blueprint.post("/basket/lines")
def add() -> ResponseReturnValue:
    """One more scan: the item of the page goes into the basket."""
    line, place = forms.line(), forms.location()
    response = redirect(url_for("sales.basket"), 303)
    holder = forms.guest_holder(response)
    basket.add(holder, line, place.id, forms.currency())
    if line.label_id:
        today = clock.day_of(clock.now(), web.setting("TIME_ZONE"))
        forms.scans().put_in_basket(line.label_id, today)
    return response


@blueprint.post("/basket/quantity")
def set_quantity() -> ResponseReturnValue:
    basket.set_quantity(
        forms.holder(),
        fields.whole("line_id", least=1, most=10**15),
        fields.whole("quantity", least=0, most=MOST_PIECES),
    )
    return redirect(url_for("sales.basket"), 303)


@blueprint.post("/basket/coupon")
def set_coupon() -> ResponseReturnValue:
    """A coupon for this basket; an empty one takes it out. The basket says what it does."""
    code = fields.text("coupon", most=64)
    known = membership.read_code(code)
    holder = forms.holder()
    if code and not known:
        flash(gettext("There is no such coupon."), "warn")
        return redirect(url_for("sales.basket"), 303)
    try:
        if known:
            guessed(known, holder.member_id, holder.secret or "")
        basket.set_coupon(holder, known)
    except TooMany:
        flash(gettext("Too many tries with coupons. Wait a few minutes."), "warn")
    return redirect(url_for("sales.basket"), 303)


@blueprint.post("/basket/points")
def set_points() -> ResponseReturnValue:
    """The member's points are spent on this basket, or not."""
    basket.set_points(forms.holder(), fields.flag("wanted"))
    return redirect(url_for("sales.basket"), 303)


@blueprint.post("/basket/checkout")
def checkout() -> ResponseReturnValue:
    """Pay for the basket as it was shown. When it has been paid already (a second tap, a reload),
    the same key finds the same receipt."""
    member, key = identity.signed_in(), forms.purchase_key()
    sale_id = basket.paid_with(member.id, key) or _pay(member.id, key)
    basket.empty(member.id, key)
    return redirect(url_for("sales.receipt", sale_id=sale_id), 303)


def _pay(member_id: int, key: str) -> str:
    holder = forms.holder()
    basket.claim(holder)
    found = basket.contents(holder, forms.currency())
    if found is None or not found.lines or found.key != key:
        # Of two taps at once the other one may have paid, and emptied the basket, just now.
        paid = basket.paid_with(member_id, key)
        if paid is None:
            raise BasketChanged() if found and found.lines else NotFound("Your basket is empty")
        return paid
    seen = forms.seen_by_item([line.item_id for line in found.lines])
    if found.off_minor or found.with_points:
        let_go(member_id, key)  # A coupon that waits for a provider is free again.
        found = basket.contents(holder, forms.currency()) or found
    bought = buy(
        Buy(member_id, found.location_id, forms.currency(), found.wanted(seen), key,
            "shelf", wishes=forms.wishes(), is_confirmed=identity.confirmed(member_id),
            coupon=found.holding_coupon, points=found.points, seen_total_minor=forms.seen_total())
    )  # fmt: skip
    return bought.sale_id


class BasketChanged(NotFound):
    """The basket was changed in another tab since this page was made."""

    code = "basket_changed"
    status = 409
    title = "Your basket has changed"
