"""Viewers: those who look at the live board, and what the lane knows of them for a few seconds:
what they may see, where they stand, and the board that they see."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from .. import identity, ids, stock
from ..errors import NotFound
from ..stock.forms import PLACE_COOKIE
from ..visits import PlainVisit
from .board import EVENTS, Part
from .work import KINDS

__all__ = ["RIGHTS_S", "Environ", "Known", "Place", "Reply", "Sight", "Viewer"]

RIGHTS_S = 3.0
"""Who has signed out, or may not look any more, is told nothing after so long."""
AHEAD_S = 1.5
"""Rights that are read anyway are read for all whose own would soon be too old."""
SEEN_S = 60.0
"""Who was not here for so long has gone."""
PLACES_S = 10.0
MOST_PLACES = 1000

Environ = dict[str, Any]
Codes = tuple[str | None, str | None]


class Reply(Protocol):
    """The way back to who asked: an answer, or what the view says."""

    def __call__(self, status: int, headers: list[tuple[str, str]], body: bytes, /) -> None: ...

    def pass_on(self) -> None: ...


class Place(NamedTuple):
    """Whose board it is."""

    id: int
    code: str
    name: str


class Sight(NamedTuple):
    """Who see the same: the place, in one language, the same kinds of work."""

    location_id: int
    language: str
    kinds: frozenset[str]


class Viewer:
    """One who asks, or waits. `seen` is the mark of the board that they have; `codes` the places
    that their address and their browser name."""

    __slots__ = ("codes", "digest", "done", "environ", "events", "here", "reply", "seen", "since")

    def __init__(self, here: PlainVisit, reply: Reply, at: str | None, seen: str) -> None:
        self.here, self.environ, self.reply = here, here.environ, reply
        self.digest = ids.digest(here.secret or "")
        self.codes: Codes = (at, here.cookie(PLACE_COOKIE))
        self.events = EVENTS in self.environ.get("HTTP_ACCEPT", "")
        self.seen = self.environ.get("HTTP_LAST_EVENT_ID", "") if self.events else seen
        self.since, self.done = time.monotonic(), False


class _Rights(NamedTuple):
    """What somebody may, until when that holds, and when they were last here."""

    what: frozenset[str]
    until: float
    used_at: float


class Known:
    """What is known for a few seconds. `draw` makes the board of a place ready, as the request of
    one viewer sees it."""

    def __init__(self, draw: Callable[[Place, Sight, Environ], Part]) -> None:
        self._draw = draw
        self.parts: dict[Sight, Part] = {}
        self._rights: dict[str, _Rights] = {}
        self._places: dict[Codes, tuple[float, Place | None]] = {}

    def covers(self, these: Sequence[Viewer]) -> bool:
        """Whether all of them can be answered without asking anything."""
        now = time.monotonic()
        for viewer in these:
            rights, place = self._rights.get(viewer.digest), self._places.get(viewer.codes)
            if rights is None or rights.until <= now or place is None or place[0] <= now:
                return False
            sight = self.sight(viewer)
            if sight is not None and sight not in self.parts:
                return False
        return True

    def sight(self, viewer: Viewer) -> Sight | None:
        """What a viewer sees of what is covered; None where they may not look."""
        rights, place = self._rights[viewer.digest], self._places[viewer.codes][1]
        if "desk" not in rights.what or place is None:
            return None
        return Sight(place.id, viewer.here.language, _kinds(rights.what))

    def learn(self, these: Sequence[Viewer]) -> None:
        """Ask what is not known of them, within an application's context."""
        now = time.monotonic()
        self._ask_rights({viewer.digest for viewer in these}, now)
        for viewer in these:
            known = self._places.get(viewer.codes)
            if known is None or known[0] <= now:
                self._places[viewer.codes] = now + PLACES_S, _place(viewer.codes)
            sight, place = self.sight(viewer), self._places[viewer.codes][1]
            if sight is not None and place is not None and sight not in self.parts:
                self.parts[sight] = self._draw(place, sight, viewer.environ)

    def forget(self, now: float) -> None:
        """Boards are made ready again, and who has gone is forgotten."""
        self.parts.clear()
        if len(self._places) > MOST_PLACES:
            self._places.clear()
        gone = [one for one, said in self._rights.items() if said.used_at < now - SEEN_S]
        for one in gone:
            del self._rights[one]

    def _ask_rights(self, digests: set[str], now: float) -> None:
        """In one statement, for those and for all who will come back soon."""
        known = self._rights
        for one in digests & known.keys():
            known[one] = known[one]._replace(used_at=now)
        if all(one in known and known[one].until > now for one in digests):
            return
        stale = digests | {one for one, said in known.items() if said.until < now + AHEAD_S}
        found = identity.rights_by_visit(stale)
        for one in stale:
            used_at = now if one in digests else known[one].used_at
            known[one] = _Rights(found.get(one, frozenset()), now + RIGHTS_S, used_at)


def _place(codes: Codes) -> Place | None:
    """The place that the address names, else where this browser's staff stand, else the first;
    None where there is none."""
    for code in (*codes, stock.MAIN):
        with suppress(NotFound):
            if code:
                found = stock.location(code)
                return Place(found.id, found.code, found.name)
    return None


@lru_cache(maxsize=256)
def _kinds(rights: frozenset[str]) -> frozenset[str]:
    """The kinds of work that these rights are for."""
    return frozenset(kind.name for kind in KINDS.values() if kind.right in rights)
