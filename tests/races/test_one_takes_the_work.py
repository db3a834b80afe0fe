"""Of all who take a piece of work at the same moment one has it. And proof that it is a race."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete

from store import clock
from store.db import connection, insert_new, transaction
from store.floor import work
from store.floor.models import WorkTaken
from tests.races.crowd import at_once, inside
from tests.world import World

MANY = 4


def crowd(world: World, app: Flask) -> list[Callable[[], object]]:
    people = [world.member(role="staff").id for _ in range(MANY)]

    def take(member_id: int) -> Callable[[], object]:
        def taking() -> None:
            with transaction():
                work.take("count", world.location, member_id, None)

        return inside(app, taking)

    return [take(one) for one in people]


def test_one_of_them_has_it(world: World, app: Flask) -> None:
    outcomes = at_once(crowd(world, app))
    assert sorted(type(each).__name__ for each in outcomes) == ["NoneType"] + ["TaskTaken"] * 3


def test_without_the_guard_each_of_them_believes_to_have_it(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""

    def unguarded(kind: str, place: int, member: int, since: object) -> None:
        row = {
            "kind": kind,
            "location_id": place,
            "member_id": member,
            "taken_at": clock.now(),
        }
        connection().execute(delete(WorkTaken).where(WorkTaken.kind == kind))
        connection().execute(insert_new(WorkTaken), [row])

    monkeypatch.setattr(work, "take", unguarded)
    assert at_once(crowd(world, app)) == [None] * MANY
