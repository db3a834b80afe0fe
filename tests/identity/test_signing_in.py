"""Signing in and up: on the way to paying, the item kept, and strangers told nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask, render_template_string
from flask_login import current_user

from store.db import db
from store.identity import find, passwords, safe_next
from store.identity.models import Member, SignIn, Try
from tests.identity.conftest import PASSWORD, Browser, live_sign_ins, set_cookies
from tests.identity.test_passwords import CountingHasher

Open = Callable[..., Browser]
ITEM = "/01/06901234567892?l=ABC123-XYZ99"


def test_a_member_signs_in_and_is_back_at_the_item(browser: Open, people: dict[str, int]) -> None:
    anna = browser()
    answer = anna.sign_in("Anna@shop.example", next_path=ITEM)
    assert (answer.status_code, answer.headers["Location"]) == (303, ITEM)
    assert anna.is_signed_in()


def test_a_phone_number_signs_in_in_any_spelling(browser: Open, people: dict[str, int]) -> None:
    for spelling in ("13800138000", "138-0013-8000", "+86 138 0013 8000"):
        mei = browser()
        assert mei.sign_in(spelling).status_code == 303 and mei.is_signed_in()


def test_the_page_of_an_account_asks_to_sign_in_and_comes_back(browser: Open) -> None:
    answer = browser().get("/me/devices?from=mail")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=/me/devices?from%3Dmail"


def test_after_a_form_the_way_back_is_the_page_that_held_it(browser: Open) -> None:
    guest = browser()
    guest.get("/sign-in")
    shown = guest.get("/sign-in").text
    token = shown.split('name="csrf" value="')[1].split('"')[0]
    answer = guest.client.post(
        "/me/name", data={"csrf": token, "name": "Eve"},
        headers={"Referer": f"http://localhost{ITEM}"},
    )  # fmt: skip
    assert answer.headers["Location"].startswith("/sign-in?next=/01/06901234567892")
    elsewhere = guest.client.post(
        "/me/name", data={"csrf": token}, headers={"Referer": "https://evil.example/01/1"}
    )
    assert elsewhere.headers["Location"] == "/sign-in?next=/"


def test_start_asks_the_right_next_question(browser: Open, people: dict[str, int]) -> None:
    guest = browser()
    known = guest.post("/start", identifier="anna@shop.example", next=ITEM)
    assert known.status_code == 200 and 'action="/sign-in"' in known.text
    assert 'value="anna@shop.example"' in known.text and "l=ABC123-XYZ99" in known.text
    unknown = guest.post("/start", identifier="new@shop.example", next=ITEM)
    assert 'action="/sign-up"' in unknown.text and "l=ABC123-XYZ99" in unknown.text
    assert 'autocomplete="new-password"' in unknown.text
    unreadable = guest.post("/start", identifier="neither", next=ITEM)
    assert unreadable.status_code == 422 and 'aria-invalid="true"' in unreadable.text


def test_a_newcomer_signs_up_and_is_back_at_the_item(app: Flask, browser: Open) -> None:
    newcomer = browser()
    answer = newcomer.sign_up("new@shop.example", next=ITEM, name="Nora")
    assert (answer.status_code, answer.headers["Location"]) == (303, ITEM)
    assert newcomer.is_signed_in() and "Nora" in newcomer.get("/me").text
    with app.app_context():
        member = find("new@shop.example")
        assert member is not None and member.role == "shopper"
        assert member.password_hash and PASSWORD not in member.password_hash


def test_extra_fields_of_a_form_change_nothing(app: Flask, browser: Open) -> None:
    browser().sign_up(
        "eve@shop.example", role="owner", id="1", disabled_at="", password_hash="x", balance="9999"
    )
    with app.app_context():
        eve = find("eve@shop.example")
        assert eve is not None and eve.role == "shopper"
        assert eve.password_hash is not None and eve.password_hash.startswith("$argon2id$")


def test_somebody_who_has_an_account_is_led_to_the_sign_in(
    app: Flask, browser: Open, people: dict[str, int]
) -> None:
    answer = browser().sign_up("ANNA@shop.example", "another password", next=ITEM)
    assert answer.status_code == 409 and 'action="/sign-in"' in answer.text
    assert "There is an account" in answer.text and "l=ABC123-XYZ99" in answer.text
    assert browser().sign_in("anna@shop.example").status_code == 303
    assert live_sign_ins(app) == 1


@pytest.mark.parametrize(
    ("who", "password"),
    [("neither", PASSWORD), ("new@shop.example", "short"), ("new@shop.example", ""),
     ("a\x01b@shop.example", PASSWORD), ("x" * 300, PASSWORD), ("", PASSWORD),
     ("аnna@shop.example", PASSWORD), ("new@shop.example", "new@shop.example")],
)  # fmt: skip
def test_what_cannot_be_an_account_is_said_beside_the_field_and_kept_nowhere(
    app: Flask, browser: Open, who: str, password: str
) -> None:
    answer = browser().sign_up(who, password)
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text
    assert 'action="/sign-up"' in answer.text
    with app.app_context():
        assert db.session.query(Member).count() == 0
        assert db.session.query(SignIn).count() == 0


def test_a_stranger_learns_nothing_from_a_wrong_password(
    browser: Open, people: dict[str, int]
) -> None:
    def told(who: str) -> tuple[int, str]:
        answer = browser().sign_in(who, "not the password")
        text = answer.text.replace(who, "WHO")
        return answer.status_code, text[text.index("<h1") : text.index("</main>")]

    def without_csrf(said: tuple[int, str]) -> tuple[int, str]:
        return said[0], re.sub(r'name="csrf" value="[^"]*"', "", said[1])

    known, unknown = told("anna@shop.example"), told("nobody@shop.example")
    assert known[0] == 403
    assert without_csrf(known) == without_csrf(unknown)


def test_nobody_takes_as_much_work_as_somebody(browser: Open, people: dict[str, int]) -> None:
    hasher = CountingHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords.set_hasher(hasher)
    worked = []
    for who in ("anna@shop.example", "nobody@shop.example", "not even an address"):
        hasher.verified = 0
        browser().sign_in(who, "not the password")
        worked.append(hasher.verified)
    passwords.set_hasher(passwords.QUICK)
    assert worked == [1, 1, 1]


@pytest.mark.parametrize(
    "typed",
    ["//evil.example", "///evil.example", "https://evil.example/", "\\\\evil.example",
     "/\\evil.example", "/\t/evil.example", "/\n/evil.example", "\t//evil.example",
     " //evil.example", "javascript:alert(1)", "evil.example", "", "/\x01", "/a b",
     "http:/evil.example", "https:evil.example", "/\u2028x", "/\x7f", "/" + "a" * 3000,
     "/sign-in", "/sign-out", "/start?next=/me", "//", "/\u202eevil", "//[evil"],
)  # fmt: skip
def test_no_address_leads_away_from_the_shop(typed: str, browser: Open) -> None:
    assert safe_next(typed) == "/"
    answer = browser().sign_up("new@shop.example", next=typed)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


@pytest.mark.parametrize(
    "path", ["/", "/me", ITEM, "/i/7H2K9M", "/basket?x=1#end", "/sales/0A?q=%2F"]
)
def test_a_path_of_the_shop_is_kept(path: str) -> None:
    assert safe_next(path) == path


def test_an_upgraded_cost_is_taken_over_when_somebody_signs_in(
    app: Flask, browser: Open, people: dict[str, int]
) -> None:
    passwords.set_hasher(CountingHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert browser().sign_in("anna@shop.example").status_code == 303
    with app.app_context():
        kept = find("anna@shop.example").password_hash  # type: ignore[union-attr]
    passwords.set_hasher(passwords.QUICK)
    assert kept is not None and "m=16,t=2" in kept
    assert browser().sign_in("anna@shop.example").status_code == 303


def test_flask_login_knows_who_it_is_and_keeps_no_cookie_of_its_own(
    app: Flask, browser: Open, people: dict[str, int]
) -> None:
    app.add_url_rule(
        "/who", "who",
        lambda: render_template_string(
            "{{ current_user.is_authenticated }} {{ current_user.name }} {{ current_member.role }}"
        ) + f" {current_user.get_id()}",
    )  # fmt: skip
    anna = browser()
    assert anna.get("/who").text == "False   None"
    answer = anna.sign_in("anna@shop.example")
    assert sorted(set_cookies(answer)) == ["device", "visit"]
    assert anna.get("/who").text == f"True Anna shopper {people['anna']}"


def test_what_is_counted_names_nobody(app: Flask, browser: Open, people: dict[str, int]) -> None:
    browser().sign_in("anna@shop.example", "not the password")
    with app.app_context():
        subjects = " ".join(tried.subject for tried in db.session.query(Try))
    assert subjects and "anna" not in subjects.lower() and "192.0.2.1" not in subjects


def test_two_taps_on_create_an_account_make_one_and_sign_in(app: Flask, browser: Open) -> None:
    """The second form was sent before the first answer, and its cookie, had come."""
    anna, form = browser(), {"identifier": "new@shop.example", "password": PASSWORD, "next": ITEM}
    first = anna.post("/sign-up", page="/sign-up", **form)
    again = browser()
    before = anna.client.get_cookie("visit")
    again.get("/sign-up")
    second = again.post("/sign-up", page="/sign-up", **form)
    assert before is not None
    for answer in (first, second):
        assert (answer.status_code, answer.headers["Location"]) == (303, ITEM)
    assert again.is_signed_in()
    with app.app_context():
        assert db.session.query(Member).count() == 1


def test_an_account_that_exists_is_not_opened_by_another_password(
    browser: Open, people: dict[str, int]
) -> None:
    eve = browser()
    answer = eve.sign_up("anna@shop.example", "another long sentence")
    assert 'action="/sign-in"' in answer.text
    assert not eve.is_signed_in()
    tries = [eve.sign_up("anna@shop.example", f"another long {n}").status_code for n in range(8)]
    assert 'value="anna@shop.example"' in answer.text
    assert not eve.is_signed_in()
    assert eve.sign_in("anna@shop.example").status_code == 429, f"guessed on and on: {tries}"


def test_a_second_tap_on_sign_in_says_that_it_is_done(
    browser: Open, people: dict[str, int]
) -> None:
    """It comes with the new cookie, and so with a token that no longer fits."""
    anna = browser()
    anna.sign_in("anna@shop.example")
    form = {"identifier": "anna@shop.example", "password": PASSWORD, "next": ITEM}
    again = anna.post("/sign-in", page="", **form)
    assert again.status_code == 403
    assert "You are signed in" in again.text and f'href="{ITEM}"' in again.text
    away = anna.post("/sign-in", page="", **form | {"next": "/\t/evil.example"})
    assert "evil.example" not in away.text


@pytest.mark.parametrize("back", ["/\t/evil.example", "//evil.example", "/\\evil.example"])
def test_a_form_of_another_site_cannot_point_the_way_back(browser: Open, back: str) -> None:
    answer = browser().client.post("/sales", data={"back": back})
    assert answer.status_code == 403 and "evil.example" not in answer.text
