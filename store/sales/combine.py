"""Combining: buys that wait at the same moment are run together, in one transaction.

The first waiting request leads: it takes all that wait, runs them, hands each its own outcome, and
passes the lead to the next that waits. Nobody waits for a timer, and a lone buyer waits for
nothing. One flush to disk then serves many buys, and no two of them fight for the writer's place.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from queue import SimpleQueue
from typing import Generic, NoReturn, TypeVar

from ..errors import Unavailable

log = logging.getLogger(__name__)

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")

MOST_TOGETHER = 64
PATIENCE_S = 20.0
BUSY = "The shop is very busy; please look again in a moment"


class _Entry(Generic[Job, Outcome]):
    __slots__ = ("done", "job", "leads", "outcome", "since", "tell")

    def __init__(self, job: Job, tell: Callable[[], None]) -> None:
        """`tell` is called once the outcome or the lead is there."""
        self.job = job
        self.tell = tell
        self.outcome: Outcome | BaseException | None = None
        self.done = False
        self.leads = False
        self.since = time.monotonic()


class Combiner(Generic[Job, Outcome]):
    """`run` gets a list of jobs and answers one outcome for each, in order."""

    def __init__(self, run: Callable[[Sequence[Job]], Sequence[Outcome | BaseException]]) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._waiting: list[_Entry[Job, Outcome]] = []
        self._led = False
        self._leads: SimpleQueue[_Entry[Job, Outcome]] = SimpleQueue()

    def submit(self, job: Job) -> Outcome | BaseException:
        """Hand a job in and wait for its outcome. Raises Unavailable after PATIENCE_S."""
        # Held until the outcome or the lead is there. An Event does the same in five times as many
        # steps, and a batch wakes many.
        wake = threading.Lock()
        wake.acquire()
        entry: _Entry[Job, Outcome] = _Entry(job, wake.release)
        if not self._join(entry) and not wake.acquire(timeout=PATIENCE_S):
            with self._lock:
                if not entry.done and not entry.leads:
                    # Out of patience. If nobody has taken the job yet, nothing of it will happen.
                    if entry in self._waiting:
                        self._waiting.remove(entry)
                    raise Unavailable(BUSY)
        if not entry.done:
            self._lead()
        assert entry.outcome is not None
        return entry.outcome

    def submit_later(self, job: Job, then: Callable[[Outcome | BaseException], None]) -> None:
        """Hand a job in without waiting: `then` is called with its outcome, by whoever leads. There
        must be a thread in `lead_forever`."""

        def told() -> None:
            if not entry.done:
                self._leads.put(entry)
                return
            assert entry.outcome is not None
            try:
                then(entry.outcome)
            except BaseException:
                # Its own trouble: whoever leads goes on and tells the others.
                log.exception("an outcome could not be told")

        entry: _Entry[Job, Outcome] = _Entry(job, told)
        if self._join(entry):
            self._leads.put(entry)

    def give_up(self) -> None:
        """Tell those who have waited for too long, and whose job nobody has taken, that nothing of
        it will happen: Unavailable."""
        with self._lock:
            oldest = time.monotonic() - PATIENCE_S
            late = [one for one in self._waiting if one.since < oldest and not one.leads]
            for entry in late:
                self._waiting.remove(entry)
                entry.outcome, entry.done = Unavailable(BUSY), True
        for entry in late:
            entry.tell()

    def lead_forever(
        self, within: Callable[[], AbstractContextManager[object]] = nullcontext
    ) -> NoReturn:
        """Lead whenever the lead falls to a job whose owner does not wait, each time inside
        `within()`; what fails there is the outcome of the jobs that it was for."""
        while True:
            entry = self._leads.get()
            try:
                self._lead(within)
            except BaseException:
                log.exception("a batch failed; the line goes on")
            entry.tell()

    def _join(self, entry: _Entry[Job, Outcome]) -> bool:
        """Stand in line; answers whether it leads."""
        with self._lock:
            self._waiting.append(entry)
            entry.leads, self._led = not self._led, True
        return entry.leads

    def _lead(self, within: Callable[[], AbstractContextManager[object]] = nullcontext) -> None:
        with self._lock:
            batch = self._waiting[:MOST_TOGETHER]
            del self._waiting[:MOST_TOGETHER]
        outcomes: Sequence[Outcome | BaseException]
        try:
            with within():
                outcomes = self._run([entry.job for entry in batch])
        except BaseException as error:
            outcomes = [error] * len(batch)
            if not isinstance(error, Exception):
                self._hand_out(batch, outcomes)
                raise
        self._hand_out(batch, outcomes)

    def _hand_out(
        self,
        batch: list[_Entry[Job, Outcome]],
        outcomes: Sequence[Outcome | BaseException],
    ) -> None:
        following = None
        with self._lock:
            for entry, outcome in zip(batch, outcomes, strict=True):
                entry.outcome, entry.done = outcome, True
            if self._waiting:
                self._waiting[0].leads = True
                following = self._waiting[0]
            else:
                self._led = False
        if following:
            following.tell()
        for entry in batch:
            if not entry.leads:
                entry.tell()
