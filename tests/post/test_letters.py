"""Letters: sent after their cause is committed, until they are taken, and by one worker only."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskCliRunner

from store import post
from store.db import db, transaction
from store.post import letters
from store.post.letters import PAUSES_S
from store.post.models import Letter
from store.post.speaking import link_to, speaking
from tests.conftest import Clock
from tests.post.conftest import Mailbox


@pytest.fixture
def settings(settings: dict[str, Any], mailbox: Mailbox) -> dict[str, Any]:
    return settings | {
        "SMTP_HOST": "127.0.0.1", "SMTP_PORT": mailbox.port, "SMTP_TLS": "none",
        "MAIL_FROM": "shop@shop.example", "BASE_URL": "https://shop.example",
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _writers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "_writers", {})

    @post.writes("note")
    def note(subject: str, to: str, language: str) -> post.Mail | None:
        if subject == "gone":
            return None
        if subject == "bad":
            raise ValueError("lin@shop.example cannot be written to")
        words = render_template_string("{{ _('Sign in') }} " + link_to("/me"))
        return post.Mail(to, f"Note {subject}", words, language=language)


def put(app: Flask, *subjects: str, language: str = "en") -> None:
    with app.app_context(), transaction():
        for subject in subjects:
            post.put("note", subject, "lin@shop.example", language)


def deliver(app: Flask) -> int:
    with app.app_context():
        return post.deliver(app.config, speaking)


def states(app: Flask) -> dict[str, str]:
    with app.app_context():
        rows = db.session.query(Letter.subject, Letter.state)
        return {row.subject: row.state for row in rows}


def test_a_letter_is_written_in_its_readers_language(app: Flask, mailbox: Mailbox) -> None:
    put(app, "1")
    put(app, "2", language="zh")
    assert (deliver(app), deliver(app)) == (2, 0)
    said = {str(one["Subject"]): one.get_content().strip() for one in mailbox.taken}
    assert said == {
        "Note 1": "Sign in https://shop.example/me", "Note 2": "登录 https://shop.example/me",
    }  # fmt: skip
    assert set(states(app).values()) == {"sent"}


def test_what_is_undone_writes_to_nobody(app: Flask, mailbox: Mailbox) -> None:
    with app.app_context(), pytest.raises(ZeroDivisionError), transaction():
        post.put("note", "1", "lin@shop.example", "en")
        raise ZeroDivisionError
    assert deliver(app) == 0 and mailbox.taken == []


def test_a_letter_waits_longer_each_time_and_keeps_its_id(
    app: Flask, mailbox: Mailbox, clock: Clock
) -> None:
    put(app, "1", "2")
    mailbox.says = ["451 later"]
    assert deliver(app) == 0 and states(app) == {"1": "waits", "2": "waits"}
    assert deliver(app) == 1, "the other is not held up by the one that failed"
    clock.tick(seconds=PAUSES_S[0] - 1)
    assert deliver(app) == 0
    clock.tick(seconds=2)
    assert deliver(app) == 1
    assert {str(one["Subject"]) for one in mailbox.taken} == {"Note 1", "Note 2"}
    assert len({one["Message-ID"] for one in mailbox.taken}) == 2


def test_after_two_days_a_person_must_look_and_can_try_again(
    app: Flask, mailbox: Mailbox, clock: Clock, runner: FlaskCliRunner
) -> None:
    put(app, "1")
    mailbox.says = ["451 later"] * (len(PAUSES_S) + 1)
    for pause in (0, *PAUSES_S):
        assert states(app) == {"1": "waits"}
        clock.tick(seconds=pause)
        deliver(app)
    assert states(app) == {"1": "dead"}
    listed = runner.invoke(args=["post", "dead", "--again"]).output
    assert "The mail server said 451" in listed and "lin@" not in listed
    assert deliver(app) == 1 and states(app) == {"1": "sent"}


def test_one_that_is_refused_unwanted_or_unwritable_holds_up_nobody(
    app: Flask, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    put(app, "gone", "bad", "no", "yes")
    mailbox.says = ["550 nobody here"]
    assert deliver(app) == 1
    assert states(app) == {"gone": "dropped", "bad": "waits", "no": "dead", "yes": "sent"}
    own = [one.message for one in caplog.records if one.name.startswith("store")]
    assert own and not any("lin@" in line for line in own), "nobody's address is in the log"


def test_a_worker_that_died_leaves_its_letter_to_the_next(
    app: Flask, mailbox: Mailbox, clock: Clock
) -> None:
    put(app, "1")
    with app.app_context():
        letters._claim()
    assert deliver(app) == 0
    clock.tick(seconds=letters.LEASE_S + 1)
    assert deliver(app) == 1


class Together:
    """Workers that are all as far as writing before any of them goes on."""

    def __init__(self, many: int) -> None:
        self.barrier = threading.Barrier(many, timeout=5)

    def __call__(self, language: str) -> AbstractContextManager[object]:
        try:
            self.barrier.wait()
        except threading.BrokenBarrierError:
            pass
        return speaking(language)


def race(app: Flask, many: int = 2) -> None:
    together = Together(many)

    def work() -> None:
        with app.app_context():
            post.deliver(app.config, together, most=1)

    threads = [threading.Thread(target=work) for _ in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_workers_send_a_letter_once(app: Flask, mailbox: Mailbox) -> None:
    put(app, "1", "2")
    race(app)
    assert sorted(str(one["Subject"]) for one in mailbox.taken) == ["Note 1", "Note 2"]


def test_without_the_claim_they_would_send_it_twice(
    app: Flask, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(app, "1", "2")
    with app.app_context():
        first = letters._claim()
    monkeypatch.setattr(letters, "_claim", lambda: first)
    race(app)
    assert [str(one["Subject"]) for one in mailbox.taken] == ["Note 1", "Note 1"]


def test_old_letters_and_those_of_a_person_who_goes_leave(
    app: Flask, mailbox: Mailbox, clock: Clock
) -> None:
    put(app, "1")
    deliver(app)
    clock.tick(days=31)
    put(app, "2", "3")
    with app.app_context():
        assert letters.sweep() == 1
        with transaction():
            letters.forget("lin@shop.example")
    assert states(app) == {}


def test_a_test_says_at_once_what_the_server_says(runner: FlaskCliRunner, mailbox: Mailbox) -> None:
    assert runner.invoke(args=["post", "test", "olga@shop.example"]).exit_code == 0
    assert mailbox.to == ["olga@shop.example"]
    mailbox.says = ["550 never"]
    failed = runner.invoke(args=["post", "test", "olga@shop.example"])
    assert failed.exit_code == 1 and "550" in failed.output
    no_sms = runner.invoke(args=["post", "test", "+8613800138000"])
    assert no_sms.exit_code == 1
