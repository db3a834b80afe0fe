"""Two workers tell each member once, and a consent that is withdrawn lies before a letter or after
it. And proof that both are races."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from store import clock
from store.campaigns import drawing, turns
from store.campaigns.models import CampaignMember
from store.db import connection, db, transaction
from store.membership import consents
from store.reports import oracle
from tests.campaigns.making import agree, many, started
from tests.races.crowd import PATIENCE_S, at_once, inside
from tests.world import Somebody, World

MEMBERS, WORKERS = 12, 4


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {
        "PRACTICE_POST": True, "BASE_URL": "https://shop.example", "QUIET_HOURS": "",
    }  # fmt: skip


def letters(app: Flask) -> Counter[str]:
    """How many letters of campaigns there are, by what they are about."""
    with app.app_context():
        query = text("SELECT subject, COUNT(*) FROM letters WHERE kind = 'campaign' GROUP BY 1")
        return Counter({row[0]: row[1] for row in connection().execute(query)})


def drawn(world: World, app: Flask) -> tuple[list[Somebody], int]:
    people = many(world, app, MEMBERS)
    with app.app_context():
        made = started(world)
        drawing.draw(made)
    return people, made


def off(rule: str) -> int:
    """How many the audit finds of this."""
    return next(one.count for one in oracle.audit() if one.name == rule)


def workers(app: Flask, campaign_id: int) -> list[object]:
    return at_once([inside(app, lambda: turns.take(campaign_id, 5))] * WORKERS)


def test_of_two_workers_one_tells_each_member(world: World, app: Flask) -> None:
    people, made = drawn(world, app)
    outcomes = workers(app, made)
    assert all(isinstance(one, int) for one in outcomes), outcomes
    workers(app, made)
    assert letters(app) == Counter({f"{made}:{one.id}": 1 for one in people})
    assert world.faults() == []


def test_without_the_guard_members_are_told_twice(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: who looks in one moment and writes in another tells them again."""
    _, made = drawn(world, app)
    with app.app_context():
        seen = connection().execute(turns._waiting(made)).all()
    monkeypatch.setattr(turns, "_next", lambda campaign_id, most: seen)
    monkeypatch.setattr(turns, "_move_on", lambda *of: True)
    workers(app, made)
    assert max(letters(app).values(), default=0) > 1
    with app.app_context():
        assert off("campaign_letters_twice") == MEMBERS


def withdrawing(app: Flask, people: Iterable[Somebody]) -> Callable[[], object]:
    def withdraw() -> None:
        for one in people:
            consents.stop(one.id, "mail", place="link", language="en")

    return inside(app, withdraw)


def handing_over(app: Flask, made: int, people: Iterable[Somebody]) -> Callable[[], object]:
    def hand_over() -> None:
        for one in people:
            turns.hand_over(made, one.id, one.email)

    return inside(app, hand_over)


def told(app: Flask, made: int) -> set[int]:
    with app.app_context():
        query = select(CampaignMember.member_id).where(
            CampaignMember.campaign_id == made, CampaignMember.told_at.is_not(None)
        )
        return set(connection().execute(query).scalars())


def test_a_withdrawn_consent_lies_before_a_letter_or_after_it(world: World, app: Flask) -> None:
    people, made = drawn(world, app)
    with app.app_context():
        turns.take(made)
    outcomes = at_once([handing_over(app, made, people), withdrawing(app, people)])
    assert outcomes == [None, None]
    with app.app_context():
        assert consents.has_given([one.id for one in people], "mail") == set()
        assert off("told_without_consent") == 0
    assert world.faults() == []


def test_without_the_lock_somebody_is_told_who_has_withdrawn(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: consent is looked at, and the letter leaves a moment later."""
    people, made = drawn(world, app)
    with app.app_context():
        turns.take(made)

    looked, withdrawn = threading.Event(), threading.Event()

    def careless(campaign_id: int, member_id: int, to: str) -> None:
        agreed = consents.has_given([member_id], "mail")
        db.session.rollback()
        looked.set()
        assert withdrawn.wait(PATIENCE_S)
        if agreed:
            with transaction() as session:
                row = session.get_one(CampaignMember, (campaign_id, member_id))
                row.state, row.told_at = "told", clock.now()

    def withdraw() -> None:
        assert looked.wait(PATIENCE_S)
        consents.stop(people[0].id, "mail", place="link", language="en")
        withdrawn.set()

    monkeypatch.setattr(turns, "hand_over", careless)
    outcomes = at_once([handing_over(app, made, people[:1]), inside(app, withdraw)])
    assert outcomes == [None, None]
    with app.app_context():
        assert off("told_without_consent") == 1


def test_of_the_same_yes_twice_at_once_one_is_kept(world: World, app: Flask) -> None:
    people = [world.member() for _ in range(3)]

    def say() -> None:
        agree(people, proven=False)

    assert at_once([inside(app, say)] * WORKERS) == [None] * WORKERS
    with app.app_context():
        assert [len(consents.history(one.id)) for one in people] == [1, 1, 1]
        assert off("consents_said_twice") == 0


def test_without_the_lock_the_same_yes_is_kept_twice(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: each looks before any of them writes."""
    lin = world.member()
    standing = consents.standing

    def slow(member_id: int) -> dict[str, consents.Word]:
        found = standing(member_id)
        db.session.rollback()
        time.sleep(0.05)
        return found

    def careless() -> None:
        before = slow(lin.id)
        with transaction():
            if "mail" not in before:
                row = consents._row(lin.id, "mail", "given", "account", "en", "Words", 1)
                consents._add([row])

    at_once([inside(app, careless)] * WORKERS)
    with app.app_context():
        assert off("consents_said_twice") > 0
