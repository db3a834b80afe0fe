"""One-time codes: for the browser that asked, a few minutes long, once; the same for everybody."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from store import create_app, post
from store.db import db, transaction
from store.identity import codes, entering, find, identifiers, members
from store.identity.models import Code, Identifier, IdentifierChange, Member, SignIn, Try
from store.post import quickly
from tests.conftest import Clock
from tests.identity.conftest import PASSWORD, Browser
from tests.races.crowd import at_once

Open = Callable[..., Browser]
ITEM = "/01/06901234567892?l=ABC123-XYZ99"


class Post:
    """What was sent, instead of the carriers: the codes by address."""

    def __init__(self) -> None:
        self.sent: list[post.Mail | post.Sms] = []

    def carry(self, settings: object, message: post.Mail | post.Sms, letter_id: str) -> None:
        self.sent.append(message)

    def code_to(self, to: str) -> str:
        quickly.wait()
        found = [one for one in self.sent if one.to == to][-1]
        return str(re.findall(r"\b\d{6}\b", found.text)[0])


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Post:
    found = Post()
    monkeypatch.setattr(quickly, "carry", found.carry)
    return found


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {
        "SMTP_HOST": "mail.example", "MAIL_FROM": "shop@shop.example",
        "SMS_URL": "https://sms.example", "SMS_BODY": "{to}={text}", "CODES_AN_HOUR": 20,
    }  # fmt: skip


def asks(browser: Browser, who: str, **more: str) -> TestResponse:
    return browser.post("/start", page="/sign-in", identifier=who, **more)


def types(browser: Browser, code: str, **more: str) -> TestResponse:
    return browser.post("/code", page="/code", code=code, **more)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def prove(app: Flask, who: str, at: object = None) -> None:
    with app.app_context(), transaction():
        member = find(who)
        assert member
        for sign in identifiers.of_member(member.id):
            sign.proven_at = at or member.created_at  # type: ignore[assignment]


# Signing in and up


def test_a_stranger_with_a_code_is_a_member_and_goes_on_to_paying(
    app: Flask, browser: Open, mail: Post
) -> None:
    lin = browser()
    answer = asks(lin, "Lin@Shop.example", next=ITEM, new="/pay?code=MILK")
    assert answer.status_code == 303 and answer.location.startswith("/code?next=")
    page = lin.get(answer.location).text
    assert "lin@shop.example" in page and 'autocomplete="one-time-code"' in page
    assert 'inputmode="numeric"' in page
    code = mail.code_to("lin@shop.example")
    entered = types(lin, code, next=ITEM, new="/pay?code=MILK")
    assert (entered.status_code, entered.location) == (303, "/pay?code=MILK")
    assert lin.is_signed_in()
    with app.app_context():
        found = db.session.scalars(select(Identifier)).one()
        assert found.value == "lin@shop.example" and found.proven_at
        assert db.session.scalars(select(IdentifierChange.what)).all() == ["proven"]
        assert db.session.scalars(select(Code.sent)).all() == ["sent"]


def test_a_member_is_back_where_they_were_by_sms_however_the_number_is_written(
    app: Flask, browser: Open, mail: Post, people: dict[str, int]
) -> None:
    prove(app, "+8613800138000")
    mei = browser()
    asks(mei, "138 0013-8000")
    entered = types(mei, mail.code_to("+8613800138000"), next=ITEM, new="/pay?code=MILK")
    assert (entered.status_code, entered.location) == (303, ITEM)
    sms = mail.sent[-1]
    assert isinstance(sms, post.Sms) and sms.code in sms.text


def test_codes_are_typed_as_people_type_them(browser: Open, mail: Post) -> None:
    for number, spelled in enumerate(("{0}-{1}", " {0} {1} ", "{0}\t{1}")):
        lin = browser()
        asks(lin, f"lin{number}@shop.example")
        code = mail.code_to(f"lin{number}@shop.example")
        assert types(lin, spelled.format(code[:3], code[3:])).status_code == 303
    wide = browser()
    asks(wide, "wide@shop.example")
    code = mail.code_to("wide@shop.example")
    types(wide, "".join(chr(ord(digit) + 0xFEE0) for digit in code))
    assert wide.is_signed_in()


def test_the_cookie_is_renewed_and_the_device_remembered(browser: Open, mail: Post) -> None:
    lin = browser()
    asks(lin, "lin@shop.example")
    before = lin.cookie()
    types(lin, mail.code_to("lin@shop.example"))
    assert lin.cookie() != before and lin.cookie("device")
    stale = browser()
    stale.client.set_cookie("visit", before or "")
    assert not stale.is_signed_in(), "who set the cookie before has nothing"


# Nobody else's


def test_a_code_is_good_in_its_own_browser_only(browser: Open, mail: Post) -> None:
    lin, eve = browser(), browser("198.51.100.7")
    asks(lin, "lin@shop.example")
    code = mail.code_to("lin@shop.example")
    asks(eve, "eve@shop.example")
    assert types(eve, code).status_code == 403
    assert browser().post("/code", code=code).status_code == 303, "who asked for none is led back"
    assert types(lin, code).status_code == 303 and lin.is_signed_in()
    assert not eve.is_signed_in()


def test_a_code_is_used_once_and_a_newer_one_ends_it(browser: Open, mail: Post) -> None:
    lin = browser()
    asks(lin, "lin@shop.example")
    first = mail.code_to("lin@shop.example")
    asks(lin, "lin@shop.example")
    second = mail.code_to("lin@shop.example")
    if first != second:
        assert types(lin, first).status_code == 403
    visit = lin.cookie()
    assert types(lin, second).status_code == 303
    again = browser()
    again.client.set_cookie("visit", visit or "")
    assert again.post("/code", code=second).location.startswith("/sign-in")
    assert not again.is_signed_in()


def test_five_minutes_and_five_tries(browser: Open, mail: Post, clock: Clock) -> None:
    lin, mei = browser(), browser()
    asks(lin, "lin@shop.example")
    asks(mei, "mei@shop.example")
    code = mail.code_to("lin@shop.example")
    for left in (4, 3, 2, 1, 0):
        page = types(lin, wrong(code))
        assert page.status_code == 403
        assert (f"{left} more tries" in page.text) is (left > 1)
    assert types(lin, code).status_code == 409
    clock.tick(minutes=5, seconds=1)
    over = types(mei, mail.code_to("mei@shop.example"))
    assert over.status_code == 409 and "not valid any more" in over.text
    assert not lin.is_signed_in() and not mei.is_signed_in()


def race(app: Flask, lin: Browser, code: str, many: int = 8) -> list[int]:
    """The same code sent at the same moment by copies of the browser."""
    page = lin.get("/code").text
    token = re.findall(r'name="csrf" value="([^"]+)"', page)[0]
    visit = lin.cookie() or ""

    def send() -> int:
        client = app.test_client()
        client.set_cookie("visit", visit)
        return client.post("/code", data={"csrf": token, "code": code}).status_code

    return [status for status in at_once([send] * many) if isinstance(status, int)]


def sign_ins(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count(SignIn.id))) or 0


def test_the_right_code_at_once_signs_in_once(app: Flask, browser: Open, mail: Post) -> None:
    lin = browser()
    asks(lin, "lin@shop.example")
    race(app, lin, mail.code_to("lin@shop.example"))
    assert sign_ins(app) == 1


def test_without_the_guard_it_would_sign_in_again(
    app: Flask, browser: Open, mail: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "use", lambda code_id, done: None)
    lin = browser()
    asks(lin, "lin@shop.example")
    race(app, lin, mail.code_to("lin@shop.example"))
    assert sign_ins(app) > 1


def test_wrong_codes_at_once_share_no_try(app: Flask, browser: Open, mail: Post) -> None:
    lin = browser()
    asks(lin, "lin@shop.example")
    answers = race(app, lin, wrong(mail.code_to("lin@shop.example")), 12)
    assert sorted(answers) == [403] * 5 + [409] * 7


def test_two_browsers_that_prove_one_new_address_get_one_account(
    app: Flask, browser: Open, mail: Post
) -> None:
    browsers, sent = [browser(), browser()], []
    for one in browsers:
        asks(one, "lin@shop.example")
        sent.append(mail.code_to("lin@shop.example"))
        one.get("/code")
    at_once([lambda one=one, code=code: types(one, code) for one, code in zip(browsers, sent)])  # type: ignore[misc]
    with app.app_context():
        assert db.session.scalar(select(func.count(Member.id))) == 1
    assert all(one.is_signed_in() for one in browsers)


# Limits


def test_each_person_each_address_and_all_together_are_limited(
    app: Flask, browser: Open, mail: Post, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        assert asks(browser(), "lin@shop.example").status_code == 303
    refused = asks(browser("198.51.100.7"), "LIN@shop.example")
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0
    own = [one.message for one in caplog.records if one.name.startswith("store")]
    assert own and not any("lin" in line for line in own)
    for number in range(20):
        answer = asks(browser(f"198.51.{number}.7"), f"p{number}@shop.example")
        if answer.status_code == 429:
            break
    assert number == 15, "all together have used up the hour's"
    quickly.wait()
    assert len(mail.sent) == 20


def test_one_mailbox_under_many_names_is_one_person_to_the_limits(
    browser: Open, mail: Post
) -> None:
    """`lin+shop@` and `lin+2@` are read in the same mailbox: as signs they stay apart, but nobody
    wakes their reader with a name more for each letter, nor guesses on."""
    names = ["lin@shop.example", *(f"lin+{number}@shop.example" for number in range(7))]
    sent = [asks(browser(f"198.51.{at}.7"), name).status_code for at, name in enumerate(names)]
    assert sent == [303] * 5 + [429] * 3
    assert asks(browser(), "+lin@shop.example").status_code == 303, "nothing stands before this +"
    assert asks(browser(), "line@shop.example").status_code == 303


def test_limits_hold_over_a_restart(
    app: Flask, settings: dict[str, Any], browser: Open, mail: Post
) -> None:
    for _ in range(5):
        asks(browser(), "lin@shop.example")
    again = create_app(settings)
    assert asks(Browser(again), "lin@shop.example").status_code == 429
    with again.app_context():
        db.session.remove()
        db.engine.dispose()


def test_a_member_is_not_shut_out_by_who_asks_in_their_name(
    app: Flask, browser: Open, mail: Post, people: dict[str, int]
) -> None:
    anna = browser()
    anna.sign_in("anna@shop.example")
    anna.post("/sign-out", page="/me")
    for number in range(6):
        asks(browser(f"198.51.{number}.7"), "anna@shop.example")
    asked = asks(anna, "anna@shop.example")
    assert asked.status_code == 303
    assert types(anna, mail.code_to("anna@shop.example")).status_code == 303
    assert anna.is_signed_in()


def test_guessing_over_many_browsers_ends_soon(
    app: Flask, browser: Open, mail: Post, clock: Clock
) -> None:
    """At every person and from every address; what one code lets through is counted besides."""
    tried = 0
    for number in range(7):
        eve = browser(f"198.51.{number}.7")
        clock.tick(minutes=16)
        assert asks(eve, "anna@shop.example").status_code == 303
        code = mail.code_to("anna@shop.example")
        for _ in range(5):
            tried += types(eve, wrong(code)).status_code == 403
    assert tried == 30
    with app.app_context():
        assert "anna" not in "".join(db.session.scalars(select(Try.subject)))


# What strangers learn


def test_members_and_strangers_get_the_same_answers(
    app: Flask, browser: Open, mail: Post, people: dict[str, int]
) -> None:
    seen = []
    for who in ("anna@shop.example", "nobody@shop.example"):
        eve = browser()
        asked = asks(eve, who)
        pages = [eve.get(asked.location), types(eve, "000000" if len(who) else "")]
        pages.append(eve.post("/sign-up", page="/sign-in", identifier=who, password="x"))
        texts = [re.sub(r'value="\w{26}"', "", page.text.replace(who, "WHO")) for page in pages]
        seen.append((asked.status_code, asked.location, [p.status_code for p in pages], texts))
    assert seen[0] == seen[1]
    quickly.wait()
    assert len(mail.sent) == 4, "and each gets a message"


def test_addresses_that_look_alike_are_told_apart(app: Flask, browser: Open, mail: Post) -> None:
    lin = browser()
    page = lin.get(asks(lin, "lin@shоp.example").location).text  # A Cyrillic o.
    assert "lin@xn--shp-ted.example" in page and "lin@shop.example" not in page
    assert asks(browser(), "lіn@shop.example").status_code == 422
    for who in ("lin@shop.example", "lin+other@shop.example"):
        other = browser()
        asks(other, who)
        types(other, mail.code_to(who))
    with app.app_context():
        assert db.session.scalar(select(func.count(Member.id))) == 2


def test_the_code_is_nowhere_but_in_the_message(
    app: Flask, browser: Open, mail: Post, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    lin = browser()
    asks(lin, "lin@shop.example")
    code = mail.code_to("lin@shop.example")
    types(lin, wrong(code))
    assert code not in caplog.text
    with app.app_context():
        for table in ("codes", "tries", "outbox", "letters"):
            assert code not in str(db.session.execute(text(f"SELECT * FROM {table}")).all())


def test_what_cannot_be_sent_is_asked_for_in_another_way(
    app: Flask, browser: Open, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = browser()
    assert asks(guest, "+1 202 555 0147").status_code == 200, "no SMS to other countries"

    def full(*arguments: object) -> None:
        raise post.PostBusy()

    monkeypatch.setattr(post, "send_soon", full)
    busy = asks(guest, "lin@shop.example")
    assert busy.status_code == 503 and "cannot be sent just now" in busy.text


def test_a_message_that_is_refused_is_told_of(
    browser: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise post.PostRefused("nobody there")

    monkeypatch.setattr(quickly, "carry", refuse)
    lin = browser()
    asked = asks(lin, "lin@shop.example")
    quickly.wait()
    assert "could not be sent" in lin.get(asked.location).text


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example",
                                  "/code", "/sign-out", "javascript:1"])  # fmt: skip
def test_no_way_leads_out_of_the_shop(browser: Open, mail: Post, path: str) -> None:
    lin = browser()
    asked = asks(lin, "lin@shop.example", next=path, new=path)
    assert "evil" not in asked.location
    entered = types(lin, mail.code_to("lin@shop.example"), next=path, new=path)
    assert (entered.status_code, entered.location) == (303, "/")


# Whose account it is


def more(browser: Browser) -> str:
    page = browser.get("/code/more")
    return page.text if page.status_code == 200 else ""


def test_an_address_that_nobody_proved_opens_its_account_with_the_password_only(
    app: Flask, browser: Open, mail: Post, people: dict[str, int]
) -> None:
    """Anybody can sign up under my address; so neither do I get theirs, nor they mine."""
    anna = browser()
    asks(anna, "anna@shop.example")
    answer = types(anna, mail.code_to("anna@shop.example"), next=ITEM)
    assert answer.location.startswith("/code/more") and not anna.is_signed_in()
    assert "nobody had proven" in more(anna)
    refused = anna.post("/code/password", page="/code/more", password="not this one")
    assert refused.status_code == 403 and not anna.is_signed_in()
    entered = anna.post("/code/password", page="/code/more", password=PASSWORD, next=ITEM)
    assert entered.location == ITEM and anna.is_signed_in()
    second = browser()
    asks(second, "anna@shop.example")
    assert types(second, mail.code_to("anna@shop.example")).location == "/"
    assert second.is_signed_in(), "now it is proven"


def test_whoever_proves_it_may_leave_the_other_account_alone(
    app: Flask, browser: Open, mail: Post, people: dict[str, int]
) -> None:
    thief = browser()
    thief.sign_in("anna@shop.example")
    anna = browser("198.51.100.7")
    asks(anna, "anna@shop.example")
    types(anna, mail.code_to("anna@shop.example"))
    entered = anna.post("/code/new", page="/code/more", next=ITEM, new="/pay?code=MILK")
    assert entered.location == "/pay?code=MILK" and anna.is_signed_in()
    with app.app_context():
        member = find("anna@shop.example")
        assert member and member.id not in people.values() and member.name == ""
        changes = db.session.execute(
            select(IdentifierChange.member_id, IdentifierChange.what)
            .order_by(IdentifierChange.id)
        ).all()  # fmt: skip
        assert [tuple(row) for row in changes] == [
            (people["anna"], "moved"), (member.id, "proven")
        ]  # fmt: skip
    assert thief.get("/me").status_code == thief.get("/me/password").status_code == 200
    assert browser().sign_in("anna@shop.example").status_code == 403
    assert anna.post("/code/new", page="/me").status_code == 303
    with app.app_context():
        assert db.session.scalar(select(func.count(Member.id))) == 4, "and only one new account"


def test_nobody_takes_an_address_from_staff(
    app: Flask, browser: Open, mail: Post, people: dict[str, int]
) -> None:
    eve = browser()
    asks(eve, "olga@shop.example")
    types(eve, mail.code_to("olga@shop.example"))
    assert "/code/new" not in more(eve)
    eve.post("/code/new", page="/code/more")
    assert not eve.is_signed_in()
    with app.app_context():
        owner = find("olga@shop.example")
        assert owner and owner.id == people["olga"]


def test_a_number_that_was_silent_asks_for_more(
    app: Flask, browser: Open, mail: Post, people: dict[str, int], clock: Clock
) -> None:
    prove(app, "anna@shop.example", clock.now)
    with app.app_context(), transaction() as session:
        session.add(Identifier(member_id=people["anna"], kind="phone", value="+8613900139000",
                               proven_at=clock.now))  # fmt: skip
    for days, opens in ((entering.SILENT_DAYS - 1, True), (entering.SILENT_DAYS + 1, False)):
        clock.tick(days=days)
        somebody = browser()
        asks(somebody, "13900139000")
        types(somebody, mail.code_to("+8613900139000"))
        assert somebody.is_signed_in() is opens
    assert "Numbers change hands" in more(somebody)
    somebody.post("/code/new", page="/code/more")
    assert somebody.is_signed_in()
    with app.app_context():
        old, new = find("anna@shop.example"), find("+8613900139000")
        assert old and new and old.id != new.id


def test_a_number_that_is_all_somebody_has_waits_a_year(
    app: Flask, browser: Open, mail: Post, clock: Clock
) -> None:
    lin = browser()
    asks(lin, "13900139000")
    types(lin, mail.code_to("+8613900139000"))
    for days, opens in (
        (entering.SILENT_ALONE_DAYS - 1, True),
        (entering.SILENT_ALONE_DAYS + 1, False),
    ):
        clock.tick(days=days)
        somebody = browser("198.51.100.7")
        asks(somebody, "13900139000")
        types(somebody, mail.code_to("+8613900139000"))
        assert somebody.is_signed_in() is opens
    lin.get("/sign-in")
    asks(lin, "13900139000")
    types(lin, mail.code_to("+8613900139000"))
    assert lin.is_signed_in(), "their own device knows them"


def test_a_closed_account_stays_closed(
    app: Flask, browser: Open, mail: Post, people: dict[str, int]
) -> None:
    prove(app, "anna@shop.example")
    with app.app_context():
        members.disable(people["anna"])
    anna = browser()
    asks(anna, "anna@shop.example")
    answer = types(anna, mail.code_to("anna@shop.example"))
    assert answer.status_code == 403 and "closed" in answer.text and not anna.is_signed_in()
