"""Sign-ins on the server: not to be fixed, not to be used again, ended one by one or all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, flash
from sqlalchemy import bindparam, event, select

from store import ids
from store.db import db
from store.identity import find, visitor_query
from store.identity.models import SignIn
from tests.identity.conftest import PASSWORD, Browser, live_sign_ins

Open = Callable[..., Browser]


def test_signing_in_and_out_changes_the_cookie(browser: Open, people: dict[str, int]) -> None:
    anna = browser()
    anna.get("/sign-in")
    before = anna.cookie()
    anna.sign_in("anna@shop.example")
    during = anna.cookie()
    anna.post("/sign-out", page="/me")
    after = anna.cookie()
    assert None not in (before, during, after)
    assert len({before, during, after}) == 3


def test_a_cookie_that_was_planted_is_nobodys(browser: Open, people: dict[str, int]) -> None:
    eve, anna = browser("198.51.100.66"), browser()
    planted = ids.secret()
    anna.client.set_cookie("visit", planted)
    eve.client.set_cookie("visit", planted)
    anna.sign_in("anna@shop.example")
    assert anna.is_signed_in() and not eve.is_signed_in()


def test_two_shops_on_one_machine_do_not_sign_over_each_others_notes(app: Flask) -> None:
    named = {}
    for address in ("http://localhost", "http://localhost:9000", "https://shop.example:8443"):
        with app.test_request_context(base_url=address):
            flash("once")
            header = app.process_response(app.response_class()).headers["Set-Cookie"]
            named[header.partition("=")[0]] = "Secure" in header
    assert named == {"notes": False, "notes-9000": False, "__Host-notes-8443": True}


def test_the_cookie_itself_is_not_in_the_database(
    app: Flask, browser: Open, people: dict[str, int]
) -> None:
    anna = browser()
    anna.sign_in("anna@shop.example")
    with app.app_context():
        kept = db.session.query(SignIn).one()
        assert kept.digest == ids.digest(anna.cookie() or "") != anna.cookie()


def test_a_copied_cookie_is_dead_after_signing_out(browser: Open, people: dict[str, int]) -> None:
    anna, thief = browser(), browser("198.51.100.66")
    anna.sign_in("anna@shop.example")
    thief.client.set_cookie("visit", anna.cookie() or "")
    assert thief.is_signed_in()
    anna.post("/sign-out", page="/me")
    assert not thief.is_signed_in() and not anna.is_signed_in()


def test_signing_in_again_ends_the_browsers_sign_in_before(
    app: Flask, browser: Open, people: dict[str, int]
) -> None:
    anna = browser()
    anna.sign_in("anna@shop.example")
    old = anna.cookie()
    anna.sign_in("13800138000", page="/me")
    assert live_sign_ins(app) == 1
    anna.client.set_cookie("visit", old or "")
    assert not anna.is_signed_in()


def test_changing_the_password_ends_every_other_device(
    app: Flask, browser: Open, people: dict[str, int]
) -> None:
    anna, phone, old_copy = browser(), browser("198.51.100.1"), browser("198.51.100.2")
    anna.sign_in("anna@shop.example")
    phone.sign_in("anna@shop.example")
    old_copy.client.set_cookie("visit", anna.cookie() or "")
    wrong = anna.post(
        "/me/password", page="/me/password", password="not mine", new_password="a new sentence"
    )
    assert wrong.status_code == 403 and phone.is_signed_in()
    weak = anna.post(
        "/me/password", page="/me/password", password=PASSWORD, new_password="12345678"
    )
    assert weak.status_code == 422 and phone.is_signed_in()
    changed = anna.post(
        "/me/password", page="/me/password", password=PASSWORD, new_password="a new sentence"
    )
    assert changed.status_code == 303 and changed.headers["Location"] == "/me"
    assert anna.is_signed_in()
    assert not phone.is_signed_in() and not old_copy.is_signed_in()
    assert live_sign_ins(app) == 1
    assert browser().sign_in("anna@shop.example").status_code == 403
    assert browser().sign_in("anna@shop.example", "a new sentence").status_code == 303


def test_devices_are_listed_and_ended_one_by_one(
    app: Flask, browser: Open, people: dict[str, int]
) -> None:
    anna, phone, shop = browser(), browser("198.51.100.1"), browser("203.0.113.9")
    for one in (anna, phone, shop):
        one.sign_in("anna@shop.example")
    page = anna.get("/me/devices").text
    assert page.count("Safari · iPhone") >= 3 and "198.51.100.1" in page and "203.0.113.9" in page
    with app.app_context():
        phones = db.session.query(SignIn).filter_by(address="198.51.100.1").one().id
    assert anna.post(f"/me/devices/{phones}/end", page="/me").status_code == 303
    assert not phone.is_signed_in() and shop.is_signed_in() and anna.is_signed_in()
    anna.post("/me/devices/end", page="/me")
    assert not shop.is_signed_in() and anna.is_signed_in()


def test_nobody_ends_somebody_elses_device(
    app: Flask, browser: Open, people: dict[str, int]
) -> None:
    anna, mei = browser(), browser("198.51.100.1")
    anna.sign_in("anna@shop.example")
    mei.sign_in("13800138000")
    with app.app_context():
        annas = db.session.query(SignIn).filter_by(member_id=people["anna"]).one().id
    mei.post(f"/me/devices/{annas}/end", page="/me")
    assert anna.is_signed_in()


def test_a_closed_account_is_out_at_once_and_cannot_come_back(
    app: Flask, browser: Open, people: dict[str, int]
) -> None:
    mei, olga = browser(), browser("198.51.100.1")
    mei.sign_in("13800138000")
    olga.sign_in("olga@shop.example")
    assert olga.post(f"/owner/people/{people['mei']}/disable", page="/me").status_code == 303
    assert not mei.is_signed_in()
    answer = mei.sign_in("13800138000")
    assert answer.status_code == 403 and "closed" in answer.text
    stranger = browser("198.51.100.9").sign_in("13800138000", "not the password")
    assert "closed" not in stranger.text
    olga.post(f"/owner/people/{people['mei']}/enable", page="/me")
    assert not mei.is_signed_in()
    assert mei.sign_in("13800138000").status_code == 303


def test_a_sign_in_ends_after_the_days_the_owner_set(
    browser: Open, people: dict[str, int], clock: Any
) -> None:
    anna = browser()
    anna.sign_in("anna@shop.example")
    clock.tick(days=89, hours=23)
    assert anna.is_signed_in()
    clock.tick(hours=2)
    assert not anna.is_signed_in()


def test_a_statement_that_is_kept_sees_the_sign_in_end(
    app: Flask, browser: Open, people: dict[str, int], clock: Any
) -> None:
    anna = browser()
    anna.sign_in("anna@shop.example")
    kept = select(visitor_query(bindparam("digest")).subquery())
    digest = {"digest": ids.digest(anna.cookie() or "")}
    with app.app_context():
        row = db.session.execute(kept, digest).one()
        assert row.member_id == people["anna"] and row.member_role == "shopper"
        clock.tick(days=91)
        assert db.session.execute(kept, digest).first() is None


def test_looking_at_pages_writes_nothing(
    app: Flask, browser: Open, people: dict[str, int], clock: Any
) -> None:
    anna = browser()
    anna.sign_in("anna@shop.example")
    clock.tick(days=2)
    written: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.lstrip().upper().startswith("SELECT"):
            written.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    for page in ("/me", "/me/devices", "/me/password", "/sign-in"):
        anna.get(page)
    event.remove(engine, "before_cursor_execute", note)
    assert [sql for sql in written if not sql.startswith(("BEGIN", "PRAGMA"))] == []


def test_the_time_of_a_visit_is_kept_at_most_hourly(
    app: Flask, browser: Open, people: dict[str, int], clock: Any
) -> None:
    def seen() -> Any:
        with app.app_context():
            return db.session.query(SignIn).one().seen_at

    anna = browser()
    anna.sign_in("anna@shop.example")
    first = seen()
    clock.tick(minutes=59)
    anna.post("/me/name", page="/me", name="Anna B.")
    assert seen() == first
    clock.tick(minutes=2)
    anna.post("/me/name", page="/me", name="Anna C.")
    assert seen() == clock.now


@pytest.mark.parametrize(
    "cookie", ["", "x" * 43, "x" * 5000, "ü" * 43, "' OR 1=1 --", "a" * 42 + "\x7f"]
)
def test_cookies_made_up_are_nobodys(browser: Open, people: dict[str, int], cookie: str) -> None:
    guest = browser()
    answer = guest.client.get("/me", headers={"Cookie": f"visit={cookie}"})
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in")


def test_signing_out_needs_the_form_of_this_browser(browser: Open, people: dict[str, int]) -> None:
    anna = browser()
    anna.sign_in("anna@shop.example")
    anna.csrf = "A" * 26
    assert anna.post("/sign-out", page="").status_code == 403
    assert anna.get("/sign-out").status_code == 405
    assert anna.is_signed_in()


def test_a_form_from_before_signing_in_is_no_longer_valid(
    browser: Open, people: dict[str, int]
) -> None:
    anna = browser()
    anna.sign_in("anna@shop.example")
    assert anna.post("/me/name", page="", name="Eve").status_code == 403


def test_the_chosen_language_stays_with_the_member(
    app: Flask, browser: Open, people: dict[str, int]
) -> None:
    anna = browser()
    anna.sign_in("anna@shop.example")
    assert anna.post("/me/language", page="/me", language="zh").status_code == 303
    assert anna.post("/me/language", page="/me", language="xx").status_code == 422
    with app.app_context():
        assert find("anna@shop.example").language == "zh"  # type: ignore[union-attr]
    new_phone = browser("198.51.100.1")
    new_phone.sign_in("anna@shop.example")
    assert new_phone.cookie("lang") == "zh"
