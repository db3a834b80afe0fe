"""Pages of the live board: the page itself, and its part that is asked for again and again."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from flask import Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from .. import identity, stock, web
from ..stock.forms import here
from . import work
from .blueprint import blueprint
from .board import Turns, event
from .now import Watch

__all__ = ["watch"]

MOST_SHOWN = 12
"""So many of the items that are sold out are named."""
EVENTS = "text/event-stream"


class _Board:
    """What this process shows: the counts, the parts that were rendered of them, and the turns."""

    def __init__(self, currency: str) -> None:
        self.watch = Watch(currency)
        self.turns = Turns(time.monotonic)
        self.parts: dict[tuple[Any, ...], tuple[object, str, str]] = {}


def watch() -> Watch:
    """What this process knows of the shop."""
    return _board().watch


def _board() -> _Board:
    made: _Board = current_app.extensions.setdefault(
        "floor", _Board(current_app.config["CURRENCY"])
    )
    return made


@blueprint.get("/desk/live")
@identity.needs("desk")
def live() -> str:
    """The whole page, which goes on by itself; without script it is loaded anew."""
    place = here()
    html, mark = _part(place)
    return render_template(
        "floor/live.html", place=place, places=stock.locations(), part=html, mark=mark
    )


@blueprint.get("/desk/live/part")
@identity.needs("desk")
def live_part() -> ResponseReturnValue:
    """The board as an event, answered at once, or as it stands for whoever asks without events."""
    place = here()
    html, mark = _part(place)
    if EVENTS not in request.headers.get("Accept", ""):
        answer = Response(html, mimetype="text/html")
        answer.set_etag(mark)
        return answer.make_conditional(request)
    seen = request.headers.get("Last-Event-ID", "")[:80]
    answer = Response(event(html, mark, seen, _board().turns.next_s()), mimetype=EVENTS)
    answer.headers["Cache-Control"] = "no-store"
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
        # Between two answers a viewer holds no connection, of which there are so many.
        answer.headers["Connection"] = "close"
    return answer


def _part(place: stock.Location) -> tuple[str, str]:
    """The board of a place for the rights of whoever looks, and its mark; rendered once for all
    who see the same."""
    board, member = _board(), identity.signed_in()
    found, rare = board.watch.at(place.id)
    rights = frozenset(
        kind.name for kind in work.KINDS.values() if identity.allows(member, kind.right)
    )
    sight = (place.id, web.language(), rights)
    state = (place.name, found, rare.sold_out)
    known = board.parts.get(sight)
    if known is None or known[0] != state:
        html = render_template(
            "floor/board.html", place=place, found=found, sold_out=rare.sold_out[:MOST_SHOWN],
            waiting=[each for each in work.listed(found, {}) if each.kind.name in rights],
            most=MOST_SHOWN,
        )  # fmt: skip
        mark = hashlib.sha256(html.encode()).hexdigest()[:24]
        known = board.parts[sight] = (state, html, mark)
    return known[1], known[2]
