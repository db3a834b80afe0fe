"""The express lane: the item page and the one tap, as most phones ask for them, without the way
through the framework.

A page that was rendered before is one statement and a few words put in its holes; a buy is one
statement and a place in the line of waiting buys (`combine`). Everything that is the least bit
unusual (a guest's first visit, another query, a form with one field more, a bundle, any refusal)
goes on to the views, which know all of it. The lane decides nothing of its own: what is shown, sold
and refused is said by the same functions that the views ask, and tests/sales/test_express.py holds
its answers to theirs, header by header.

No request holds a thread while it waits. The server's threads hand it in (`later`) and go; one
thread answers pages and reads what buys ask for, another settles the buys that wait, all at once,
and answers them. Threads that all want the interpreter would hand it to each other at every call of
the database, which costs more than the page does.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from io import BytesIO
from queue import Empty, SimpleQueue
from typing import Any, NoReturn, Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, TimeoutError

from .. import catalogue, identity, ids, labels, membership, web
from ..errors import Refusal
from ..visits import Said, plain_visit, token_for
from .buying import Bought, Buy, Line, Wishes
from .checkout import buy_later, give_up, settle_forever
from .forms import MOST_AT_ONCE, confirm_over_minor
from .shelf import beside, item_facts
from .shelf.shelf import committed_item_page, committed_who_what_where

log = logging.getLogger(__name__)

Environ = dict[str, Any]
Answer = tuple[int, list[tuple[str, str]], bytes]

LOOK_UP_S = 5.0
"""The lane looks this often for buys that have waited too long."""

REFUSED = "oneshelf.refused"
"""Where a buy that was refused here leaves its refusal, for the view that shows it."""

_LABEL_ONLY = re.compile(r"(l=([0-9A-Z]{1,40}))?\Z")
_GTIN_PATH = re.compile(r"/01/([0-9]{14})\Z")
_CODE_PATH = re.compile(r"/i/([0-9A-Z]{1,16})\Z")
_PLAIN = re.compile(r"[0-9A-Za-z_=&-]*\Z", re.ASCII)
_FORM = "application/x-www-form-urlencoded"
_FIELDS = {
    "csrf", "code", "quantity", "key", "seen_minor", "at", "label", "again", "confirmed",
}  # fmt: skip
_NEEDED = {"csrf", "code", "quantity", "key", "seen_minor"}
_TEXT = ("Content-Type", "text/html; charset=utf-8")


class Reply(Protocol):
    """The way back to who asked: an answer, or what the views say."""

    def __call__(self, status: int, headers: list[tuple[str, str]], body: bytes, /) -> None: ...

    def pass_on(self) -> None: ...


class Express:
    """The lane of one process. `within` opens an application context; `shop` are its settings."""

    def __init__(
        self,
        engine: Engine,
        shop: Mapping[str, Any],
        within: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._engine, self._shop, self._within = engine, shop, within
        self._seen_through = web.behind_proxies(_nothing, shop["PROXIES"])
        self._asked_for: SimpleQueue[tuple[Environ, Reply]] = SimpleQueue()
        self._scans = labels.scans_of(engine, within)
        self._views = ThreadPoolExecutor(shop["THREADS"], "views")

    def open(self) -> None:
        """Start the lane's threads, in the process that serves."""
        # PostgreSQL answers after a while, so that several may wait for it.
        for _ in range(1 if self._engine.dialect.name == "sqlite" else 3):
            threading.Thread(target=self._answer_forever, name="express", daemon=True).start()
        threading.Thread(
            target=settle_forever, args=(self._engine, self._within), name="till", daemon=True
        ).start()

    def close(self) -> None:
        """Whoever is in the lane is answered at once; nobody need be let out."""

    def later(self, environ: Environ, reply: Reply) -> bool:
        """Whether this request is for the lane, which then answers it from a thread of its own, or
        passes it on to the views."""
        self._seen_through(environ, _unheard)
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if method == "GET":
            ours = str(path).startswith(("/01/", "/i/"))
        else:
            ours = path == "/sales" and method == "POST" and _is_read(environ)
        if ours:
            self._asked_for.put((environ, reply))
        return ours

    def _answer_forever(self) -> NoReturn:
        look_up_at = time.monotonic() + LOOK_UP_S
        while True:
            with suppress(Empty):
                self._answer_or_pass_on(*self._asked_for.get(timeout=LOOK_UP_S))
            if time.monotonic() > look_up_at:
                give_up(self._engine)
                look_up_at = time.monotonic() + LOOK_UP_S

    def _answer_or_pass_on(self, environ: Environ, reply: Reply) -> None:
        ours = False
        try:
            ours = self._answer(environ, reply)
        except (DBAPIError, TimeoutError):
            pass  # The view meets the same, and says so properly.
        except BaseException:
            # All pages wait behind this thread: whatever it is, the lane goes on.
            log.exception("the express lane could not answer %s", environ["PATH_INFO"])
        if not ours:
            self._views.submit(reply.pass_on)

    def _answer(self, environ: Environ, reply: Reply) -> bool:
        """Answer, or promise to; False leaves it to the views."""
        if environ["REQUEST_METHOD"] == "GET":
            answer = self._page(environ, environ["PATH_INFO"])
            if answer is not None:
                reply(*answer)
            return answer is not None
        asked = self._asked(environ, environ["wsgi.input"].getvalue())
        if asked is None:
            return False
        here, wanted = asked

        def then(outcome: Bought | BaseException) -> None:
            if isinstance(outcome, Bought):
                reply(*self._bought(here, outcome))
                return
            if isinstance(outcome, Refusal):
                environ[REFUSED] = outcome
            self._views.submit(reply.pass_on)

        buy_later(self._engine, wanted, then)
        return True

    def _page(self, environ: Environ, path: str) -> Answer | None:
        found = _GTIN_PATH.match(path) or _CODE_PATH.match(path)
        query = _LABEL_ONLY.match(environ.get("QUERY_STRING", ""))
        if not found or not query or "json" in environ.get("HTTP_ACCEPT", ""):
            return None
        here = plain_visit(environ, self._shop["LANGUAGE"])
        if here is None:
            return None
        by, value, said = "gtin" if path[1] == "0" else "code", found[1], query[2] or ""
        if by == "code":
            value = ids.normalise(value)
        wanted = item_facts.asked(
            here, by, value, said, item_facts.place_code(here, None), self._shop
        )
        row = committed_item_page(self._engine, wanted)
        environ[item_facts.READ] = wanted, row
        if (
            row is None
            or row.archived_at is not None
            or row.price_minor is None
            or row.group_id is not None
            or row.tracks_batches
            or row.is_bundle
        ):
            return None
        if labels.trouble(row, said, wanted.label_id):
            return None  # The view tells staff of it.
        rules = membership.held(self._engine, row.rules_mark)
        if rules is None or rules.concern(row.id, row.category_id, row.member_id is not None):
            return None
        if beside.may_be(self._engine, row.rules_mark, row.member_id):
            return None
        facts = item_facts.facts(here, row, said, wanted.label_id, 1, self._shop)
        page = item_facts.pages.kept(facts.key, facts.words)
        if page is None:
            return None
        item_facts.count_scan(self._scans, here, row, wanted)
        headers = [_TEXT, ("Content-Length", str(len(page)))]
        if by == "gtin":
            headers += catalogue.page_headers(f"{here.address_or(self._shop['BASE_URL'])}{path}")
        headers += web.plain_headers(here, self._shop["BASE_URL"])
        return 200, headers, page

    def _bought(self, here: Said, bought: Bought) -> Answer:
        headers = [("Location", f"/sales/{bought.sale_id}"), _TEXT, ("Content-Length", "0")]
        return 303, headers + web.plain_headers(here, self._shop["BASE_URL"]), b""

    def _asked(self, environ: Environ, body: bytes) -> tuple[Said, Buy] | None:
        """The buy that a form of ours asks for, by a member who is signed in."""
        form = _fields(body)
        here = plain_visit(environ, self._shop["LANGUAGE"])
        if form is None or here is None:
            return None
        if environ.get("HTTP_ORIGIN") not in (None, f"{here.scheme}://{here.host}"):
            return None
        secret, key = here.secret or "", str(self._shop["SECRET_KEY"])
        if not ids.same(form["csrf"], token_for(key, secret)):
            return None
        row = committed_who_what_where(
            self._engine,
            form["code"],
            item_facts.place_code(here, form.get("at")),
            ids.digest(secret),
        )
        if row is None or row.member_id is None or identity.visit_is_stale(row.member_seen_at):
            return None
        label = form.get("label")
        line = Line(
            row.id, int(form["quantity"]), int(form["seen_minor"]),
            labels.read(label, key) if label else None,
        )  # fmt: skip
        currency = str(self._shop["CURRENCY"])
        wishes = Wishes(
            None if "confirmed" in form else confirm_over_minor(self._shop),
            None if "again" in form else self._shop["BUY_AGAIN_S"],
        )
        return here, Buy(row.member_id, row.location_id, currency, (line,), form["key"], "shelf",
                         wishes=wishes)  # fmt: skip


