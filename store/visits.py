"""Visits: what a request says of who makes it, worked out once for each request.

One cookie, `visit`, is the same for guests and members: for a member it is the key of the sign-in;
for a guest it only binds forms to the browser.
"""

from __future__ import annotations

import re
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

from flask import Request, current_app, request
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import parse_accept_header, parse_cookie
from werkzeug.wrappers import Response

from . import ids

__all__ = [
    "LANGUAGES", "TRANSLATIONS", "PlainVisit", "Said", "Visit", "cookie", "csrf_field",
    "csrf_token", "known_visit", "language", "plain_visit", "renew_visit", "secret_of",
    "set_cookie", "token_for", "visit", "visited",
]  # fmt: skip

LANGUAGES = {"en": "English", "zh": "中文"}
TRANSLATIONS = Path(__file__).parent / "translations"
_FORM = "application/x-www-form-urlencoded"


_UNREAD = "unread"
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?\Z")


class Said:
    """What a request says of its visitor, worked out once: asking Flask's request-bound objects
    again each time took longer than the item page's statement."""

    environ: dict[str, Any]
    scheme: Any
    host: Any
    is_secure: Any
    new_secret: str | None = None
    """A fresh secret that the answer sets as the visit cookie."""
    _jar: dict[str, str] | None = None
    _sent: str | None = _UNREAD
    _around: tuple[str, str] | None = None
    _language: str | None = None

    @property
    def jar(self) -> dict[str, str]:
        """The cookies, by their full names."""
        if self._jar is None:
            self._jar = _read_jar(self.environ.get("HTTP_COOKIE", ""))
        return self._jar

    def cookie_name(self, name: str) -> str:
        if self._around is None:
            self._around = _around(self.host, self.is_secure)
        return self._around[0] + name + self._around[1]

    def cookie(self, name: str) -> str | None:
        return self.jar.get(self.cookie_name(name))

    @property
    def secret(self) -> str | None:
        """The visit cookie's secret: the new one, else the one that the browser sent, if any."""
        if self.new_secret is not None:
            return self.new_secret
        if self._sent is _UNREAD:
            self._sent = secret_of(self.cookie("visit"))
        return self._sent

    def address_or(self, base_url: str) -> str:
        """The shop's own address: the one that is set, else the one that was asked."""
        return base_url or f"{self.scheme}://{self.host}"

    @property
    def language(self) -> str:
        """The visitor's language, once it is known."""
        assert self._language is not None
        return self._language

    def _language_asked(self) -> str | None:
        return None

    def language_or(self, shops: str) -> str:
        """The same, where the shop's own is known already."""
        if self._language is None:
            asked = self._language_asked() or self.cookie("lang")
            if asked not in LANGUAGES:
                asked = _wanted(self.environ.get("HTTP_ACCEPT_LANGUAGE", "")[:200]) or shops
            self._language = asked
        return self._language


class PlainVisit(Said):
    """A request with nothing about it that must be looked at, for those who answer before the
    application does: none of the library's request is made for it."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ
        self.scheme: str = environ["wsgi.url_scheme"]
        self.is_secure: bool = self.scheme == "https"
        host: str = environ["HTTP_HOST"]
        self.host: str = host.removesuffix(":443" if self.is_secure else ":80")


class Visit(Said, Request):
    """A request, as the application has it."""

    @property
    def language(self) -> str:
        """The visitor's language: asked for now, chosen before, the browser's, or the shop's."""
        return self._language or self.language_or(str(current_app.config["LANGUAGE"]))

    def _language_asked(self) -> str | None:
        return self.args.get("lang") if self.environ.get("QUERY_STRING") else None

    def _load_form_data(self) -> None:
        """A small form of the usual kind is read at once; the library's parser is made for uploads
        that arrive bit by bit."""
        known, environ = self.__dict__, self.environ
        length = environ.get("CONTENT_LENGTH", "")
        small = len(length) <= 5 and length.isascii() and length.isdigit()
        if not small or environ.get("CONTENT_TYPE") != _FORM or {"form", "stream"} & known.keys():
            super()._load_form_data()
            return
        body = environ["wsgi.input"].read(int(length))
        if len(body) < int(length):
            raise ClientDisconnected()
        try:
            fields = parse_qsl(body.decode(), keep_blank_values=True, errors="werkzeug.url_quote")
        except UnicodeDecodeError:
            fields = []  # As the library has it: what is no text is no form.
        known["form"] = self.parameter_storage_class(fields)
        known["files"] = self.parameter_storage_class()
        known["stream"] = BytesIO()


