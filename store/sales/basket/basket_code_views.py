"""Pages of basket codes: a guest's basket goes on in another browser."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup

from ... import forms as fields
from ... import identity, web
from ...db import transaction
from ...errors import Invalid, TooMany
from ...labels import qr
from .. import forms
from ..shelf.item_facts import BASKET_COOKIE
from ..shown_views import blueprint
from . import basket, basket_codes

__all__: list[str] = []


@blueprint.post("/basket/code")
def make_code() -> ResponseReturnValue:
    basket_codes.offer(forms.holder())
    return redirect(url_for("sales.basket_code"), 303)


@blueprint.get("/basket/code")
def basket_code() -> ResponseReturnValue:
    """The code in large letters, and its link as a picture for another phone."""
    offer = basket_codes.offered(forms.holder()) if identity.current() is None else None
    if offer is None:
        return redirect(url_for("sales.basket"), 303)
    link = f"{web.base_url()}{url_for('sales.join_basket', code=offer.code)}"
    picture = Markup(qr.svg(qr.matrix(link)))  # noqa: S704
    return render_template("sales/basket_code.html", offer=offer, link=link, picture=picture)


@blueprint.get("/basket/join")
def join_basket() -> str:
    """Asks for a code, or whether the one in the link shall be used: looking changes nothing, so
    that a link's preview does not use it up."""
    return _page(request.args.get("code", "")[:20])


@blueprint.post("/basket/join")
def join() -> ResponseReturnValue:
    typed = request.form.get("code", "")[:20]
    try:
        secret = _join(fields.text("code", least=1, most=20))
    except (Invalid, TooMany, basket_codes.CodeUnknown) as refusal:
        return _page(typed, refusal), refusal.status
    flash(gettext("Here is your basket."), "good")
    response = redirect(url_for("sales.basket"), 303)
    if secret is not None:
        web.set_cookie(response, BASKET_COOKIE, secret, basket.KEPT_DAYS)
    return response


def _join(typed: str) -> str | None:
    limits = identity.caller().basket_codes()
    tried = identity.count_tries(limits)
    secret = basket_codes.join(typed, forms.holder())
    with transaction():
        identity.forgive_tries(tried)
    return secret


def _page(typed: str, refusal: Exception | None = None) -> str:
    said = ""
    if isinstance(refusal, TooMany):
        said = gettext("Too many tries. Wait a few minutes, or scan again.")
    elif refusal is not None:
        said = gettext(
            "No basket waits under this code. It works once and for 15 minutes: "
            "show a new one on the other phone."
        )
    return render_template("sales/join_basket.html", typed=typed, said=said)
