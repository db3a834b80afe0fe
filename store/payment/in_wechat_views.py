"""Paying inside WeChat: who pays is asked first, and WeChat's own window opens over our page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from flask import current_app, g, request

from .. import clock, identity, web
from ..errors import Refusal
from .blueprint import blueprint
from .gateways import InApp
from .gateways.offered import inside_wechat, set_up
from .gateways.wechat import JSAPI, PREPAID_LASTS, way_of
from .models import OPEN, Attempt

__all__ = ["PayerUnknown", "Window", "is_over", "terms", "to_ask", "window"]

WECHAT = "wechat"


class PayerUnknown(Refusal):
    """The page is inside WeChat, which has not told (or not lately) whose WeChat pays."""

    code = "payer_unknown"
    status = 409
    title = "WeChat has not told us who pays"


class Terms(TypedDict):
    way: str
    payer: str


@dataclass(frozen=True)
class Window:
    """WeChat's window over the page of a payment. `fields` are what its bridge is handed, where it
    can open here and now; `why_not` is elsewhere or old. `practice` plays WeChat's part."""

    fields: dict[str, str] | None = None
    why_not: str = ""
    practice: str = ""


def _is_inside() -> bool:
    return inside_wechat(request.headers.get("User-Agent", ""))


@blueprint.app_template_global("asks_wechat")
def _ask_again() -> str:
    """Where WeChat is asked who pays, for a page that offers it; "" where that is known."""
    is_ours = web.setting("CURRENCY") == "CNY" and WECHAT in set_up(current_app.config)
    if not _is_inside() or not is_ours:
        return ""
    return identity.payer_asked_at()


def to_ask() -> str:
    """The same, for a page that has not asked yet."""
    return "" if "payer" in request.args else _ask_again()


def terms(means: str) -> Terms:
    """How and by whom it is paid. Raises PayerUnknown."""
    if means != WECHAT or not _is_inside():
        return Terms(way="", payer="")
    payer = identity.payer()
    if not payer:
        raise PayerUnknown()
    return Terms(way=way_of(payer, _key()), payer=payer)


def _key() -> bytes:
    return web.setting("SECRET_KEY").encode()


def is_over(mine: Attempt) -> bool:
    """Whether nobody paid in WeChat's window in time."""
    return mine.state == "expired" and mine.way.startswith(JSAPI)


def window(mine: Attempt) -> Window | None:
    """WeChat's window for this payment, signed for this page; None for any other payment, and for
    one of which WeChat has not told yet."""
    if mine.state not in OPEN or not mine.way.startswith(JSAPI) or not mine.code:
        return None
    if clock.now() - mine.created_at >= PREPAID_LASTS:
        return Window(why_not="old")
    found: object = set_up(current_app.config).get(mine.gateway)
    payer = identity.payer()
    is_theirs = payer and way_of(payer, _key()) == mine.way
    if not is_theirs or not isinstance(found, InApp):
        return Window(why_not="elsewhere")
    g.more_frame = "; frame-src weixin:"  # Older ones are called by a frame of that scheme.
    return Window(found.opens(mine.code), practice=found.practice_bridge(web.base_url()))