def plain_visit(environ: dict[str, Any], shops_language: str) -> PlainVisit | None:
    """Who has been here before, for those who answer before the application does; None leaves it to
    the application. Whoever asks has looked at the query: it names no language."""
    cookies = environ.get("HTTP_COOKIE", "")
    if not _HOST.match(environ.get("HTTP_HOST", "")) or '"' in cookies or "\\" in cookies:
        return None
    here = PlainVisit(environ)
    here.language_or(shops_language)
    return here if here.secret else None


@lru_cache(maxsize=64)
def _around(host: str, secure: bool) -> tuple[str, str]:
    """What stands before and after a cookie's name. Cookies do not know ports: two shops on one
    machine must not overwrite each other's sign-ins. Where there is TLS the browser holds to the
    __Host- rules."""
    port = host.rpartition(":")[2] if ":" in host else ""
    return "__Host-" if secure else "", f"-{port}" if port.isdigit() else ""


def secret_of(cookie: str | None) -> str | None:
    """A cookie's text, if it can be a secret of ours at all."""
    return cookie if cookie and len(cookie) == 43 and cookie.isascii() else None


def visited() -> Visit:
    """This request itself, not Flask's stand-in for it."""
    return cast(Visit, request._get_current_object())  # type: ignore[attr-defined]


def _read_jar(header: str) -> dict[str, str]:
    # Ours are plain: letters, digits, dashes, dots. What is quoted takes the library's way.
    if '"' in header:
        return parse_cookie(header).to_dict()
    jar: dict[str, str] = {}
    for part in header.split(";"):
        name, _, value = part.partition("=")
        jar.setdefault(name.strip(), value.strip())
    return jar


def visit() -> str:
    """The secret of this visitor's cookie; made when they have none and a page needs one."""
    return visited().secret or renew_visit()


def known_visit() -> str | None:
    """The cookie's secret if the browser sent one; makes none."""
    return visited().secret


def renew_visit() -> str:
    """A fresh secret for the cookie: at every sign-in and sign-out, so that none can be fixed."""
    visited().new_secret = fresh = ids.secret()
    return fresh


def cookie(name: str) -> str | None:
    return visited().cookie(name)


def set_cookie(response: Response, name: str, value: str, days: int) -> None:
    """A cookie of ours: HttpOnly, SameSite=Lax, and with the __Host- prefix where there is TLS."""
    here = visited()
    response.set_cookie(
        here.cookie_name(name), value, max_age=days * 86_400, path="/",
        secure=here.is_secure, httponly=True, samesite="Lax",
    )  # fmt: skip


def csrf_token() -> str:
    """The token of this visitor's forms: an authentication code over the cookie's secret."""
    return token_for(str(current_app.config["SECRET_KEY"]), visit())


@lru_cache(maxsize=4096)
def token_for(key: str, secret: str) -> str:
    """The token of the forms of the visitor with this secret; `key` is the shop's."""
    return ids.mac(key.encode(), "csrf", secret, length=26)


def csrf_field() -> Markup:
    return Markup('<input type="hidden" name="csrf" value="{}">').format(csrf_token())


def language() -> str:
    return visited().language


@lru_cache(maxsize=512)
def _wanted(accept_language: str) -> str | None:
    """The language of ours that a browser's header asks for most; a few headers come all day."""
    accepted = parse_accept_header(accept_language, LanguageAccept)
    best = accepted.best_match([*LANGUAGES, "zh-CN", "zh-TW", "zh-HK"])
    return best[:2] if best else None
