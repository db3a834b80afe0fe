"""Pages of the second factor: giving it, setting it up, and what a member has."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from .. import web
from ..errors import Refusal, TooMany
from . import admitting, confirm_views, factors, forms, identifiers, members, passkeys
from .admitting import HalfOver
from .code_views import form, fresh_digest, start_again, visit_digest, welcome
from .factors import FactorNeeded, WrongFactor
from .login import caller, current, signed_in
from .passkey_views import device_name, fresh_answer, site
from .passkeys import PasskeyRefused

__all__ = ["register"]


def register(blueprint: Blueprint) -> None:
    """Add these pages to the room's."""
    add, half, mine = blueprint.add_url_rule, "/second", "/me/second"
    add(half, "second", ask)
    add(half, "give_second", give, methods=["POST"])
    add(f"{half}/new", "new_second", new)
    add(f"{half}/new", "set_second", set_up, methods=["POST"])
    add(f"{half}/passkey/options", "second_passkey_options", passkey_options, methods=["POST"])
    add(f"{half}/passkey", "second_passkey", add_passkey, methods=["POST"])
    add(mine, "own_second", own)
    add(f"{mine}/codes", "recovery_codes", recovery_codes, methods=["POST"])
    add(f"{mine}/end", "remove_second", remove, methods=["POST"])


# Halfway in


def ask() -> ResponseReturnValue:
    if current():
        return redirect(forms.next_path(), 303)
    return _ask_page()


def _ask_page(refusal: Refusal | None = None) -> ResponseReturnValue:
    member_id = admitting.waiting(visit_digest())
    if member_id is None:
        return redirect(url_for("identity.sign_in", next=forms.next_path()), 303)
    has = factors.has(member_id)
    if not has.app_since and not has.passkeys:
        return redirect(url_for("identity.new_second", next=forms.next_path()), 303)
    return form("identity/second.html", refusal, has=has)


def give() -> ResponseReturnValue:
    if current():
        return redirect(forms.next_path(), 303)
    try:
        member_id, language = factors.enter(
            visit_digest(), request.form.get("code", ""), fresh_digest, caller()
        )
    except HalfOver as refusal:
        web.visited().new_secret = None
        return start_again(refusal)
    except (WrongFactor, TooMany) as refusal:
        web.visited().new_secret = None  # Halfway in is the visit as it was.
        return _ask_page(refusal)
    return welcome(member_id, language)


# Setting it up: halfway in, or signed in a moment ago


def _setting_up() -> int | None:
    """Whose second factor may be set up in this browser now. Raises SignInAgain."""
    if member := current():
        confirm_views.refuse_stale_sign_in()
        return member.id
    member_id = admitting.waiting(visit_digest())
    return None if member_id is None or admitting.has_one(member_id) else member_id


def new() -> ResponseReturnValue:
    return _new_page()


def _new_page(refusal: Refusal | None = None) -> ResponseReturnValue:
    member_id = _setting_up()
    if member_id is None:
        known = admitting.waiting(visit_digest()) is not None
        there = "identity.second" if known else "identity.sign_in"
        return redirect(url_for(there, next=forms.next_path()), 303)
    secret = factors.secret_for(member_id, visit_digest(), caller())
    shop = current_app.config["SHOP_NAME"]
    address = factors.address_of(secret, identifiers.first_of(member_id), shop)
    halfway = current() is None
    return _unkept(
        form("identity/new_second.html", refusal, secret=secret, address=address, halfway=halfway)
    )


def set_up() -> ResponseReturnValue:
    member, typed = current(), request.form.get("code", "")
    try:
        if member:
            confirm_views.refuse_stale_sign_in()
            codes = factors.confirm(member.id, visit_digest(), typed, caller())
            return _codes_page(codes)
        member_id, codes = factors.confirm_halfway(visit_digest(), typed, fresh_digest, caller())
    except HalfOver as refusal:
        web.visited().new_secret = None
        return start_again(refusal)
    except (WrongFactor, TooMany) as refusal:
        web.visited().new_secret = None
        return _new_page(refusal)
    page = _codes_page(codes)
    return _with_cookies_of(welcome(member_id, None), page)


def passkey_options() -> ResponseReturnValue:
    """For somebody halfway in who has no second factor: a passkey is one, too."""
    member = members.by_id(_half_without())
    known_by = identifiers.first_of(member.id)
    return fresh_answer(passkeys.to_add(member, known_by, visit_digest(), site(), caller()))


def add_passkey() -> ResponseReturnValue:
    if current():
        return redirect(forms.next_path(), 303)
    try:
        member_id = _half_without()
        visit, said = visit_digest(), request.form.get("credential", "")
        passkeys.add(member_id, said, device_name(), visit, site(), fresh_digest, caller())
    except HalfOver as refusal:
        web.visited().new_secret = None
        return start_again(refusal)
    except PasskeyRefused as refusal:
        web.visited().new_secret = None
        return _new_page(refusal)
    return welcome(member_id, members.by_id(member_id).language)


def _half_without() -> int:
    member_id = admitting.waiting(visit_digest())
    if member_id is None or admitting.has_one(member_id):
        raise HalfOver()
    return member_id


# A member's own


def own() -> ResponseReturnValue:
    return _own_page()


def _own_page(refusal: Refusal | None = None) -> ResponseReturnValue:
    member = members.by_id(signed_in().id)
    return form(
        "identity/own_second.html", refusal, has=factors.has(member.id),
        is_fresh=confirm_views.signed_in_anew(), asked=admitting.is_asked(member.role),
    )  # fmt: skip


def recovery_codes() -> ResponseReturnValue:
    member = signed_in()
    confirm_views.refuse_stale_sign_in()
    if not factors.has(member.id).app_since:
        return redirect(url_for("identity.own_second"), 303)
    return _codes_page(factors.fresh_codes(member.id, caller()))


def remove() -> ResponseReturnValue:
    member = signed_in()
    confirm_views.refuse_stale_sign_in()
    try:
        factors.remove(member.id, visit_digest())
    except FactorNeeded as refusal:
        return _own_page(refusal)
    flash(_("Signing in takes one step again. All other devices are signed out."), "good")
    return redirect(url_for("identity.own_second"), 303)


def _codes_page(codes: list[str]) -> Response:
    page = render_template("identity/recovery_codes.html", codes=codes, next_path=forms.next_path())
    return _unkept(page)


def _unkept(page: ResponseReturnValue) -> Response:
    """What is shown once must not be found by going back."""
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


def _with_cookies_of(welcomed: Response, page: Response) -> Response:
    """The page, as the answer that signs the member in."""
    for cookie in welcomed.headers.getlist("Set-Cookie"):
        page.headers.add("Set-Cookie", cookie)
    return page
