"""Campaigns and accounts that come together; what the audit finds; campaigns by SMS."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from store import campaigns, privacy
from store.campaigns import drawing, plans, results, turns
from store.db import db, transaction
from store.identity import merges
from store.identity.models import Identifier
from store.membership import consents
from store.reports import oracle
from tests.campaigns.making import agree, at, letters_of, many, post, rounds, rows, started
from tests.conftest import Clock
from tests.world import Somebody, World


@pytest.fixture(autouse=True)
def _noon(clock: Clock) -> None:
    clock.set(at(12))


def come_together(gone: Somebody, kept: Somebody, number: str = "1" * 20) -> None:
    """As `merging.join` does with what a campaign knows of."""
    with transaction():
        merges.hold(kept.id, gone.id)
        merges.swallow(number, kept.id, gone.id, "code")
        consents.move(gone.id, kept.id)


def test_two_accounts_of_one_person_are_told_once_and_counted_once(
    world: World, app: Flask, clock: Clock
) -> None:
    old, new, other, early = many(world, app, 4)
    with app.app_context():
        made = started(world)
        drawing.draw(made)
        turns.take(made, 1)  # The old account's turn came, then both came together.
        come_together(old, new)
        come_together(other, early, "2" * 20)  # Of these neither had a turn yet.
        rounds()
        assert {one: (row.state, row.why) for one, row in rows(made).items()} == {
            old.id: ("skipped", "gone"), new.id: ("told", ""),
            other.id: ("skipped", "gone"), early.id: ("told", ""),
        }  # fmt: skip
        late = started(world, of=plans.known(made).segment_id, held_percent=50)
        drawing.draw(late)
        first, second = sorted([new.id, early.id])
        db.session.execute(text("UPDATE campaign_members SET held = 0 WHERE state = 'drawn'"))
        db.session.commit()
        turns.take(late, 1)
        post()
        come_together(early, new, "3" * 20)
        app.config["CAMPAIGN_LETTERS"] = 0
        rounds()
        assert [rows(late)[one].state for one in (first, second)].count("told") == 1
        letters = [one.to for one in letters_of(app) if one.subject == "Pears are here"]
        assert len(letters) == 3, "nobody got it twice"
    world.fund(new, "100")
    clock.tick(hours=1)
    milk = world.item(price="10.00")
    world.buy(new, milk)
    with app.app_context():
        found = results.result(plans.known(made), world.currency)
        assert (found.told.many, found.told.total) == (1, 1000), "one person, one purchase"
        told = "".join(privacy.export(new.id))
        assert told.count('"turn_at"') == 6, "what all accounts were told"
        assert world.faults() == []


def test_the_audit_finds_who_was_told_without_consent_or_held_out_in_vain(
    world: World, app: Flask
) -> None:
    lin, mei = many(world, app, 2)
    with app.app_context():
        made = started(world)
        rounds()
        for wrong, rule in (
            ("UPDATE consents SET what = 'declined', version = 0, words = ''",
             "told_without_consent"),
            ("INSERT INTO letters (id, kind, subject, \"to\", language, state, tries, error,"
             " created_at, next_at) SELECT 'TWICE', kind, subject, \"to\", language, state, 0, '',"
             f" created_at, next_at FROM letters WHERE subject = '{made}:{lin.id}'",
             "campaign_letters_twice"),
            ("UPDATE campaign_members SET held = 1, state = 'passed', told_at = NULL",
             "held_but_told"),
            (f"UPDATE consents SET member_id = {mei.id}", "consents_said_twice"),
        ):  # fmt: skip
            with db.engine.connect() as own:
                before = own.execute(text("SELECT COUNT(*) FROM consents")).scalar()
                assert before
            db.session.execute(text(wrong))
            found = {name: db.session.execute(text(query)).scalar_one()
                     for name, _, query in oracle.RULES if name == rule}  # fmt: skip
            assert found[rule] > 0, rule
            db.session.rollback()
        assert world.faults() == []


def test_by_sms_it_says_the_same_in_one_line(world: World, app: Flask) -> None:
    lin, mei = world.member(), world.member()
    with app.app_context():
        agree([lin, mei], "sms")
        with transaction() as session:
            session.add(
                Identifier(member_id=lin.id, kind="phone", value="+8613912345678", proven_at=at(9))
            )
        texts: dict[str, Any] = {
            one: {"subject": "", "words": f"Pears {one}."} for one in ("en", "zh")
        }
        made = started(world, channel="sms", texts=texts)
        assert rounds() == 1
        assert rows(made).keys() == {lin.id}, "Mei has no phone that she has proven"
        (letter,) = letters_of(app)
        assert letter.to == "+8613912345678" and "\n" not in letter.text.strip()
        assert letter.text.startswith("Corner: Pears en. Because: ")
        assert "https://shop.example/stop/s" in letter.text
        campaigns.work()
        assert plans.known(made).state == "ended"
        assert world.faults() == []
