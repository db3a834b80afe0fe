"""Pages of a member's own phone numbers and e-mail addresses."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..errors import Invalid, Refusal, TooMany
from ..post import PostBusy
from . import codes, confirm_views, forms, identifiers, member_cards, pins, signs
from .code_views import any_code, can_send, form, post_code, visit_digest
from .identifiers import IdentifierTaken
from .login import caller, signed_in
from .outside import LastSign
from .signs import TooManySigns

__all__ = ["register"]


def register(blueprint: Blueprint) -> None:
    """Add these pages to the room's."""
    page, add = "/me/signs", blueprint.add_url_rule
    add(page, "signs", own)
    add(page, "add_sign", ask, methods=["POST"])
    add(f"{page}/code", "prove_sign", prove, methods=["POST"])
    add(f"{page}/<number:sign_id>/first", "first_sign", make_first, methods=["POST"])
    add(f"{page}/<number:sign_id>/end", "remove_sign", remove, methods=["POST"])
    add(f"{page}/cards/<number:card_id>/end", "end_own_card", end_card, methods=["POST"])


def own() -> ResponseReturnValue:
    signed_in()
    return _page()


def _page(refusal: Refusal | None = None, typed: str = "") -> ResponseReturnValue:
    member_id, practice = signed_in().id, current_app.config["PRACTICE_POST"]
    return form(
        "identity/signs.html", refusal, known_by=identifiers.of_member(member_id), typed=typed,
        sent=codes.latest(visit_digest(), live=True), any_code=any_code(), can_send=can_send,
        is_fresh=confirm_views.signed_in_anew(), minutes=codes.MINUTES,
        cards=member_cards.of_member(member_id),
        practice=practice and current_app.config["DEMO"],
    )  # fmt: skip


def _fresh() -> int:
    """Whose request it is. Whoever finds a phone that was left lying must not change by what its
    owner is known. Raises SignInAgain."""
    member = signed_in()
    if not confirm_views.signed_in_anew():
        raise pins.SignInAgain()
    return member.id


def ask() -> ResponseReturnValue:
    """Send a code there. The answer is the same whoever the address belongs to."""
    _fresh()
    typed = ""
    try:
        typed = forms.identifier()
        kind, value = identifiers.normalise(typed)
        if not can_send(kind, value):
            raise Invalid("No code can be sent there", field="identifier", fault="unreached")
        post_code(kind, value)
    except (Invalid, TooMany, PostBusy) as refusal:
        return _page(refusal, typed)
    return redirect(url_for("identity.signs"), 303)


def prove() -> ResponseReturnValue:
    member_id = _fresh()
    try:
        value = signs.prove(member_id, visit_digest(), request.form.get("code", ""), caller())
    except (
        codes.WrongCode, codes.CodeOver, TooMany, IdentifierTaken, TooManySigns,
    ) as refusal:  # fmt: skip
        return _page(refusal)
    flash(_("%(address)s is proven, and yours.", address=value), "good")
    return redirect(url_for("identity.signs"), 303)


def make_first(sign_id: int) -> ResponseReturnValue:
    signs.make_first(_fresh(), sign_id)
    return redirect(url_for("identity.signs"), 303)


def remove(sign_id: int) -> ResponseReturnValue:
    try:
        signs.remove(_fresh(), sign_id)
    except LastSign as refusal:
        return _page(refusal)
    flash(_("It is removed, and opens nothing any more."), "good")
    return redirect(url_for("identity.signs"), 303)


def end_card(card_id: int) -> ResponseReturnValue:
    """The card is lost: from now on it names nobody. For this no sign-in anew is asked for."""
    member_cards.end(signed_in().id, card_id)
    flash(_("This card names nobody any more."), "good")
    return redirect(url_for("identity.signs"), 303)
