"""WeChat's app, for practice: it tells who somebody is, and opens a window over the shop's page.

Each browser is a person of its own, known by a cookie here, with an openid for this one app. The
bridge takes only what the merchant's key has signed, lately, for a payment that was asked for.
"""

from __future__ import annotations

import json
import re
import secrets
from base64 import b64decode
from urllib.parse import urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from ... import clock

__all__ = ["Bridge", "People"]

OLDEST_S = 300
PREPAID_S = 7200
CODE_S = 300
_FIELDS = ("appId", "timeStamp", "nonceStr", "package")


class People:
    """OAuth 2.0 of an official account's app, silent: `snsapi_base`."""

    def __init__(self, app_id: str, secret: str) -> None:
        self.app_id, self.secret = app_id, secret
        self.known: set[str] = set()
        self._codes: dict[str, tuple[str, float]] = {}

    def answer(self, request: Request, path: str) -> Response:
        if path == "/connect/oauth2/authorize":
            return self._authorize(request)
        if path == "/sns/oauth2/access_token":
            return self._token(request)
        return Response("There is nothing here\n", 404)

    def _authorize(self, request: Request) -> Response:
        asked, there = request.args, urlsplit(request.args.get("redirect_uri", ""))
        fits = asked.get("appid") == self.app_id and asked.get("response_type") == "code"
        state = asked.get("state", "")
        if not fits or asked.get("scope") != "snsapi_base" or there.scheme not in ("http", "https"):
            return Response("redirect_uri, appid or scope is wrong\n", 400)
        if not re.fullmatch("[A-Za-z0-9]{0,128}", state):
            return Response("The state is wrong\n", 400)
        openid = request.cookies.get("practice-openid", "")
        if openid not in self.known:
            openid = self.person()
        code = secrets.token_urlsafe(24)
        self._codes[code] = (openid, clock.timestamp_s() + CODE_S)
        back = there._replace(query=urlencode({"code": code, "state": state}))
        answer = redirect(back.geturl(), 302)
        answer.set_cookie("practice-openid", openid, httponly=True, samesite="Lax")
        return answer

    def person(self) -> str:
        """Somebody new: what this app calls them."""
        openid = f"oPra{secrets.token_hex(12)}"
        self.known.add(openid)
        return openid

    def _token(self, request: Request) -> Response:
        """A code is of use once, and for five minutes."""
        asked = request.args
        openid, until = self._codes.pop(asked.get("code", ""), ("", 0.0))
        client = (asked.get("appid"), asked.get("secret"), asked.get("grant_type"))
        said: dict[str, object] = {"errcode": 40029, "errmsg": "invalid code"}
        if client != (self.app_id, self.secret, "authorization_code"):
            said = {"errcode": 40125, "errmsg": "invalid appsecret"}
        elif openid and clock.timestamp_s() <= until:
            said = {"access_token": secrets.token_hex(16), "expires_in": 7200, "openid": openid,
                    "scope": "snsapi_base"}  # fmt: skip
        return Response(json.dumps(said), content_type="application/json")


class Bridge:
    """What WeChat does with `getBrandWCPayRequest` before its window opens."""

    def __init__(self, app_id: str, key: rsa.RSAPublicKey) -> None:
        self.app_id, self.key = app_id, key
        self._prepaid: dict[str, tuple[str, float]] = {}
        self._numbers: dict[str, str] = {}

    def prepaid(self, number: str) -> str:
        """The number for a payment, good for two hours; the same again is the same."""
        found = self._numbers.setdefault(number, f"wx{secrets.token_hex(16)}")
        self._prepaid.setdefault(found, (number, clock.timestamp_s() + PREPAID_S))
        return found

    def number_of(self, said: dict[str, str]) -> str | None:
        """The order number for which the window opens; None where it does not."""
        at = said.get("timeStamp", "")
        if said.get("appId") != self.app_id or said.get("signType") != "RSA":
            return None
        if not (at.isascii() and at.isdigit()) or abs(clock.timestamp_s() - int(at)) > OLDEST_S:
            return None
        signed = "".join(f"{said.get(name, '')}\n" for name in _FIELDS).encode()
        try:
            mark = b64decode(said.get("paySign", ""), validate=True)
            self.key.verify(mark, signed, padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return None
        kind, _, prepaid = said.get("package", "").partition("=")
        number, until = self._prepaid.get(prepaid, ("", 0.0))
        return number if kind == "prepay_id" and number and clock.timestamp_s() < until else None
