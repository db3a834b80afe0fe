"""Combining: buys that wait at the same moment are run together, in one transaction.

The first waiting request leads: it takes all that wait, runs them, hands each its own outcome, and
passes the lead to the next that waits. Nobody waits for a timer, and a lone buyer waits for
nothing. One flush to disk then serves many buys, and no two of them fight for the writer's place.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Generic, TypeVar

from ..errors import Unavailable

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")

MOST_TOGETHER = 64
PATIENCE_S = 20.0


class _Entry(Generic[Job, Outcome]):
    __slots__ = ("done", "job", "leads", "outcome", "wake")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.outcome: Outcome | BaseException | None = None
        self.done = False
        self.leads = False
        # Held until the outcome or the lead is there. An Event does the same in five times as many
        # steps, and a batch wakes many.
        self.wake = threading.Lock()
        self.wake.acquire()


class Combiner(Generic[Job, Outcome]):
    """`run` gets a list of jobs and answers one outcome for each, in order."""

    def __init__(self, run: Callable[[Sequence[Job]], Sequence[Outcome | BaseException]]) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._waiting: list[_Entry[Job, Outcome]] = []
        self._led = False

    def submit(
        self, job: Job, within: Callable[[], AbstractContextManager[object]] = nullcontext
    ) -> Outcome | BaseException:
        """Hand a job in and wait for its outcome. Who leads does so inside `within()`.
        Raises Unavailable after PATIENCE_S."""
        entry: _Entry[Job, Outcome] = _Entry(job)
        with self._lock:
            self._waiting.append(entry)
            entry.leads, self._led = not self._led, True
        if not entry.leads and not entry.wake.acquire(timeout=PATIENCE_S):
            with self._lock:
                if not entry.done and not entry.leads:
                    # Out of patience. If nobody has taken the job yet, nothing of it will happen.
                    if entry in self._waiting:
                        self._waiting.remove(entry)
                    raise Unavailable("The shop is very busy; please look again in a moment")
        if not entry.done:
            with within():
                self._lead()
        assert entry.outcome is not None
        return entry.outcome

    def _lead(self) -> None:
        with self._lock:
            batch = self._waiting[:MOST_TOGETHER]
            del self._waiting[:MOST_TOGETHER]
        outcomes: Sequence[Outcome | BaseException]
        try:
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
        with self._lock:
            for entry, outcome in zip(batch, outcomes, strict=True):
                entry.outcome, entry.done = outcome, True
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].wake.release()
            else:
                self._led = False
        for entry in batch:
            if not entry.leads:
                entry.wake.release()
