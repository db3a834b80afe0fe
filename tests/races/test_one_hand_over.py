"""The labels of a job go to one printer, however many desks ask for them at once."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
from flask import Flask

from store import clock
from store.db import transaction
from store.labels import job_views
from store.labels.models import PrintJob
from tests.races.crowd import at_once
from tests.world import World

DESKS = 6


def hand_over_at_once(world: World) -> list[int]:
    """Six desks ask for the file of one job in the same moment; the statuses that they see."""
    milk = world.item("oat-milk")
    desks = [world.client_for(world.staff()) for _ in range(DESKS)]
    form: dict[str, Any] = {"item": [milk.id], "sheet": "L7160", "copies": "2", "skip": "0"}
    job = desks[0].post("/desk/labels/jobs", form | {"key": "key-of-this-page"}).location
    asked = {"format": "pdf", "first": "1"}
    answers = at_once([partial(desk.post, f"{job}/files", asked) for desk in desks])
    return sorted(getattr(answer, "status_code", 0) for answer in answers)


def test_one_desk_gets_them(world: World) -> None:
    assert hand_over_at_once(world) == [200] + [409] * (DESKS - 1)


def test_without_the_guard_they_are_printed_again(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has looked whether they were handed over, and then writes that they are."""
    looked = threading.Barrier(DESKS)

    def careless(job_id: int, first: int, member_id: int) -> None:
        looked.wait(20)
        with transaction() as session:
            job = session.get_one(PrintJob, job_id)
            job.handed, job.handed_at, job.handed_by = job.count, clock.now(), member_id

    monkeypatch.setattr(job_views, "_hand_over", careless)
    assert hand_over_at_once(world).count(200) > 1
