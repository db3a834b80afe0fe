"""Waiting jobs are run together, whether somebody waits for them or they are answered later."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue

import pytest

from store.errors import Unavailable
from store.sales import combine
from store.sales.combine import Combiner


class Desk:
    """Runs jobs by doubling them; holds every batch until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun: SimpleQueue[None] = SimpleQueue()
        self.go = threading.Semaphore(0)
        self.line: Combiner[int, int] = Combiner(self.run)
        threading.Thread(target=self.line.lead_forever, daemon=True).start()

    def run(self, jobs: Sequence[int]) -> list[int | BaseException]:
        self.begun.put(None)
        self.go.acquire()
        self.batches.append(list(jobs))
        return [ValueError(str(job)) if job < 0 else 2 * job for job in jobs]


def test_who_waits_and_who_does_not_stand_in_one_line() -> None:
    desk, answers = Desk(), SimpleQueue[object]()
    desk.line.submit_later(1, answers.put)
    desk.begun.get(timeout=10)
    for job in (2, 3, -4):
        desk.line.submit_later(job, answers.put)
    waited: list[object] = []
    waits = threading.Thread(target=lambda: waited.append(desk.line.submit(5)))
    waits.start()
    while len(desk.line._waiting) < 4:
        waits.join(0.001)
    desk.go.release(2)
    waits.join(10)
    told = [answers.get(timeout=10) for _ in range(4)]
    assert waited == [10]
    assert desk.batches == [[1], [2, 3, -4, 5]]
    assert sorted(one for one in told if isinstance(one, int)) == [2, 4, 6]
    assert [str(one) for one in told if isinstance(one, ValueError)] == ["-4"]
    # Whoever led last has passed the lead on: the next does not wait for nobody.
    desk.go.release(2)
    assert desk.line.submit(6) == 12
    desk.line.submit_later(7, answers.put)
    assert answers.get(timeout=10) == 14


def test_trouble_of_one_stops_neither_the_others_nor_the_line() -> None:
    desk, answers = Desk(), SimpleQueue[object]()

    def cannot_be_told(outcome: object) -> None:
        raise BaseException("the phone is gone, and its server with it")

    desk.line.submit_later(1, cannot_be_told)
    desk.begun.get(timeout=10)
    desk.line.submit_later(2, cannot_be_told)
    desk.line.submit_later(3, answers.put)
    desk.go.release(2)
    assert answers.get(timeout=10) == 6
    desk.go.release(1)
    desk.line.submit_later(4, answers.put)
    assert answers.get(timeout=10) == 8


def test_where_nothing_can_be_run_everybody_is_told_and_the_next_is_led() -> None:
    line: Combiner[int, int] = Combiner(lambda jobs: [2 * job for job in jobs])
    answers, broken = SimpleQueue[object](), [True]

    @contextmanager
    def within() -> Iterator[None]:
        if broken[0]:
            raise OSError("no room for a session")
        yield

    threading.Thread(target=line.lead_forever, args=(within,), daemon=True).start()
    line.submit_later(1, answers.put)
    assert isinstance(answers.get(timeout=10), OSError)
    broken[0] = False
    line.submit_later(2, answers.put)
    assert answers.get(timeout=10) == 4


def test_who_has_waited_too_long_is_told_so_and_nothing_of_it_happens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, first, second = Desk(), SimpleQueue[object](), SimpleQueue[object]()
    desk.line.submit_later(1, first.put)
    desk.begun.get(timeout=10)
    desk.line.submit_later(2, second.put)
    desk.line.give_up()
    assert second.empty(), "it has not waited long yet"
    monkeypatch.setattr(combine, "PATIENCE_S", -1.0)
    desk.line.give_up()
    assert isinstance(second.get(timeout=10), Unavailable)
    desk.go.release()
    assert first.get(timeout=10) == 2
    assert desk.batches == [[1]]
