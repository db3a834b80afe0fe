"""Signing in: who the visitor of this request is. The only part of the room that knows requests."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from babel.core import get_global
from flask import Flask, Response, current_app, g, has_request_context, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user
from werkzeug.local import LocalProxy

from .. import ids, logbook, post, web
from ..db import connection, transaction
from ..errors import Forbidden, Refusal
from . import admitting, identifiers, members, notices, passwords, sign_ins
from .callers import Caller, device_mark
from .roles import allows
from .sign_ins import visitor_query
from .visitors import Visitor

__all__ = [
    "SignInNeeded", "caller", "current", "init_app", "mark_device", "needs", "recognise",
    "safe_next", "set_up_process", "signed_in",
]  # fmt: skip

log = logging.getLogger(__name__)

_DEVICE_DAYS = 400
_DEVICE_MARKS = 4

P = ParamSpec("P")
R = TypeVar("R")


class SignInNeeded(Refusal):
    """The page is somebody's; say who you are first."""

    code = "sign_in_needed"
    status = 401
    title = "Please sign in first"


def init_app(app: Flask) -> None:
    """Attach Flask-Login, without its own session cookie: `current_user` is who the shop's visit
    cookie says. LoginManager.init_app is not called, because all that it adds is a cookie of its
    own that every answer would look at."""
    manager = LoginManager()
    manager.session_protection = None
    # Flask-Login asks once a request, and only where somebody asks for its `current_user`.
    manager.request_loader(lambda request: current())
    app.login_manager = manager  # type: ignore[attr-defined]
    # Asked for only where a template uses them: a page that says "the database is away" must not.
    app.jinja_env.globals.update(
        current_user=current_user, current_member=LocalProxy(current),
        may=lambda permission: allows(current(), permission), open_to_me=_those_allowed,
        who_can_help=_owners,
    )  # fmt: skip
    app.register_error_handler(SignInNeeded, _ask_to_sign_in)
    app.after_request(_note_seen)
    set_up_process(app)


def set_up_process(app: Flask) -> None:
    """What this shop's settings ask of the whole process: the price of a password, and in which
    country a phone number without a country code is, of whom it asks a second factor, and whether
    it sends mail."""
    # TESTING is no setting: only code can ask for it, so no environment makes a shop weak.
    quick = app.config.get("PASSWORD_HASHER") or passwords.QUICK
    passwords.set_hasher(quick if app.testing else passwords.STRONG)
    country = app.config["COUNTRY"] or get_global("zone_territories").get(app.config["TIME_ZONE"])
    identifiers.set_region(country)
    admitting.set_asked(app.config["SECOND_FACTOR"])
    notices.set_mail(post.can_mail(app.config))


def _those_allowed(places: list[tuple[str, str, str, str]]) -> list[tuple[str, str, str]]:
    """Of (endpoint, icon, name, permission) what this visitor may go to."""
    return [place[:3] for place in places if allows(current(), place[3])]


def _owners() -> list[str]:
    """Who can give somebody of the staff what they lack; nobody else is told who owns the shop."""
    member = current()
    if member is None or member.role == "shopper":
        return []
    return [one.name or known_by for one, known_by in members.staff()
            if one.role == "owner" and one.disabled_at is None]  # fmt: skip


def current() -> Visitor | None:
    """The member who makes this request, as they were at its beginning, or None."""
    if not has_request_context():
        return None
    if "visitor" not in g:
        secret = web.known_visit()
        row = connection().execute(visitor_query(ids.digest(secret))).first() if secret else None
        recognise(row)
    return g.visitor  # type: ignore[no-any-return]


def recognise(row: Any) -> Visitor | None:
    """Take a row of `visitor_query`, which a page has read with its own, as who the visitor is.
    None, or a row without a member_id (an outer join), is a guest."""
    known = None
    if row is not None and row.member_id is not None:
        known = Visitor(row.member_id, row.member_name, row.member_role, row.member_language)
        g.visitor_seen_at = getattr(row, "member_seen_at", None)
    g.visitor = known
    return known


def signed_in() -> Visitor:
    """The member who makes this request. Raises SignInNeeded."""
    member = current()
    if member is None:
        raise SignInNeeded()
    return member


