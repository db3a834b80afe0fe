"""Pages of one-time codes: one field, then the code, and on with what the shopper was doing."""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)  # fmt: skip
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from .. import ids, post, web
from ..errors import Invalid, Refusal, TooMany
from . import admitting, codes, entering, forms, identifiers
from .entering import Entered, MoreNeeded
from .login import caller, current, mark_device
from .sign_ins import MemberDisabled, WrongPassword

__all__ = [
    "any_code", "can_send", "form", "fresh_digest", "post_code", "register", "send", "start_again",
    "start_page", "visit_digest", "welcome",
]  # fmt: skip


def register(blueprint: Blueprint) -> None:
    """Add these pages to the room's."""
    blueprint.add_url_rule("/code", "code", code)
    blueprint.add_url_rule("/code", "enter_code", enter_code, methods=["POST"])
    blueprint.add_url_rule("/code/more", "more", more)
    blueprint.add_url_rule("/code/password", "code_password", code_password, methods=["POST"])
    blueprint.add_url_rule("/code/new", "code_new", code_new, methods=["POST"])


def any_code() -> bool:
    """Whether this shop sends codes at all."""
    return post.can_mail(current_app.config) or post.can_text(current_app.config)


def can_send(kind: str, value: str) -> bool:
    """Whether a code can be sent there. SMS to far countries are dear, and are asked for by
    thieves who share in what they cost: they go where the shop says."""
    if kind == "email":
        return post.can_mail(current_app.config)
    wanted = current_app.config["SMS_COUNTRIES"] or identifiers.home_region()
    served = wanted == "*" or identifiers.region_of(value) in wanted.replace(" ", "").split(",")
    return served and post.can_text(current_app.config)


def send(kind: str, value: str) -> ResponseReturnValue:
    """Send a code and ask for it. The answer is the same whoever the address belongs to.
    Raises TooMany, PostBusy."""
    post_code(kind, value)
    address = url_for("identity.code", next=forms.next_path(), new=forms.new_path())
    return redirect(address, 303)


def post_code(kind: str, value: str) -> None:
    """Send a code to this browser's visitor. Raises TooMany, PostBusy."""
    web.visit()  # A browser without a cookie gets one: the code is bound to it.
    code_id, code = codes.ask(kind, value, ids.digest(web.visit()), caller())
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def note(taken: bool) -> None:
        with app.app_context():
            codes.note_sent(code_id, taken)

    try:
        post.send_soon(app.config, _message(kind, value, code), code_id, note)
    except post.PostBusy:
        codes.note_sent(code_id, False)
        raise


def _message(kind: str, value: str, code: str) -> post.Mail | post.Sms:
    shop = current_app.config["SHOP_NAME"]
    words = _(
        "%(code)s is your code for %(shop)s, valid for %(minutes)s minutes. Nobody from the shop "
        "will ask you for it.", code=code, shop=shop, minutes=codes.MINUTES,
    )  # fmt: skip
    if kind == "phone":
        return post.Sms(value, words, code)
    more = _("If you did not ask for it, do nothing: without it nobody gets in.")
    subject = _("%(code)s is your code for %(shop)s", code=code, shop=shop)
    return post.Mail(value, subject, f"{words}\n\n{more}\n", language=web.language())


# Pages


def start_page(typed: str, refusal: Refusal | None = None) -> ResponseReturnValue:
    """One field, for members and for those who are not yet."""
    return form("identity/start.html", refusal, typed=typed, new_path=forms.new_path())


def start_again(refusal: Refusal) -> ResponseReturnValue:
    """The first page of signing in, with what to say of a way that did not lead in."""
    if any_code():
        return start_page("", refusal)
    return form("identity/sign_in.html", refusal, typed="", known=False)


def code() -> ResponseReturnValue:
    if current():
        return redirect(forms.next_path(), 303)
    return _code_page()


def _code_page(refusal: Refusal | None = None) -> ResponseReturnValue:
    sent = codes.latest(visit_digest())
    if sent is None:
        return redirect(url_for("identity.sign_in", next=forms.next_path()), 303)
    practice = current_app.config["DEMO"] and current_app.config["PRACTICE_POST"]
    return form(
        "identity/code.html", refusal, sent=sent, new_path=forms.new_path(), practice=practice,
        minutes=codes.MINUTES,
    )  # fmt: skip


def enter_code() -> ResponseReturnValue:
    if current():
        return redirect(forms.next_path(), 303)
    try:
        entered = entering.by_code(
            visit_digest(), request.form.get("code", ""), fresh_digest, caller(),
            language=web.language(),
        )  # fmt: skip
    except MoreNeeded:
        web.visited().new_secret = None  # The code is bound to the visit as it was.
        address = url_for("identity.more", next=forms.next_path(), new=forms.new_path())
        return redirect(address, 303)
    except (codes.WrongCode, codes.CodeOver, TooMany, MemberDisabled) as refusal:
        web.visited().new_secret = None
        return _code_page(refusal)
    return _in(entered)


def more() -> ResponseReturnValue:
    if current():
        return redirect(forms.next_path(), 303)
    return _more_page()


def _more_page(refusal: Refusal | None = None) -> ResponseReturnValue:
    asked = entering.asked(visit_digest(), caller())
    if asked is None:
        return redirect(url_for("identity.sign_in", next=forms.next_path()), 303)
    return form("identity/more.html", refusal, asked=asked, new_path=forms.new_path())


def code_password() -> ResponseReturnValue:
    try:
        entered = entering.by_password_too(visit_digest(), forms.password(), fresh_digest, caller())
    except (codes.CodeOver, TooMany, Invalid, WrongPassword, MemberDisabled) as refusal:
        web.visited().new_secret = None
        return _more_page(refusal)
    return _in(entered)


def code_new() -> ResponseReturnValue:
    try:
        entered = entering.start_anew(
            visit_digest(), fresh_digest, caller(), language=web.language()
        )
    except (codes.CodeOver, MoreNeeded) as refusal:
        web.visited().new_secret = None
        return _more_page(refusal)
    return _in(entered)


def _in(entered: Entered) -> Response:
    on = forms.new_path() if entered.is_new else forms.next_path()
    return welcome(entered.member_id, entered.language, on)


# What all pages of signing in are made of


def fresh_digest() -> str:
    return ids.digest(web.renew_visit())


def visit_digest() -> str:
    secret = web.known_visit()
    return ids.digest(secret) if secret else ""


def welcome(member_id: int, language: str | None, on: str = "") -> Response:
    """Signed in, and on to where the shopper was going; or to the second sign that is asked for."""
    if admitting.waiting(visit_digest()) is not None:
        return make_response(
            redirect(url_for("identity.second", next=on or forms.next_path()), 303)
        )
    response = make_response(redirect(on or forms.next_path(), 303))
    mark_device(response, member_id)
    if language in web.LANGUAGES and not web.cookie("lang"):
        web.set_cookie(response, "lang", language, 365)
    return response


def form(template: str, refusal: Refusal | None, **values: Any) -> ResponseReturnValue:
    """A page with a form; after a refusal with what to say, and the refusal's own status."""
    field, said = forms.fault(refusal) if refusal else ("", "")
    page = render_template(template, field=field, said=said, next_path=forms.next_path(), **values)
    if refusal is None:
        return page
    again = {"Retry-After": str(refusal.retry_after_s)} if isinstance(refusal, TooMany) else {}
    return page, refusal.status, again
