"""Scans: how often a label's page was opened, by how many phones, and put into a basket from it.

The item page pays no statement for it. A process counts in memory and writes every few seconds,
all labels in one transaction, adding to the rows of the day and of the month; what it counted since
then is lost where it is killed, and written where it ends. Only labels that there are get a row.
Who scanned is nowhere: a phone is remembered for half an hour, as a digest, in memory.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import date
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary, ref

from sqlalchemy import BigInteger, Engine, String, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, TimeoutError

from .. import clock, sweeping, web
from ..db import shop_engine, transaction
from .models import Label, LabelScan

__all__ = ["FLUSH_S", "KEPT_DAYS", "Scans", "add", "by_person", "scans_of", "sweep"]

log = logging.getLogger(__name__)

FLUSH_S = 5.0
"""A process that is killed loses so much at most."""
SAME_PHONE_S = 1800.0
MOST_PHONES = 50_000
AT_ONCE = 500
KEPT_DAYS = 400
"""Rows of days are kept so long, those of months for good."""
_EPOCH = date(1970, 1, 1)
_MEASURES = ("scans", "looks", "baskets")
_MACHINES = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|facebookexternalhit|embedly|headless|monitor|curl/|"
    r"wget/|python-|go-http",
    re.IGNORECASE,
)

Within = Callable[[], AbstractContextManager[object]]


def by_person(environ: Mapping[str, Any]) -> bool:
    """Whether somebody opens a page, and no machine looks at it beforehand or instead."""
    fetched = environ.get("HTTP_SEC_PURPOSE") or environ.get("HTTP_PURPOSE") or ""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and "prefetch" not in fetched
        and "preview" not in fetched
        and not _is_machine(environ.get("HTTP_USER_AGENT", "")[:400])
    )


@lru_cache(maxsize=2048)
def _is_machine(agent: str) -> bool:
    """Few phones say something new: looking it up takes a tenth of reading it."""
    return _MACHINES.search(agent) is not None


def scans_of(engine: Engine, within: Within) -> Scans:
    """What this process counts for a shop. `within` opens an application context of it."""
    found = _of_shops.get(engine)
    return found or _of_shops.setdefault(engine, Scans(engine, within))


class Scans:
    """Counts of one process, by label and day, that no table has yet."""

    def __init__(self, engine: Engine, within: Within) -> None:
        self._engine, self._within = ref(engine), within
        self._lock, self._one_writes = threading.Lock(), threading.Lock()
        self._counts: dict[tuple[str, int], list[int]] = {}
        self._phones: dict[tuple[str, str], float] = {}
        self._writes = False

    def opened(self, label_id: str, phone: str | None, today: date) -> None:
        """The page of a label was opened. `phone` is the digest of the visit, if there is one."""
        now = time.monotonic()
        with self._lock:
            counts = self._of(label_id, today)
            counts[0] += 1
            key = (label_id, phone or "")
            if phone is None or now - self._phones.get(key, -SAME_PHONE_S) >= SAME_PHONE_S:
                counts[1] += 1
                if len(self._phones) >= MOST_PHONES:
                    self._forget(now)
                self._phones[key] = now
        self._see_to_it()

    def put_in_basket(self, label_id: str, today: date) -> None:
        with self._lock:
            self._of(label_id, today)[2] += 1
        self._see_to_it()

    def flush(self) -> int:
        """Opener, inside the shop's context: write what was counted; answers how many rows of
        days. What could not be written is counted on."""
        with self._one_writes:
            with self._lock:
                counts, self._counts = self._counts, {}
            todo, done = sorted(counts.items()), 0
            try:
                if shop_engine() is self._engine():
                    while done < len(todo):
                        add(todo[done : done + AT_ONCE])
                        done += AT_ONCE
            except (DBAPIError, TimeoutError) as error:
                # A line, and no trace: it comes every few seconds while the database is away.
                log.warning("scans of labels wait for the database: %s", type(error).__name__)
                self._count_again(todo[done:])
        return min(done, len(todo))

    def _of(self, label_id: str, today: date) -> list[int]:
        return self._counts.setdefault((label_id, (today - _EPOCH).days), [0, 0, 0])

    def _count_again(self, rest: list[tuple[tuple[str, int], list[int]]]) -> None:
        with self._lock:
            for key, counts in rest:
                again = self._counts.setdefault(key, [0, 0, 0])
                again[:] = [one + other for one, other in zip(again, counts, strict=True)]

    def _forget(self, now: float) -> None:
        recent = {key: at for key, at in self._phones.items() if now - at < SAME_PHONE_S}
        self._phones = recent if len(recent) < MOST_PHONES else {}

    def _see_to_it(self) -> None:
        """A thread writes while there is anything to write. It is begun by the first count, so a
        process that forks has none to lose."""
        if self._writes:
            return
        with self._lock:
            begun, self._writes = self._writes, True
        if not begun:
            threading.Thread(target=_write_on, args=(ref(self),), name="scans", daemon=True).start()

    def _turn(self) -> bool:
        """Write once; whether there is more to come."""
        with self._within():
            self.flush()
        with self._lock:
            self._writes = bool(self._counts)
            return self._writes


def _write_on(scans: ref[Scans]) -> None:
    while True:
        time.sleep(FLUSH_S)
        mine = scans()
        try:
            if mine is None or not mine._turn():
                return
        except Exception:
            log.exception("scans of labels wait")
        del mine


_of_shops: WeakKeyDictionary[Engine, Scans] = WeakKeyDictionary()


def add(some: list[tuple[tuple[str, int], list[int]]]) -> None:
    """Opener: add counts of (label, day): scans, phones, puts into a basket; sorted, so that of two
    processes none waits for the other crosswise."""
    rows = [
        {"of_months": months, "of_day": day if months == 0 else _month(day), "of_label": label_id,
         **dict(zip(_MEASURES, counts, strict=True))}
        for months in (0, 1) for (label_id, day), counts in some
    ]  # fmt: skip
    with transaction() as session:
        connection = session.connection()
        connection.execute(_adding(connection.dialect.name), rows)


def _adding(dialect: str) -> Any:
    table: Any = LabelScan.__table__
    counts = [bindparam(name, type_=BigInteger) for name in _MEASURES]
    there = select(
        bindparam("of_months", type_=BigInteger), bindparam("of_day", type_=BigInteger), Label.id,
        *counts,
    ).where(Label.id == bindparam("of_label", type_=String))  # fmt: skip
    into: Any = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    return into.from_select(["months", "day", "label_id", *_MEASURES], there).on_conflict_do_update(
        index_elements=["months", "day", "label_id"],
        set_={name: table.c[name] + into.excluded[name] for name in _MEASURES},
    )


def _month(day: int) -> int:
    on = date.fromordinal(_EPOCH.toordinal() + day)
    return (on.replace(day=1) - _EPOCH).days


def sweep() -> int:
    """Opener: rows of days of long ago go; answers how many."""
    today = clock.day_of(clock.now(), web.setting("TIME_ZONE"))
    old = (today - _EPOCH).days - KEPT_DAYS
    return sweeping.remove(LabelScan, (LabelScan.months == 0) & (LabelScan.day < old))
