"""Two workers, the same morning: everybody gets one mail about a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update

from store.db import db, transaction
from store.identity.models import Identifier
from store.post.models import Letter
from store.reports.daily import daily
from store.reports.daily.daily_models import DailyMail
from tests.conftest import Clock
from tests.races.crowd import at_once, inside
from tests.world import World

NOW = datetime(2026, 11, 3, 6, 20, tzinfo=UTC)
PEOPLE = 3


@pytest.fixture
def settings(settings: dict[str, object]) -> dict[str, object]:
    return settings | {"PRACTICE_POST": True}


def wanting(world: World) -> None:
    """So many owners who want the mail and have none yet."""
    owners = [world.owner() for _ in range(PEOPLE)]
    with world.app.app_context(), transaction() as session:
        for one in owners:
            session.execute(insert(DailyMail), [{"member_id": one.id, "since": NOW, "last_day": 0}])
            mine = Identifier.member_id == one.id
            session.execute(update(Identifier).where(mine).values(proven_at=NOW))


def put(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Letter)) or 0


def test_without_the_guard_there_are_more(
    world: World, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: who was due is not asked again."""
    clock.set(NOW)
    wanting(world)

    def unguarded(member_id: int, day: int) -> bool:
        with transaction() as session:
            to = daily.to_of(member_id)
            assert to is not None
            daily._put(daily.Subject(member_id, day), to)
            session.get_one(DailyMail, member_id).last_day = day
        return True

    monkeypatch.setattr(daily, "_put_one", unguarded)
    assert at_once([inside(app, lambda: daily.put_due(app.config))] * 4) != [PEOPLE, 0, 0, 0]
    assert put(app) > PEOPLE


def test_each_gets_one(world: World, app: Flask, clock: Clock) -> None:
    clock.set(NOW)
    wanting(world)
    at_once([inside(app, lambda: daily.put_due(app.config))] * 6)
    assert put(app) == PEOPLE
    # The next morning there is another.
    clock.set(NOW + timedelta(days=1))
    at_once([inside(app, lambda: daily.put_due(app.config))] * 6)
    assert put(app) == 2 * PEOPLE
