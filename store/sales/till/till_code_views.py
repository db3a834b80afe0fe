"""Pages of the till's code: it stands on the screen, the shopper scans it in Alipay or WeChat and
pays, and the page becomes the receipt.

The basket stays as it is until it is paid. A code that is cancelled, or that nobody paid in time,
is closed at the provider; money that comes all the same buys the basket, or goes back by itself.
"""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup

from ... import forms as fields
from ... import identity, web
from ...errors import Invalid, NotFound, Refusal
from ...labels import qr
from ...payment import asking, paybacks
from ...payment.gateways import Gateway
from ...payment.gateways.offered import codes, set_up
from ...payment.models import OPEN, Attempt
from .. import forms
from ..basket import basket
from ..basket.basket_views import BasketChanged
from ..buying import Buy
from ..orders.held import lines_of
from ..paying import paying
from ..shown_views import blueprint
from . import empties_views
from .till_refusal_views import in_words
from .till_views import back, basket_here, buyer_here


@blueprint.post("/desk/till/payments", endpoint="till_code")
@identity.needs("sell")
def show_code() -> ResponseReturnValue:
    """Ask the provider for a code for this basket. The same basket sent twice has one code."""
    seller, key = identity.signed_in(), forms.purchase_key()
    paid = basket.paid_at_till(seller.id, key)
    if paid is not None:
        return redirect(url_for("sales.till_receipt", sale_id=paid), 303)
    try:
        attempt_id = _ask(seller.id, key)
    except paying.AlreadyPaid as refusal:
        return redirect(url_for("sales.till_receipt", sale_id=refusal.data["sale"]), 303)
    except Invalid:
        raise
    except Refusal as refusal:
        flash(str(in_words(refusal)), "bad")
        return back()
    return redirect(url_for("sales.till_payment", attempt_id=attempt_id), 303)


def _ask(seller_id: int, key: str) -> str:
    if empties_views.asked():
        raise Invalid("Empties are taken off what is paid in cash or with a card", field="means")
    contents, member = basket_here(), buyer_here()
    if contents is None or not contents.lines or contents.key != key:
        raise BasketChanged()
    seen = forms.seen_by_item([line.item_id for line in contents.lines])
    gateway = _with_code(contents.total_minor)
    asked = Buy(
        member.id if member else None, contents.location_id, forms.currency(),
        contents.wanted(seen), key, "till", seller_id, means=gateway.name,
        coupon=contents.holding_coupon, points=contents.points,
        seen_total_minor=forms.seen_total(), age_checked=forms.age_checked(),
    )  # fmt: skip
    return paying.pay(
        paying.Paying(
            asked, gateway, way="qr", minutes=current_app.config["HOLD_MINUTES"],
            subject=current_app.config["SHOP_NAME"], base_url=web.base_url(),
            address=request.remote_addr or "",
        )
    )  # fmt: skip


def _with_code(total_minor: int) -> Gateway:
    """The provider that was chosen. Raises Invalid where it shows no code for this."""
    means = fields.text("means", least=1, most=16)
    found = codes(current_app.config, amount_minor=total_minor, currency=forms.currency())
    for gateway in found:
        if gateway.name == means:
            return gateway
    raise Invalid("The till has no code of this provider", field="means")


@blueprint.get("/desk/till/payments/<attempt_id>", endpoint="till_payment")
@identity.needs("sell")
def wait_for_code(attempt_id: str) -> ResponseReturnValue:
    """The code, until it is paid; then the receipt."""
    mine = _mine(attempt_id)
    if mine.sale_id is not None:
        return redirect(url_for("sales.till_receipt", sale_id=mine.sale_id), 303)
    waits = mine.state in OPEN
    code = Markup(qr.svg(qr.matrix(mine.code))) if waits and mine.code else None  # noqa: S704
    return render_template(
        "sales/till_payment.html", mine=mine, waits=waits, code=code,
        goes_back=paybacks.of_attempt(mine.id),
        lines=[(web.in_language(names), many, total)
               for names, many, total in lines_of(mine.id)],
    )  # fmt: skip


@blueprint.post("/desk/till/payments/<attempt_id>/checks", endpoint="check_till_payment")
@identity.needs("sell")
def check_code(attempt_id: str) -> ResponseReturnValue:
    """Ask the provider now."""
    mine = _mine(attempt_id)
    asking.ask_about(mine, _gateway(mine), "staff")
    return redirect(url_for("sales.till_payment", attempt_id=attempt_id), 303)


@blueprint.post("/desk/till/payments/<attempt_id>/cancellations", endpoint="cancel_till_payment")
@identity.needs("sell")
def cancel_code(attempt_id: str) -> ResponseReturnValue:
    """The shopper pays in another way, or not at all: the provider closes the code."""
    mine = _mine(attempt_id)
    asking.abandon(mine, _gateway(mine), "staff")
    if _mine(attempt_id).state in ("failed", "expired"):
        flash(gettext("Nothing was paid. The basket is as it was."), "good")
        return redirect(url_for("sales.till", member=mine.member_id), 303)
    return redirect(url_for("sales.till_payment", attempt_id=attempt_id), 303)


def _mine(attempt_id: str) -> Attempt:
    return paying.find_at_till(attempt_id, identity.signed_in().id)


def _gateway(mine: Attempt) -> Gateway:
    found = set_up(current_app.config).get(mine.gateway)
    if found is None:
        raise NotFound("This shop has no such way of paying")
    return found
