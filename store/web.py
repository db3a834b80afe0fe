"""The web tool: headers, cookies, CSRF, languages, strict input, and refusals as pages."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import Flask, Request, Response, current_app, g, render_template, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_babel import Babel, format_datetime, gettext, ngettext
from jinja2 import Template
from markupsafe import Markup
from sqlalchemy.exc import DBAPIError, TimeoutError
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from . import assets, errors, ids, money
from .answers import add_headers, names_of
from .strict import StrictJSON
from .visits import (
    LANGUAGES,
    TRANSLATIONS,
    Said,
    Visit,
    cookie,
    csrf_field,
    csrf_token,
    known_visit,
    language,
    renew_visit,
    set_cookie,
    visit,
    visited,
)

__all__ = [
    "LANGUAGES",
    "answers_json",
    "base_url",
    "cookie",
    "csrf_token",
    "exempt_from_csrf",
    "init_app",
    "known_visit",
    "language",
    "plain_headers",
    "renew_visit",
    "set_cookie",
    "setting",
    "visit",
    "visited",
]

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

# One strict policy for every page. A view that needs more (the scanner's wasm) says so in
# g.more_script, one whose form goes to a provider in g.more_form, one over which an app opens its
# window in g.more_frame; nothing may be framed, and all other forms go to ourselves only.
_POLICY = (
    "default-src 'none'; script-src 'self'{more}; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; form-action 'self'{form}; base-uri 'none'; frame-ancestors 'none'{frame}"
)
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), microphone=(), geolocation=(), payment=(self)"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)


_HEADERS_OVER_TLS = (*_HEADERS, ("Strict-Transport-Security", "max-age=31536000"))
_UNKEPT = [("Cache-Control", "private, no-cache")]


class CsrfFailed(errors.Refusal):
    """The form was not made by this shop for this visitor, or they signed in or out since."""

    code = "form_expired"
    status = 403
    title = "This form is no longer valid"


class _Notes(SecureCookieSessionInterface):
    """Flask's session holds nothing but what is told once after a redirect. Most requests have
    none, and then no signature is made ready for it. Its cookie is named as ours are: two shops on
    one machine would sign over each other's."""

    def get_cookie_name(self, app: Flask) -> str:
        return visited().cookie_name("notes")

    def get_cookie_secure(self, app: Flask) -> bool:
        return bool(visited().is_secure)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if isinstance(request, Visit) and self.get_cookie_name(app) not in request.jar:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session.accessed or session.modified:
            super().save_session(app, session, response)


class Number(IntegerConverter):
    """`<number:id>`: whole numbers that fit a column; 2^63 and above is simply not found."""

    regex = r"\d{1,15}"


def behind_proxies(application: WSGIApplication, many: int) -> WSGIApplication:
    """The application, which sees what so many reverse proxies say of who asked and how."""
    return ProxyFix(application, x_for=many, x_proto=many, x_host=many)


def init_app(app: Flask) -> None:
    app.json = StrictJSON(app)
    app.url_map.converters["number"] = Number
    app.config["MAX_CONTENT_LENGTH"] = app.config["UPLOAD_BYTES"]
    app.session_interface = _Notes()
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    if many := app.config["PROXIES"]:
        app.wsgi_app = behind_proxies(app.wsgi_app, many)  # type: ignore
    Babel(app, locale_selector=language)
    app.before_request(_guard)
    app.after_request(_finish)
    app.register_error_handler(errors.Refusal, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DBAPIError, _database_error)
    app.register_error_handler(TimeoutError, _database_error)
    _set_up_templates(app)


# Forms


def exempt_from_csrf(blueprint_or_endpoint: str) -> None:
    """For what carries its own proof: token-authenticated API calls and signed notices."""
    _exempt.add(blueprint_or_endpoint)


_exempt: set[str] = set()


