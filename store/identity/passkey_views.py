"""Pages of passkeys: a member's own, and signing in with one touch."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from .. import web
from ..errors import NotFound, Refusal, TooMany
from . import confirm_views, forms, identifiers, members, passkeys, pins
from .code_views import fresh_digest, start_again, visit_digest, welcome
from .login import caller, current, signed_in
from .passkeys import PasskeyRefused, Site, TooManyPasskeys
from .sign_ins import MemberDisabled

__all__ = ["device_name", "fresh_answer", "register", "site"]


def register(blueprint: Blueprint) -> None:
    """Add these pages to the room's."""
    mine, one = "/me/passkeys", "/me/passkeys/<number:passkey_id>"
    add = blueprint.add_url_rule
    add(mine, "passkeys", own)
    add(mine, "add_passkey", add_passkey, methods=["POST"])
    add(f"{mine}/options", "passkey_options", options, methods=["POST"])
    add(f"{one}/name", "rename_passkey", rename, methods=["POST"])
    add(f"{one}/end", "remove_passkey", remove, methods=["POST"])
    add("/passkey/options", "enter_options", enter_options, methods=["POST"])
    add("/passkey", "enter_with_passkey", enter, methods=["POST"])
    blueprint.app_template_global("has_passkeys")(_has_passkeys)


def _has_passkeys() -> bool:
    """Whether there can be passkeys at the address at which the shop is seen."""
    return passkeys.site_of(web.base_url()) is not None


def site() -> Site:
    found = passkeys.site_of(web.base_url())
    if found is None:
        raise NotFound("There are no passkeys at this address")
    return found


def own() -> ResponseReturnValue:
    return _page()


def _page(said: str = "", status: int = 200) -> ResponseReturnValue:
    found = passkeys.of_member(signed_in().id)
    return render_template(
        "identity/passkeys.html", passkeys=found, said=said,
        is_fresh=confirm_views.signed_in_anew(),
    ), status  # fmt: skip


def options() -> ResponseReturnValue:
    member = members.by_id(signed_in().id)
    _signed_in_anew()
    known_by = identifiers.first_of(member.id)
    return fresh_answer(passkeys.to_add(member, known_by, visit_digest(), site(), caller()))


def add_passkey() -> ResponseReturnValue:
    member = signed_in()
    _signed_in_anew()
    try:
        answer = request.form.get("credential", "")
        name = forms.name()[:80] or device_name()
        passkeys.add(member.id, answer, name, visit_digest(), site())
    except (PasskeyRefused, TooManyPasskeys) as refusal:
        return _page(_said(refusal), refusal.status)
    flash(_("The passkey is added. Next time one touch signs you in."), "good")
    return redirect(url_for("identity.passkeys"), 303)


def _signed_in_anew() -> None:
    """Whoever finds a phone that was left lying must not make a key to the account."""
    if not confirm_views.signed_in_anew():
        raise pins.SignInAgain()


def rename(passkey_id: int) -> ResponseReturnValue:
    passkeys.rename(signed_in().id, passkey_id, forms.name()[:80] or device_name())
    return redirect(url_for("identity.passkeys"), 303)


def remove(passkey_id: int) -> ResponseReturnValue:
    passkeys.remove(signed_in().id, passkey_id)
    flash(_("The passkey is removed. You may delete it on your device as well."), "good")
    return redirect(url_for("identity.passkeys"), 303)


def enter_options() -> ResponseReturnValue:
    web.visit()
    return fresh_answer(passkeys.to_enter(visit_digest(), site(), caller()))


def enter() -> ResponseReturnValue:
    if current():
        return redirect(forms.next_path(), 303)
    try:
        answer = request.form.get("credential", "")
        member_id, language = passkeys.enter(answer, visit_digest(), site(), fresh_digest, caller())
    except (PasskeyRefused, MemberDisabled, TooMany) as refusal:
        web.visited().new_secret = None
        return start_again(refusal)
    return welcome(member_id, language)


def _said(refusal: Refusal) -> str:
    if isinstance(refusal, TooManyPasskeys):
        return str(_("You have as many passkeys as an account can have. Remove one first."))
    return str(forms.fault(refusal)[1])


def device_name() -> str:
    return caller().browser or str(_("A passkey"))


def fresh_answer(answer: dict[str, Any]) -> Response:
    response = jsonify(answer)
    response.headers["Cache-Control"] = "no-store"
    return response
