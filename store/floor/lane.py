"""The board's lane: those who look at the live board, without the way through the framework and
without a thread for each of them.

A viewer who has seen the newest board waits here until there is a newer one: only the way back to
them is kept. One thread looks once a second, for all of them at once: whether each may still see it
(one statement), and what is new (the counts that the process reads anyway). A new board is made
ready once for all who see the same. Who was answered comes back in turn (`Turns`), so that a
process tells no more than so many a second, and always the newest; nothing is queued for who reads
slowly. Beyond so many who wait, and for polling, the same bytes are answered at once.

Whatever is the least bit unusual, and whoever may not look, goes on to the view, which says so;
tests/floor/test_lane.py holds the lane's answers to the view's.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from queue import Empty, SimpleQueue
from typing import Any, NoReturn

from sqlalchemy.exc import DBAPIError, TimeoutError

from .. import web
from ..visits import plain_visit
from .board import EVENTS, Part, Turns, event
from .viewers import Environ, Known, Place, Reply, Sight, Viewer

__all__ = ["Lane"]

log = logging.getLogger(__name__)

PATH = "/desk/live/part"
LOOK_S = 1.0
WAITS_S = 20.0
"""Nobody waits longer: whoever is gone is forgotten then, and no proxy has lost its patience."""
MOST_WAITING = 400
"""Each holds a connection, of which shoppers need some, too (`workers.CONNECTIONS`)."""
MOST_OF_ONE = 2
"""A browser has six connections to a shop, for all its tabs."""
MOST_UNREAD = 1000
SLOTS_A_SECOND = 40
TOGETHER_S = 0.5

_PLACE = re.compile(r"(?:at=([0-9A-Za-z_.-]{1,32}))?\Z")
_MARK = re.compile(r'(?:"([0-9a-f]{24})")?\Z')


class Lane:
    """The lane of one process. `within` opens an application's context; `draw` makes the board of a
    place ready, as the request of one viewer sees it."""

    def __init__(
        self,
        shop: Mapping[str, Any],
        within: Callable[[], AbstractContextManager[object]],
        draw: Callable[[Place, Sight, Environ], Part],
    ) -> None:
        self._shop, self._within = shop, within
        self._asked: SimpleQueue[Viewer | None] = SimpleQueue()
        self._waiting: list[Viewer] = []
        self._of_one: Counter[str] = Counter()
        self._look_at, self._open = 0.0, True
        self._known = Known(draw)
        self._turns = Turns(time.monotonic, SLOTS_A_SECOND, TOGETHER_S)
        self._views = ThreadPoolExecutor(2, "board-views")

    def open(self) -> None:
        """Start the lane's thread, in the process that serves."""
        threading.Thread(target=self._look_forever, name="board", daemon=True).start()

    def close(self) -> None:
        """Answer all who wait, and let nobody wait any more: the process ends."""
        self._open = False
        self._asked.put(None)

    def later(self, environ: Environ, reply: Reply) -> bool:
        """Whether this request is for the lane, which then answers it from its own thread, or
        passes it on to the view."""
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "GET":
            return False
        at = _PLACE.match(environ.get("QUERY_STRING", ""))
        mark = _MARK.match(environ.get("HTTP_IF_NONE_MATCH", ""))
        here = plain_visit(environ, str(self._shop["LANGUAGE"]))
        if not at or not mark or here is None or self._asked.qsize() > MOST_UNREAD:
            return False
        self._asked.put(Viewer(here, reply, at[1], mark[1] or ""))
        return True

    def _look_forever(self) -> NoReturn:
        while True:
            these = self._take()
            try:
                if not self._known.covers(these):
                    with self._within():
                        self._known.learn(these)
                self._serve(these)
            except BaseException as error:
                if not isinstance(error, DBAPIError | TimeoutError):
                    # All viewers wait behind this thread: whatever it is, the lane goes on.
                    log.exception("the board's lane could not answer")
                self._leave(these)

    def _take(self) -> list[Viewer]:
        """Those whose turn it is: who has just come, and once a second all who wait."""
        found: list[Viewer | None] = []
        wait_s = max(0.0, self._look_at - time.monotonic()) if self._waiting else None
        with suppress(Empty):
            found.append(self._asked.get(timeout=wait_s))
            while len(found) < MOST_WAITING:
                found.append(self._asked.get_nowait())
        these = [one for one in found if one is not None]
        now = time.monotonic()
        if now >= self._look_at or not self._open:
            these = self._waiting + these
            self._waiting, self._of_one = [], Counter()
            self._look_at = now + LOOK_S
            self._known.forget(now)
        return these

    def _leave(self, these: Sequence[Viewer]) -> None:
        """The database is away, or something is wrong: the view says what, to each who is not
        answered yet. Nobody is told anything whose rights could not be read."""
        for viewer in these:
            if not viewer.done and viewer not in self._waiting:
                self._pass_on(viewer)

    def _serve(self, these: Sequence[Viewer]) -> None:
        now = time.monotonic()
        for viewer in these:
            sight = self._known.sight(viewer)
            if sight is None:
                self._pass_on(viewer)
            elif not self._tell(viewer, self._known.parts[sight], now):
                self._waiting.append(viewer)
                self._of_one[viewer.digest] += 1

    def _tell(self, viewer: Viewer, board: Part, now: float) -> bool:
        """Answer, unless there is nothing new and the viewer may wait for it."""
        if not viewer.events:
            self._answer(viewer, *_page(board, viewer.seen))
            return True
        has_place = (
            self._open
            and len(self._waiting) < MOST_WAITING
            and self._of_one[viewer.digest] < MOST_OF_ONE
        )
        if viewer.seen == board.mark and has_place and now - viewer.since < WAITS_S:
            return False
        headers = [("Content-Type", f"{EVENTS}; charset=utf-8"), ("Cache-Control", "no-store")]
        if not has_place and viewer.environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
            # Its connection is somebody's who shops; the others come back on theirs, since to make
            # one takes longer than the answer.
            headers.append(("Connection", "close"))
        self._answer(viewer, 200, headers, event(board, viewer.seen, self._turns.next_s()))
        return True

    def _answer(
        self, viewer: Viewer, status: int, headers: list[tuple[str, str]], body: bytes
    ) -> None:
        if status == 200:
            headers.append(("Content-Length", str(len(body))))
        kept = any(name == "Cache-Control" for name, _ in headers)
        headers += web.plain_headers(viewer.here, str(self._shop["BASE_URL"]), kept=kept)
        viewer.done = True
        viewer.reply(status, headers, body)

    def _pass_on(self, viewer: Viewer) -> None:
        viewer.done = True
        self._views.submit(viewer.reply.pass_on)


def _page(board: Part, seen: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """The board for who polls: all of it, or that it is the one that they have."""
    tag = ("ETag", f'"{board.mark}"')
    if seen == board.mark:
        return 304, [tag], b""
    return 200, [("Content-Type", "text/html; charset=utf-8"), tag], board.page