def _guard() -> None:
    """Before every request: refuse what no route should see, then forms that are not ours."""
    here = visited()
    if "\x00" in here.path or "%00" in here.environ.get("QUERY_STRING", ""):
        raise errors.Invalid("The address contains a NUL character")
    if "\\000" in here.environ.get("HTTP_COOKIE", ""):
        raise errors.Invalid("A cookie contains a NUL character")
    if here.method in _SAFE_METHODS or here.routing_exception is not None:
        return  # Where no view will run there is nothing to guard: 404 and 405 say what is wrong.
    if {here.endpoint, *here.blueprints} & _exempt:
        return
    origin = here.environ.get("HTTP_ORIGIN")
    if origin not in (None, f"{here.scheme}://{here.host}"):
        raise CsrfFailed("The form was sent from another site")
    form = here.form
    if not ids.same(form.get("csrf", ""), csrf_token()):
        raise CsrfFailed("The form's token does not fit this visitor")
    if any("\x00" in value for _, value in form.items(multi=True)):
        raise errors.Invalid("The form contains a NUL character")


def _finish(response: Response) -> Response:
    """After every request: cookies that changed, and the headers that every answer carries."""
    here, headers = visited(), response.headers
    there = names_of(headers)
    if "content-security-policy" not in there:
        add_headers(
            headers,
            [
                (
                    "Content-Security-Policy",
                    _policy(
                        g.get("more_script", ""), g.get("more_form", ""), g.get("more_frame", "")
                    ),
                )
            ],
        )
    add_headers(headers, _always(here, current_app.config["BASE_URL"]))
    asked = here.args if here.environ.get("QUERY_STRING") else {}
    if "cache-control" not in there:
        add_headers(headers, _UNKEPT)
    if here.new_secret is not None:
        set_cookie(response, "visit", here.new_secret, current_app.config["SESSION_DAYS"])
    if asked and asked.get("lang") in LANGUAGES:
        set_cookie(response, "lang", asked["lang"], 365)
    return response


def plain_headers(here: Said, base_url: str, *, kept: bool = False) -> list[tuple[str, str]]:
    """What `_finish` adds to an answer that has nothing of its own to say, or only how long it may
    be `kept`."""
    unkept = [] if kept else _UNKEPT
    return [("Content-Security-Policy", _policy("")), *_always(here, base_url), *unkept]


def _always(here: Said, base_url: str) -> Sequence[tuple[str, str]]:
    return _HEADERS_OVER_TLS if here.is_secure and base_url.startswith("https") else _HEADERS


# Languages and addresses


def setting(name: str) -> str:
    """A setting of the shop that is open, for rooms that reckon by its time zone or currency."""
    return str(current_app.config[name])


def tax_on_top() -> bool:
    """Whether the shop's prices are without tax, which comes on top of them."""
    return not current_app.config["PRICES_INCLUDE_TAX"]


def base_url() -> str:
    """The shop's own address, without a slash at the end."""
    return visited().address_or(str(current_app.config["BASE_URL"]))


def _static_url(name: str) -> str:
    """An address for a file under static/ that changes with its contents, cached for a year."""
    folder = current_app.static_folder or ""
    return f"/static/{name}?v={assets.version(Path(folder) / name)}"


def _set_up_templates(app: Flask) -> None:
    environment: Any = app.jinja_env
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.speaks, environment.translate = language, gettext
    environment.static_url = _static_url
    # The i18n extension gives _() its usual names; newstyle takes %(name)s arguments safely.
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext, ngettext, newstyle=True
    )
    app.jinja_env.globals.update(
        csrf_field=csrf_field, csrf_token=csrf_token, money=_money, price=_price, when=when,
        static_url=_static_url, languages=list(LANGUAGES.items()), in_language=in_language,
        shop_name=app.config["SHOP_NAME"], demo=app.config["DEMO"],
    )  # fmt: skip
    app.context_processor(lambda: {"language": language()})


