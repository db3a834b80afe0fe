"""Pages of identity: signing in and up, and a member's own account."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)  # fmt: skip
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from .. import forms as fields
from .. import web
from ..db import transaction
from ..errors import Invalid, Refusal, TooMany
from ..post import PostBusy
from . import (
    code_views,
    factor_views,
    factors,
    forms,
    identifiers,
    members,
    notice_views,
    outside_views,
    passkey_views,
    payer_views,
    people,
    sign_ins,
    sign_views,
)
from .code_views import form, fresh_digest, visit_digest, welcome
from .identifiers import IdentifierTaken
from .login import caller, current, mark_device, signed_in
from .roles import allows
from .sign_ins import MemberDisabled, WrongPassword

blueprint = Blueprint("identity", __name__)
notice_views.register()
people.register(blueprint)
code_views.register(blueprint)
passkey_views.register(blueprint)
factor_views.register(blueprint)
sign_views.register(blueprint)
outside_views.register(blueprint)
payer_views.register(blueprint)


# Signing in and up


@blueprint.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    if current():
        return redirect(forms.next_path(), 303)
    if outside_views.silent() and "way" not in request.args:
        there = url_for("identity.outside", provider="wechat", next=forms.next_path())
        return redirect(there, 303)
    if code_views.any_code() and request.args.get("way") != "password":
        return code_views.start_page("")
    return _sign_in_page("")


@blueprint.post("/sign-in")
def sign_in_with_password() -> ResponseReturnValue:
    typed = ""
    try:
        typed = forms.identifier()
        member = sign_ins.sign_in(
            typed, forms.password(), fresh_digest, caller(), old=visit_digest()
        )
    except (Invalid, TooMany, WrongPassword, MemberDisabled) as refusal:
        return _sign_in_page(typed, refusal)
    return welcome(member.id, member.language)


@blueprint.post("/start")
def start() -> ResponseReturnValue:
    """From any page: who is paying? Leads to the one question that comes next."""
    if current():
        return redirect(forms.next_path(), 303)
    typed = ""
    try:
        typed = forms.identifier()
        kind, value = identifiers.normalise(typed)
        if code_views.can_send(kind, value):
            return code_views.send(kind, value)
        sign_ins.count_look_up(caller())
    except (Invalid, TooMany, PostBusy) as refusal:
        if code_views.any_code():
            return code_views.start_page(typed, refusal)
        return _sign_up_page(typed, refusal)
    return _sign_in_page(typed, known=True) if identifiers.find(value) else _sign_up_page(typed)


@blueprint.get("/start")
def start_again() -> ResponseReturnValue:
    """Where a browser comes that opens the page of an answer again."""
    return redirect(url_for("identity.sign_in", next=forms.next_path()), 303)


@blueprint.get("/sign-up")
def sign_up() -> ResponseReturnValue:
    if current():
        return redirect(forms.next_path(), 303)
    return code_views.start_page("") if code_views.any_code() else _sign_up_page("")


@blueprint.post("/sign-up")
def sign_up_with_password() -> ResponseReturnValue:
    typed = ""
    if current():
        return redirect(forms.next_path(), 303)
    try:
        typed = forms.identifier()
        kind, value = identifiers.normalise(typed)
        if code_views.can_send(kind, value):
            # An address that can be proven is proven first: else anybody could take it.
            return code_views.send(kind, value)
        member_id = sign_ins.sign_up(
            typed, forms.password(), forms.name(), fresh_digest, caller(), language=web.language()
        )
    except IdentifierTaken as refusal:
        return _known_already(typed, refusal)
    except (Invalid, TooMany, PostBusy) as refusal:
        return _sign_up_page(typed, refusal)
    return welcome(member_id, None)


def _known_already(typed: str, taken: IdentifierTaken) -> ResponseReturnValue:
    """Who has an account and gave its password is signed in: it was the second of two taps, or
    somebody who forgot that they had been here. Anybody else is asked for the password."""
    try:
        member = sign_ins.sign_in(
            typed, forms.password(), fresh_digest, caller(), old=visit_digest()
        )
    except (TooMany, WrongPassword, MemberDisabled):
        return _sign_in_page(typed, taken, known=True)
    return welcome(member.id, member.language)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    member = current()
    had_desk = member is not None and allows(member, "desk")
    with transaction():
        sign_ins.end(visit_digest())
    web.renew_visit()
    if request.form.get("next"):  # Whoever signs in again goes on there.
        return redirect(url_for("identity.sign_in", next=forms.next_path()), 303)
    if had_desk:  # That page takes the desk's pages off this device (static/js/late/leave.js).
        return redirect(url_for("identity.sign_in", way="any"), 303)
    return redirect(url_for("sales.shop"), 303)


# A member's own account


@blueprint.get("/me")
def account() -> ResponseReturnValue:
    member = members.by_id(signed_in().id)
    return render_template(
        "identity/account.html", member=member, known_by=identifiers.of_member(member.id),
        two_steps=bool(factors.has(member.id).app_since),
    )  # fmt: skip


@blueprint.post("/me/name")
def change_name() -> ResponseReturnValue:
    members.rename(signed_in().id, forms.name())
    flash(_("Your name is changed."), "good")
    return redirect(url_for(".account"), 303)


@blueprint.post("/me/language")
def change_language() -> ResponseReturnValue:
    member = signed_in()
    chosen = fields.choice("language", tuple(web.LANGUAGES))
    members.set_language(member.id, chosen)
    response = _to(url_for(".account"))
    web.set_cookie(response, "lang", chosen, 365)
    return response


@blueprint.get("/me/devices")
def devices() -> ResponseReturnValue:
    found = sign_ins.of_member(signed_in().id)
    return render_template("identity/devices.html", sign_ins=found, this=visit_digest())


@blueprint.post("/me/devices/<number:sign_in_id>/end")
def end_device(sign_in_id: int) -> ResponseReturnValue:
    member = signed_in()
    with transaction():
        sign_ins.end_one(member.id, sign_in_id)
    flash(_("The device is signed out."), "good")
    return redirect(url_for(".devices"), 303)


@blueprint.post("/me/devices/end")
def end_other_devices() -> ResponseReturnValue:
    member = signed_in()
    with transaction():
        sign_ins.end_others(member.id, visit_digest())
    flash(_("All other devices are signed out."), "good")
    return redirect(url_for(".devices"), 303)


@blueprint.get("/me/password")
def password() -> ResponseReturnValue:
    return _password_page()


@blueprint.post("/me/password")
def change_password() -> ResponseReturnValue:
    """The old password once more, so that a phone left on a table is not an account lost. Every
    other device is signed out, and this one gets another secret."""
    member = members.by_id(signed_in().id)
    try:
        sign_ins.change_password(
            member,
            identifiers.first_of(member.id),
            forms.password(),
            forms.password("new_password"),
            fresh_digest,
            caller(),
            visit=visit_digest(),
        )
    except (Invalid, TooMany, WrongPassword) as refusal:
        return _password_page(refusal)
    flash(_("Your password is changed. All other devices are signed out."), "good")
    response = _to(url_for(".account"))
    mark_device(response, member.id)
    return response


# What the pages are made of


def _to(address: str) -> Response:
    return make_response(redirect(address, 303))


def _sign_in_page(
    typed: str, refusal: Refusal | None = None, *, known: bool = False
) -> ResponseReturnValue:
    return form("identity/sign_in.html", refusal, typed=typed, known=known)


def _sign_up_page(typed: str, refusal: Refusal | None = None) -> ResponseReturnValue:
    return form("identity/sign_up.html", refusal, typed=typed, name=request.form.get("name", ""))


def _password_page(refusal: Refusal | None = None) -> ResponseReturnValue:
    known_by = identifiers.first_of(signed_in().id)
    # A refusal about what a password must be is about the new one.
    new = isinstance(refusal, Invalid)
    return form("identity/password.html", refusal, known_by=known_by, about_new=new)
