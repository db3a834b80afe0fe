"""Who pays inside WeChat: the openid of the very WeChat that shows the page.

It is not taken from the member's outside account: somebody who signs in on a friend's phone pays
from the friend's WeChat, and WeChat refuses another's openid. So it is asked for in each visit,
silently, and kept in a cookie that is bound to the visit and to the app. Nothing is written down.
"""

from __future__ import annotations

import re

from .. import clock, ids
from .callers import Caller

__all__ = ["STATE", "opened", "sealed"]

STATE = "wechat payer"
"""What a state is for that goes to WeChat and back: one for signing in is of no use here."""
HOURS = 12
_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNTIL, _MARK = 7, 26


def sealed(openid: str, app_id: str, visit: str, caller: Caller) -> str:
    """The cookie; "" where this is no openid."""
    if not _OPENID.fullmatch(openid) or not visit:
        return ""
    until = ids.encode(int(clock.timestamp_s()) + 3600 * HOURS, _UNTIL)
    return until + _mark(until, openid, app_id, visit, caller) + openid


def opened(cookie: str, app_id: str, visit: str, caller: Caller) -> str:
    """The openid in a cookie of this visit, for this app; "" in any other."""
    until, mark, openid = cookie[:_UNTIL], cookie[_UNTIL : _UNTIL + _MARK], cookie[_UNTIL + _MARK :]
    if not visit or not _OPENID.fullmatch(openid) or not until.isascii():
        return ""
    fits = ids.same(
        mark.encode(errors="replace").decode(), _mark(until, openid, app_id, visit, caller)
    )
    return openid if fits and until >= ids.encode(int(clock.timestamp_s()), _UNTIL) else ""


def _mark(until: str, openid: str, app_id: str, visit: str, caller: Caller) -> str:
    return ids.mac(caller.key, "payer", app_id, visit, until, openid, length=_MARK)