def in_language(texts: dict[str, str] | None, wanted: str | None = None) -> str:
    """The text of {"en": …, "zh": …} in the visitor's language, else in any it has."""
    if not texts:
        return ""
    return texts.get(wanted or language()) or next(iter(texts.values()), "")


def _money(minor: int, currency: str) -> str:
    return money.show(minor, currency, language())


def _price(minor: int, currency: str) -> Markup:
    """A price for reading at arm's length: the sign and the decimals are smaller."""
    whole = _money(minor, currency)
    digits = [at for at, character in enumerate(whole) if character.isdigit()]
    places = money.decimals(currency)
    first, last = digits[0], digits[-1] + 1
    number, decimals = (
        (whole[first : last - places - 1], whole[last - places - 1 : last])
        if places
        else (whole[first:last], "")
    )
    return Markup(
        '<span class="price"><span class="price-sign">{}</span>{}'
        '<span class="price-decimals">{}</span><span class="price-sign">{}</span></span>'
    ).format(whole[:first], number, decimals, whole[last:])


# English is read on both sides of the Atlantic: no date may be taken for another.
_PATTERNS = {("en", "short"): "d MMM y, HH:mm", ("en", "medium"): "d MMM y, HH:mm:ss"}


def when(at: datetime, form: str = "medium") -> str:
    """A moment in the shop's time zone, in the visitor's language. `form` is short (minutes),
    medium (seconds), or a pattern."""
    form = _PATTERNS.get((language(), form), form)
    local = at.astimezone(ZoneInfo(current_app.config["TIME_ZONE"]))
    return str(format_datetime(local.replace(tzinfo=None), form, rebase=False))


# Refusals


def answers_json() -> bool:
    return request.path.startswith("/api/")


def problem(status: int, code: str, title: str, detail: str, **more: Any) -> Response:
    """An RFC 9457 problem document."""
    body = {"type": f"urn:oneshelf:problem:{code}", "title": title, "status": status,
            "detail": detail, "code": code, **more}  # fmt: skip
    response = current_app.response_class(
        current_app.json.dumps(body), status, mimetype="application/problem+json"
    )
    return response


@lru_cache(maxsize=64)
def _policy(more_script: str, more_form: str = "", more_frame: str = "") -> str:
    return _POLICY.format(more=more_script, form=more_form, frame=more_frame)


def _refused(refusal: errors.Refusal) -> ResponseReturnValue:
    retry = {"Retry-After": str(refusal.retry_after_s)} if hasattr(refusal, "retry_after_s") else {}
    if answers_json():
        answer = problem(
            refusal.status, refusal.code, refusal.title, refusal.message, **refusal.data
        )
        answer.headers.extend(retry)
        return answer
    return page_for(refusal.code, refusal.status, refusal.message, refusal.data), \
        refusal.status, retry  # fmt: skip


def page_for(code: str, status: int, message: str, data: dict[str, Any]) -> str:
    """The page of a refusal: templates/refusals/<code>.html, else the one for all others."""
    try:
        _ = request.form
    except (RequestEntityTooLarge, ClientDisconnected):
        request.form = ImmutableMultiDict()  # The page shows nothing of it again.
    pages: list[str | Template] = [f"refusals/{code}.html", "refusal.html"]
    return render_template(pages, code=code, status=status, message=message, data=data)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error
    code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(
        error.code, "bad_request" if error.code < 500 else "failed"
    )
    detail = error.description or error.name
    if answers_json():
        said = getattr(error, "data", None)
        more = {"errors": said["messages"]} if said else {}
        answer = problem(error.code, code, error.name, detail, **more)
    else:
        answer = current_app.make_response((page_for(code, error.code, detail, {}), error.code))
    # What the library adds (Allow, WWW-Authenticate) stays.
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            answer.headers[name] = value
    return answer


def _database_error(error: Exception) -> ResponseReturnValue:
    """Disk full, read-only, server away: say 503 and go on by ourselves when it is back."""
    log.error("database: %s", error)
    return _refused(errors.Unavailable())
