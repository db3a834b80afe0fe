"""To WeChat and back for the openid of who pays: silent, and nobody is signed in by it."""

from __future__ import annotations

import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode

from flask import Blueprint, Response, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from .. import web
from ..db import db, transaction
from ..errors import NotFound, TooMany
from . import oidc, outside, payers, tries
from .code_views import visit_digest
from .login import caller, safe_next
from .oidc import OutsideAway, OutsideRefused
from .wechat import INSIDE, WeChat

__all__ = ["payer", "payer_asked_at", "register", "remember_payer"]

log = logging.getLogger(__name__)

COOKIE, NEXT = "payer", "paying"
ASKED = "payer=asked"
"""In the address that WeChat was asked for: it is not asked again by itself."""


def register(blueprint: Blueprint) -> None:
    """Add these pages to the room's."""
    blueprint.add_url_rule("/outside/wechat/payer", "payer", go)
    blueprint.add_url_rule("/outside/wechat/payer/back", "payer_back", back)


def payer() -> str:
    """The openid of the WeChat that shows this page; "" where it is not known (yet)."""
    found = web.cookie(COOKIE)
    if not found or INSIDE not in _agent():
        return ""
    return payers.opened(found, web.setting("WECHAT_APP_ID"), visit_digest(), caller())


def payer_asked_at() -> str:
    """Where WeChat tells who pays, and comes back to this page; "" where it need not or cannot."""
    if _here() is None or payer():
        return ""
    here = request.full_path.rstrip("?")
    return url_for("identity.payer", next=here)


def remember_payer(response: Response, openid: str) -> None:
    """For this visit."""
    found = payers.sealed(openid, web.setting("WECHAT_APP_ID"), visit_digest(), caller())
    if found:
        web.set_cookie(response, COOKIE, found, 1)


def _agent() -> str:
    return request.headers.get("User-Agent", "")[:500]


def _here() -> WeChat | None:
    """WeChat, where this page is inside it and the shop's app can ask."""
    app = (web.setting("WECHAT_APP_ID"), web.setting("WECHAT_APP_SECRET"))
    if INSIDE not in _agent() or not all(app) or not _home():
        return None
    return WeChat(app, ("", ""), web.setting("WECHAT_LOGIN_URL"))


def _there() -> WeChat:
    found = _here()
    if found is None:
        raise NotFound("Nobody pays inside WeChat here")
    return found


def _home() -> str:
    """The shop's own address, as in all that comes back from outside: none that only the visitor
    says, but in practice."""
    practice = web.base_url() if web.setting("WECHAT_LOGIN_URL") else ""
    return web.setting("BASE_URL") or practice


def _way_back() -> str:
    return f"{_home()}/outside/wechat/payer/back"


def go() -> ResponseReturnValue:
    """To WeChat, which shows nothing. Nothing is written before somebody comes back."""
    there = _there()
    web.visit()
    state = outside.new_state(payers.STATE, visit_digest(), caller())
    response = redirect(there.address(_way_back(), state, "", "", _agent()), 303)
    path = safe_next(request.args.get("next"))
    web.set_cookie(response, NEXT, urlsafe_b64encode(path.encode()).decode().rstrip("="), 1)
    return response


def back() -> ResponseReturnValue:
    """Back to the page that asked; without an openid it says how else one pays."""
    response = make_response(redirect(_next(), 303))
    try:
        remember_payer(response, _openid(_there()))
    except (OutsideAway, OutsideRefused, TooMany) as refusal:
        log.warning("WeChat did not tell who pays: %s", refusal.code)
    return response


def _openid(there: WeChat) -> str:
    """Raises OutsideAway, OutsideRefused, TooMany."""
    who, code = caller(), request.args.get("code", "")
    written = tries.begin(who.from_outside())
    outside.check_state(request.args.get("state", ""), payers.STATE, visit_digest(), who)
    if not 0 < len(code) <= 2000:
        raise OutsideRefused()
    db.session.rollback()  # No connection is held while WeChat is waited for.
    with oidc.calling():
        claims = there.claims(code, _way_back(), "", "", _agent())
    with transaction():
        tries.forgive(written)
    return claims.openid


def _next() -> str:
    """The page that asked, from the cookie; safe whatever it says."""
    kept = web.cookie(NEXT) or ""
    try:
        path = safe_next(urlsafe_b64decode(kept + "=" * (-len(kept) % 4)).decode())
    except ValueError:
        path = "/"
    if ASKED in path:
        return path
    return f"{path}{'&' if '?' in path else '?'}{ASKED}"
