"""Sightings: bad stickers that shoppers scan are written down without slowing anybody.

A bad sticker is written at once when it is first seen, and then once a minute, with how often it
was seen meanwhile. Somebody who opens thousands of made-up addresses makes this process write
twice a second at most; what is over that is counted, and written with the next sight of the same.
"""

from __future__ import annotations

import logging
import time
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from ..db import repeatable, shop_engine, transaction
from .bad_stickers import Sighting, report

__all__ = ["Sightings", "saw"]

log = logging.getLogger(__name__)

AGAIN_S = 60.0
A_SECOND = 2.0
AT_ONCE = 10.0
MOST = 2_000
"""So many stickers are remembered; then all are forgotten, and the next sight of each is new."""


def saw(seen: Sighting) -> None:
    """Opener, sometimes: a visitor of this shop scanned this one."""
    _of_shops.setdefault(shop_engine(), Sightings()).saw(seen)


class Sightings:
    """What this process has seen and when it wrote it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: dict[tuple[str, str, int], tuple[float, int]] = {}
        self._left, self._at = AT_ONCE, time.monotonic()

    def saw(self, seen: Sighting) -> None:
        """The same. A database that does not answer is no
        reason to keep the page from them."""
        times = self._due((seen.kind, seen.sign, seen.location_id), time.monotonic())
        if times:
            try:
                _write(seen, times)
            except DBAPIError:
                log.exception("a bad sticker could not be written down")

    def _due(self, key: tuple[str, str, int], now: float) -> int:
        """How many sights of it are to be written now; 0 where it has time."""
        with self._lock:
            self._left = min(AT_ONCE, self._left + (now - self._at) * A_SECOND)
            self._at = now
            if len(self._seen) >= MOST:
                self._seen.clear()
            written, times = self._seen.get(key, (-AGAIN_S, 0))
            if now - written < AGAIN_S or self._left < 1:
                self._seen[key] = (written, times + 1)
                return 0
            self._left -= 1
            self._seen[key] = (now, 0)
            return times + 1


_of_shops: WeakKeyDictionary[Engine, Sightings] = WeakKeyDictionary()


@repeatable
def _write(seen: Sighting, times: int) -> None:
    with transaction():
        report(seen, times)
