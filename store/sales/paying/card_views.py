"""The cards of a member, at the till: one is given to who has shown their own code here."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import catalogue, identity
from ...errors import (
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
)
from ...identity import member_cards
from .. import forms
from ..shown_views import blueprint
from ..staff import member_numbered, place_here
from .member_code_views import code_was_shown, shown_here

__all__ = ["blueprint"]


@blueprint.get("/desk/till/cards", endpoint="till_cards")
@identity.needs("sell")
def page() -> ResponseReturnValue:
    """The cards of the member who stands here, and a field for one more."""
    return _page()


@blueprint.post("/desk/till/cards", endpoint="give_card")
@identity.needs("sell")
def give() -> ResponseReturnValue:
    member, typed = _here(), request.form.get("card", "").strip()[:200]
    try:
        if catalogue.find_item(typed) is not None:
            raise Invalid("This is the code of goods", field="card", goods=True)
        member_cards.give(member.id, typed, identity.signed_in().id)
    except (Invalid, member_cards.CardTaken) as refusal:
        return _page(typed, refusal), refusal.status
    flash(gettext("From now on this card says whose purchase it is."), "good")
    return _again(member.id)


@blueprint.post("/desk/till/cards/<number:card_id>/end", endpoint="end_card")
@identity.needs("sell")
def end(card_id: int) -> ResponseReturnValue:
    member = _here()
    member_cards.end(member.id, card_id)
    flash(gettext("This card names nobody any more."), "good")
    return _again(member.id)


def _here() -> identity.Member:
    """Who has shown their code at this till. Raises NotFound, Forbidden."""
    member = member_numbered(request.values.get("member", ""))
    if member is None:
        raise NotFound("There is no such member any more")
    if not code_was_shown(member.id):
        raise Forbidden(permission="sell")
    return member


def _again(member_id: int) -> ResponseReturnValue:
    return redirect(url_for("sales.till_cards", member=member_id, shown=shown_here()), 303)


def _page(typed: str = "", refusal: Refusal | None = None) -> str:
    member = member_numbered(request.values.get("member", ""))
    shown = shown_here() if member and code_was_shown(member.id) else ""
    return render_template(
        "sales/till_cards.html", member=member, shown=shown, place=place_here(), typed=typed,
        refused=refusal, cards=member_cards.of_member(member.id) if member and shown else [],
        currency=forms.currency(),
    )  # fmt: skip