def needs(permission: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A view that only members with this permission may use.
    Raises SignInNeeded, Forbidden."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not allows(signed_in(), permission):
                _owes_a_second_factor(permission)
                raise Forbidden(permission=permission)
            with logbook.acting(signed_in().id, "page"):
                return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def _owes_a_second_factor(permission: str) -> None:
    """Whoever may do this, but has given one sign only where the shop asks for two, begins again.
    Raises SignInNeeded."""
    member = members.by_id(signed_in().id)
    if admitting.is_asked(member.role) and allows(member, permission):
        with transaction():
            sign_ins.end(ids.digest(web.known_visit() or ""))
        raise SignInNeeded()


def safe_next(text: str | None) -> str:
    """An address to go on to after signing in: a path of this shop, else the shop's first page.

    Browsers drop tabs and line ends and read a backslash as a slash, so that `/\\evil.example`
    would lead away; none of these is in an address that a page of ours has made.
    """
    text = text or "/"
    bad = any(character <= " " or character in "\\\x7f" for character in text)
    if bad or not text.isprintable() or len(text) > 2000:
        return "/"
    if not text.startswith("/") or text.startswith("//"):
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or parts.path.rstrip("/") in _NOT_AFTER_SIGNING_IN:
        return "/"
    return text


_NOT_AFTER_SIGNING_IN = {
    "/sign-in", "/sign-up", "/start", "/sign-out", "/code", "/code/more", "/second", "/second/new",
}  # fmt: skip


def caller() -> Caller:
    """Where this request comes from."""
    return Caller(
        address=request.remote_addr or "",
        browser=browser_name(request.user_agent.string),
        key=str(current_app.config["SECRET_KEY"]).encode(),
        device=(web.cookie("device") or "")[:300],
        most_wrong=current_app.config["SIGN_IN_TRIES"],
        days=current_app.config["SESSION_DAYS"],
        codes_an_hour=current_app.config["CODES_AN_HOUR"],
    )


def mark_device(response: Response, member_id: int) -> None:
    """Let this device keep that the member has signed in on it."""
    known = caller()
    device_id, *marks = known.device.split(".")
    if len(device_id) != 43 or not known.device.isascii():
        device_id, marks = ids.secret(), []
    mark = device_mark(known.key, device_id, member_id)
    kept = [mark, *(other for other in marks if other != mark)][:_DEVICE_MARKS]
    web.set_cookie(response, "device", ".".join([device_id, *kept]), _DEVICE_DAYS)


def browser_name(user_agent: str) -> str:
    """Browser and device in a few words, from what browsers say of themselves."""
    browsers = (
        ("MicroMessenger", "WeChat"), ("AlipayClient", "Alipay"), ("Edg", "Edge"),
        ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"),
        ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"),
    )  # fmt: skip
    devices = (
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("HarmonyOS", "HarmonyOS"), ("Android", "Android"),
        ("Windows", "Windows"), ("Mac OS X", "Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
    )  # fmt: skip
    names = [
        next((name for sign, name in known if sign in user_agent), "")
        for known in (browsers, devices)
    ]
    return " · ".join(name for name in names if name)


def _ask_to_sign_in(refusal: SignInNeeded) -> ResponseReturnValue:
    if web.answers_json():
        return web.problem(refusal.status, refusal.code, refusal.title, refusal.message)
    return redirect(url_for("identity.sign_in", next=_here()), 303)


def _here() -> str:
    """The page that the visitor is on: a form's answer cannot be asked for again, so after a POST
    it is the page that held the form."""
    if request.method in ("GET", "HEAD"):
        return safe_next(request.full_path.rstrip("?"))
    referrer = urlsplit(request.referrer or "")
    if referrer.netloc != request.host:
        return safe_next(request.form.get("next"))
    return safe_next(referrer._replace(scheme="", netloc="", fragment="").geturl())


def _note_seen(response: Response) -> Response:
    """At most hourly, and never for a page that is only looked at: a scan changes nothing."""
    if request.method != "POST":
        return response
    seen_at = g.get("visitor_seen_at")
    if seen_at and sign_ins.is_stale(seen_at):
        secret = web.known_visit()
        try:
            sign_ins.see(ids.digest(secret or ""))
        except Exception:
            # The answer is made and what it says has happened; a time of day is not worth an error.
            log.exception("the time of a visit was not kept")
    return response
