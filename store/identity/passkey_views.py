"""Pages of passkeys: a member's own, and signing in with one touch."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from .. import web
from ..errors import NotFound, Refusal, TooMany
from . import forms, identifiers, members, passkeys
from .code_views import fresh_digest, start_again, visit_digest, welcome
from .login import caller, current, signed_in
from .passkeys import PasskeyRefused, Site, TooManyPasskeys
from .sign_ins import MemberDisabled

__all__ = ["register"]


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


def _site() -> Site:
    found = passkeys.site_of(web.base_url())
    if found is None:
        raise NotFound("There are no passkeys at this address")
    return found


def own() -> ResponseReturnValue:
    return _page()


def _page(said: str = "", status: int = 200) -> ResponseReturnValue:
    found = passkeys.of_member(signed_in().id)
    return render_template("identity/passkeys.html", passkeys=found, said=said), status


def options() -> ResponseReturnValue:
    member = members.by_id(signed_in().id)
    known_by = identifiers.first_of(member.id)
    return _fresh(passkeys.to_add(member, known_by, visit_digest(), _site(), caller()))


def add_passkey() -> ResponseReturnValue:
    member = signed_in()
    try:
        answer = request.form.get("credential", "")
        name = forms.name()[:80] or _device()
        passkeys.add(member.id, answer, name, visit_digest(), _site())
    except (PasskeyRefused, TooManyPasskeys) as refusal:
        return _page(_said(refusal), refusal.status)
    flash(_("The passkey is added. Next time one touch signs you in."), "good")
    return redirect(url_for("identity.passkeys"), 303)


def rename(passkey_id: int) -> ResponseReturnValue:
    passkeys.rename(signed_in().id, passkey_id, forms.name()[:80] or _device())
    return redirect(url_for("identity.passkeys"), 303)


def remove(passkey_id: int) -> ResponseReturnValue:
    passkeys.remove(signed_in().id, passkey_id)
    flash(_("The passkey is removed. You may delete it on your device as well."), "good")
    return redirect(url_for("identity.passkeys"), 303)


def enter_options() -> ResponseReturnValue:
    web.visit()
    return _fresh(passkeys.to_enter(visit_digest(), _site(), caller()))


def enter() -> ResponseReturnValue:
    if current():
        return redirect(forms.next_path(), 303)
    try:
        answer = request.form.get("credential", "")
        member_id, language = passkeys.enter(
            answer, visit_digest(), _site(), fresh_digest, caller()
        )
    except (PasskeyRefused, MemberDisabled, TooMany) as refusal:
        web.visited().new_secret = None
        return start_again(refusal)
    return welcome(member_id, language)


def _said(refusal: Refusal) -> str:
    if isinstance(refusal, TooManyPasskeys):
        return str(_("You have as many passkeys as an account can have. Remove one first."))
    return str(forms.fault(refusal)[1])


def _device() -> str:
    return caller().browser or str(_("A passkey"))


def _fresh(answer: dict[str, Any]) -> Response:
    response = jsonify(answer)
    response.headers["Cache-Control"] = "no-store"
    return response