def _is_read(environ: Environ) -> bool:
    """Read the form of a buy, if it can be one of ours."""
    length = environ.get("CONTENT_LENGTH", "")
    if (
        not (length.isascii() and length.isdigit() and len(length) < 4)
        or environ.get("CONTENT_TYPE") != _FORM
        or environ.get("QUERY_STRING")
    ):
        return False
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    return len(body) == int(length)


def _fields(body: bytes) -> dict[str, str] | None:
    """A form of ours, field by field; None where anything in it is not as our pages make it."""
    text = body.decode("latin-1")
    if not _PLAIN.match(text):
        return None
    pairs = [part.partition("=") for part in text.split("&")]
    form = {name: value for name, _, value in pairs}
    fits = (
        len(form) == len(pairs)
        and form.keys() >= _NEEDED
        and form.keys() <= _FIELDS
        and 1 <= len(form["code"]) <= 16
        and 8 <= len(form["key"]) <= 64
        and _whole(form["quantity"], 1, MOST_AT_ONCE)
        and _whole(form["seen_minor"], 0, 10**9)
        and form.get("again", "1") == "1"
        and form.get("confirmed", "1") == "1"
        and len(form.get("label", "")) <= 40
    )
    return form if fits else None


def _whole(text: str, least: int, most: int) -> bool:
    return text.isdigit() and len(text) < 11 and least <= int(text) <= most


def _nothing(environ: Environ, start_response: Any) -> Iterable[bytes]:
    return ()


def _unheard(*answer: object) -> Any:
    raise AssertionError("nothing is answered here")
