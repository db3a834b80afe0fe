"""Pages of the live board: the page itself, and its part that is asked for again and again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from flask import Flask, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine

from .. import clock, identity, stock, web
from ..db import shop_engine
from ..stock.forms import here
from . import work
from .blueprint import blueprint
from .board import EVENTS, Part, Turns, event, part
from .lane import Lane
from .now import Watch
from .viewers import Place, Sight

__all__ = ["lane", "watch"]

MOST_SHOWN = 12
"""So many of the items that are sold out are named."""


class _Board:
    """What this process shows: the counts, the parts that were rendered of them, and the turns of
    those whom the views answer."""

    def __init__(self, currency: str) -> None:
        self.watch = Watch(currency)
        self.turns = Turns(time.monotonic)
        self.parts: dict[Sight, tuple[object, Part]] = {}


_boards: WeakKeyDictionary[Engine, _Board] = WeakKeyDictionary()


def watch() -> Watch:
    """What this process knows of the shop."""
    return _board().watch


def _board() -> _Board:
    engine = shop_engine()
    return _boards.get(engine) or _boards.setdefault(
        engine, _Board(str(current_app.config["CURRENCY"]))
    )


def lane(app: Flask) -> Lane:
    """The lane of those who look, for the server of `make run`."""

    def draw(place: Place, sight: Sight, environ: Mapping[str, Any]) -> Part:
        with app.request_context(dict(environ)):
            return _part(place, sight)

    return Lane(app.config, app.app_context, draw)


@blueprint.get("/desk/live")
@identity.needs("desk")
def live() -> str:
    """The whole page, which goes on by itself; without script it is loaded anew."""
    place = here()
    board = _part(_place(place), _sight(place))
    return render_template(
        "floor/live.html", place=place, places=stock.locations(), part=board.html, mark=board.mark
    )


@blueprint.get("/desk/live/part")
@identity.needs("desk")
def live_part() -> ResponseReturnValue:
    """The board as an event, answered at once, or as it stands for whoever asks without events.
    Most of those who look are answered by the lane instead, and wait there for something new."""
    place = here()
    board = _part(_place(place), _sight(place))
    if EVENTS not in request.headers.get("Accept", ""):
        answer = Response(board.page, mimetype="text/html")
        answer.set_etag(board.mark)
        return answer.make_conditional(request)
    seen = request.headers.get("Last-Event-ID", "")[:80]
    answer = Response(event(board, seen, _board().turns.next_s()), mimetype=EVENTS)
    answer.headers["Cache-Control"] = "no-store"
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
        # Between two answers a viewer holds no connection, of which there are so many.
        answer.headers["Connection"] = "close"
    return answer


def _place(location: stock.Location) -> Place:
    return Place(location.id, location.code, location.name)


def _sight(location: stock.Location) -> Sight:
    member = identity.signed_in()
    kinds = frozenset(
        kind.name for kind in work.KINDS.values() if identity.allows(member, kind.right)
    )
    return Sight(location.id, web.language(), kinds)


def _part(place: Place, sight: Sight) -> Part:
    """The board of a place for the rights of whoever looks; rendered once for all who see the
    same."""
    board = _board()
    found, rare = board.watch.at(place.id)
    today = clock.day_of(clock.now(), web.setting("TIME_ZONE"))
    state = (place, found, rare.sold_out, today)
    known = board.parts.get(sight)
    if known is None or known[0] != state:
        html = render_template(
            "floor/board.html", place=place, found=found, sold_out=rare.sold_out[:MOST_SHOWN],
            waiting=[each for each in work.listed(found, {}) if each.kind.name in sight.kinds],
            most=MOST_SHOWN, today=today.isoformat(),
        )  # fmt: skip
        known = board.parts[sight] = (state, part(html))
    return known[1]
