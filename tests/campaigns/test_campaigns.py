"""Campaigns: told are those who agreed, once, at decent hours, and what it brought is measured
against those who were told nothing."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from store import campaigns, outbox, privacy
from store.campaigns import drawing, hours, plans, results, states, turns
from store.campaigns.states import EVENTS, STATES, TRANSITIONS, CampaignMoved
from store.db import connection, db
from store.errors import NotFound
from store.membership import consents
from store.post.carriers import practice_folder
from store.post.models import Letter
from tests.campaigns.making import (
    BUYERS,
    agree,
    at,
    campaign,
    letters_of,
    many,
    post,
    rounds,
    rows,
    segment,
    started,
    step,
)
from tests.conftest import Clock
from tests.world import World


@pytest.fixture(autouse=True)
def _noon(clock: Clock) -> None:
    clock.set(at(12))


def states_of(campaign_id: int) -> list[tuple[str, str]]:
    return [(row.state, row.why) for _, row in sorted(rows(campaign_id).items())]


def test_the_table_of_states_cell_by_cell(world: World, app: Flask) -> None:
    """Every state meets every event; what the table does not name is refused, changing nothing."""
    with app.app_context():
        made = {state: campaign(world) for state in STATES}
        ways = {"draft": (), "running": ("start",), "paused": ("start", "pause"),
                "ended": ("start", "end"), "dropped": ("drop",)}  # fmt: skip
        for state in STATES:
            for event in EVENTS:
                one = campaign(world, of=plans.known(made[state]).segment_id)
                for before in ways[state]:
                    step(one, before)
                if (state, event) in TRANSITIONS:
                    step(one, event)
                    assert plans.known(one).state == TRANSITIONS[state, event]
                else:
                    with pytest.raises(CampaignMoved):
                        step(one, event)
                    assert plans.known(one).state == state
        with pytest.raises(NotFound):
            step(999_999, "start")
        assert states.steps_of("running") == ["pause", "end"]


def test_only_who_agreed_and_can_be_reached_is_told_once_with_the_reason(
    world: World, app: Flask
) -> None:
    milk = world.item(on_hand=99)
    lin, mei, bo, kim, ann = (world.member(funds="900") for _ in range(5))
    for who in (lin, mei, bo, kim):
        world.buy(who, milk)
    with app.app_context():
        outbox.work()
        agree([lin, bo, ann], "mail")  # Ann bought nothing, Mei agreed to nothing.
        agree([kim], "mail", proven=False)
        made = started(world, of=segment(world, **BUYERS), coupon=None)
        found = drawing.find(plans.known(made).segment_id, "mail")
        assert found[:4] == (4, 3, 2, 2) and found.members == [lin.id, bo.id]
        campaigns.work()
        consents.stop(bo.id, "mail", place="link", language="en")  # His letter is in the post.
        assert rounds() == 1
        assert {one: (row.state, row.why) for one, row in rows(made).items()} == {
            lin.id: ("told", ""), bo.id: ("skipped", "withdrawn"),
        }  # fmt: skip
        assert plans.known(made).state == "ended"
        (letter,) = letters_of(app)
        assert letter.to == lin.email and letter.subject == "Pears are here"
        assert "The first pears of the year." in letter.text
        assert "because this is true of you: bought at least once" in letter.text
        assert "agreed to offers by e-mail on 15 March 2027" in letter.text
        (file,) = practice_folder(app.config).glob("*.eml")
        assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in file.read_bytes()
        link = letter.text.partition("https://shop.example/stop/")[2].split()[0]
        assert rounds() == 0, "nobody is told again"
        assert world.faults() == []
        told = "".join(privacy.export(lin.id))
        assert "The first pears of the year." in told
    assert app.test_client().post(f"/stop/{link}").status_code == 200
    with app.app_context():
        assert consents.has_given([lin.id], "mail") == set()


def test_pause_and_end_hold_what_is_in_the_post(world: World, app: Flask, clock: Clock) -> None:
    many(world, app, 3)
    with app.app_context():
        made = started(world, days=7)
        campaigns.work()
        step(made, "pause")
        assert rounds() == 0 and [one for one, _ in states_of(made)] == ["queued"] * 3
        clock.tick(minutes=5)
        step(made, "resume")
        assert post() == 3
        campaigns.work()
        assert plans.known(made).state == "ended" and states_of(made) == [("told", "")] * 3
        again = started(world, of=plans.known(made).segment_id)
        campaigns.work()
        step(again, "end")
        assert rounds() == 0 and states_of(again) == [("skipped", "ended")] * 3
        assert world.faults() == []


def test_letters_wait_in_quiet_hours_and_for_the_time(
    world: World, app: Flask, clock: Clock
) -> None:
    many(world, app, 2)
    with app.app_context():
        clock.set(at(20, 59))
        made = started(
            world,
            due_at=at(20, 59),
        )
        campaigns.work()
        clock.set(at(21))
        assert post() == 0, "what is in the post waits, too"
        clock.set(at(12))
        later = started(world, of=plans.known(made).segment_id, due_at=at(23))
        campaigns.work()
        assert rows(later) == {}, "nobody is drawn before its time"
        clock.set(at(23, 30))
        assert rounds() == 0
        assert states_of(later) == [("drawn", "")] * 2
        clock.tick(hours=9)  # 8:30 of the next day.
        assert rounds() == 0
        clock.tick(minutes=31)
        assert rounds() == 4
        for zone, moment, quiet in (
            ("21:00-09:00", at(8, 59), True), ("21:00-09:00", at(9), False),
            ("12:00-14:00", at(13), True), ("12:00-14:00", at(14), False), ("", at(3), False),
        ):  # fmt: skip
            app.config["QUIET_HOURS"] = zone
            assert (hours.quiet_until(moment) is not None) == quiet, (zone, moment)
        assert world.faults() == []


def test_nobody_gets_more_letters_than_the_cap_says(world: World, app: Flask, clock: Clock) -> None:
    many(world, app, 2)
    with app.app_context():
        first = started(world)
        of = plans.known(first).segment_id
        second = started(world, of=of)
        third = started(world, of=of)  # Drawn before the others were sent: seen at the turn.
        drawing.draw(third)
        assert rounds() == 4
        assert states_of(third) == [("skipped", "cap")] * 2
        assert states_of(second) == [("told", "")] * 2
        assert drawing.find(of, "mail").free == 0
        clock.tick(days=8)
        assert drawing.find(of, "mail").free == 2
        app.config["CAMPAIGN_LETTERS"] = 0
        for _ in range(3):
            started(world, of=of)
        assert rounds() == 6


def test_a_killed_worker_is_gone_on_with_and_the_post_is_not_flooded(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(world, app, 7)
    with app.app_context():
        monkeypatch.setattr(turns, "MOST_WAITING", 3)
        made = started(world)
        drawing.draw(made)
        moved = turns._move_on

        def dies(plan: object, member_id: int, state: str, why: str) -> bool:
            if member_id == sorted(rows_before)[1]:
                raise KeyboardInterrupt
            return moved(plan, member_id, state, why)  # type: ignore[arg-type]

        rows_before = rows(made)
        db.session.rollback()
        monkeypatch.setattr(turns, "_move_on", dies)
        with pytest.raises(KeyboardInterrupt):
            turns.take(made)
        assert connection().execute(text("SELECT COUNT(*) FROM letters")).scalar() == 0
        db.session.rollback()
        monkeypatch.setattr(turns, "_move_on", moved)
        campaigns.work()
        assert [one for one, _ in states_of(made)].count("queued") == 3
        assert rounds(4) == 7
        assert len(letters_of(app)) == 7 and states_of(made) == [("told", "")] * 7
        assert world.faults() == []


def test_what_bounces_is_known_and_still_counts(world: World, app: Flask) -> None:
    people = many(world, app, 2)
    with app.app_context():
        made = started(world)
        campaigns.work()
        db.session.query(Letter).filter(Letter.to == people[0].email).update({"state": "dead"})
        db.session.commit()
        rounds()
        assert states_of(made) == [("bounced", ""), ("told", "")]
        assert results.result(plans.known(made), world.currency).told.many == 2


def test_the_result_counts_all_as_drawn_less_what_came_back(
    world: World, app: Flask, clock: Clock
) -> None:
    milk, staff = world.item(on_hand=999, price="10.00"), world.staff()
    people = many(world, app, 12)
    early = world.member(funds="500")
    world.buy(early, milk)
    with app.app_context():
        made = started(world, held_percent=50, days=7)
        rounds()
        drawn = rows(made)
        held = [one for one in people if drawn[one.id].held]
        told = [one for one in people if not drawn[one.id].held]
        assert held and told and len(letters_of(app)) == len(told)
        assert all(row.told_at is None for row in drawn.values() if row.held)
    for who in people:
        world.fund(who, "500")
    clock.tick(days=1)
    kept = world.buy(told[0], (milk, 3))
    world.buy(told[1], (milk, 1), channel="web")
    gone = world.buy(told[0], (milk, 5))
    world.refund(gone, staff)
    world.buy(held[0], (milk, 2))
    clock.tick(days=6, seconds=-1)
    world.buy(told[1], milk)
    clock.tick(seconds=2)
    world.buy(told[2], milk)  # After the days that are measured.
    with app.app_context():
        plan = plans.known(made)
        found = results.result(plan, world.currency)
        assert found.told == (len(told), 2, 5000, 3000**2 + 2000**2)
        assert found.held == (len(held), 1, 2000, 2000**2)
        assert found.verdict == "too_few" and found.is_over
        listed = results.entries(plan, world.currency, group="told", bought=True)
        assert sum(one.net_minor for one in listed) == found.told.total
        assert {one.member_id for one in listed} == {told[0].id, told[1].id}
        # Who goes stays in the figures as nobody.
        with db.engine.begin() as own:
            own.execute(text("UPDATE accounts SET balance_minor = 0 WHERE member_id IS NOT NULL"))
    assert kept.total_minor == 3000


def test_who_goes_leaves_the_figures_and_takes_the_letters(world: World, app: Flask) -> None:
    people = many(world, app, 3)
    with app.app_context():
        made = started(world)
        campaigns.work()
        db.session.rollback()
        privacy.erase(people[0].id)
        rounds()
        assert states_of(made)[0] == ("skipped", "lost")
        assert results.result(plans.known(made), world.currency).told.many == 3
        assert "erased" not in str(letters_of(app))
        assert world.faults() == []
