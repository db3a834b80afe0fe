"""A member's own addresses: proven by a code, one of them first, taken off; never by others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

from store.db import db
from store.identity import (
    factors,
    find,
    identifiers,
    notice_views,
    notices,
    passkeys,
    proven_mail,
)
from store.identity.callers import Caller
from store.identity.models import IdentifierChange, Passkey
from store.post.models import Letter
from tests.conftest import Clock
from tests.identity.conftest import PASSWORD, Browser
from tests.identity.test_codes import Post, mail, prove, settings, wrong
from tests.races.crowd import at_once

__all__ = ["mail", "settings"]

Open = Callable[..., Browser]
PHONE = "+8613912345678"


def asks(person: Browser, who: str) -> int:
    return person.post("/me/signs", page="/me/signs", identifier=who).status_code


def types(person: Browser, code: str, page: str = "/me/signs") -> int:
    return person.post("/me/signs/code", page=page, code=code).status_code


def signs_of(app: Flask, who: str) -> list[tuple[str, bool]]:
    with app.app_context():
        member = find(who)
        kept = identifiers.of_member(member.id) if member else []
        return [(sign.value, sign.proven_at is not None) for sign in kept]


def sign_id(app: Flask, value: str) -> int:
    with app.app_context():
        holder = identifiers.holder_of("email" if "@" in value else "phone", value)
        assert holder
        return holder[0].id


def test_addresses_are_proven_put_first_and_taken_off(
    app: Flask, browser: Open, people: dict[str, int], mail: Post, clock: Clock
) -> None:
    anna = browser()
    anna.sign_in("anna@shop.example")
    assert "Not proven" in anna.get("/me/signs").text
    assert asks(anna, "neither") == 422 and types(anna, "123456") == 409
    assert asks(anna, "13912345678") == 303 and PHONE in anna.get("/me/signs").text
    code = mail.code_to(PHONE)
    assert types(anna, wrong(code)) == 403 and signs_of(app, PHONE) == []
    assert types(anna, code) == 303 and types(anna, code) == 409
    assert signs_of(app, PHONE) == [("anna@shop.example", False), (PHONE, True)]
    path = f"/me/signs/{sign_id(app, 'anna@shop.example')}"
    anna.post(f"{path}/first", page="/me/signs")
    with app.app_context():
        assert identifiers.first_of(people["anna"]) == "anna@shop.example"
    anna.post(f"/me/signs/{sign_id(app, PHONE)}/first", page="/me/signs")
    assert signs_of(app, PHONE)[0] == (PHONE, True)
    assert asks(anna, "Anna@Shop.example") == 303
    assert types(anna, mail.code_to("anna@shop.example")) == 303
    with app.app_context():
        assert proven_mail(people["anna"]) == "anna@shop.example"
    assert anna.post(f"{path}/end", page="/me/signs").status_code == 303
    assert signs_of(app, PHONE) == [(PHONE, True)]
    last = anna.post(f"/me/signs/{sign_id(app, PHONE)}/end", page="/me/signs")
    assert last.status_code == 409 and "only way into" in last.text
    # Another's is left alone, and a phone that was left lying changes nothing.
    anna.post(f"/me/signs/{sign_id(app, 'olga@shop.example')}/end", page="/me/signs")
    clock.tick(minutes=11)
    assert asks(anna, "new@shop.example") == 403 and "Sign in again" in anna.get("/me/signs").text
    assert signs_of(app, "olga@shop.example") and signs_of(app, "new@shop.example") == []
    with app.app_context():
        changes = select(IdentifierChange.what).order_by(IdentifierChange.id)
        assert db.session.scalars(changes).all() == ["proven", "proven", "removed"]


def test_what_another_has_moves_only_where_nobody_had_proven_it(
    app: Flask, browser: Open, people: dict[str, int], mail: Post
) -> None:
    lin = browser("198.51.100.1")
    lin.post("/start", page="/sign-in", identifier="lin@shop.example")
    lin.post("/code", page="/code", code=mail.code_to("lin@shop.example"))
    for who, status in (("anna@shop.example", 303), ("olga@shop.example", 409)):
        assert asks(lin, who) == 303
        assert types(lin, mail.code_to(who)) == status
    assert signs_of(app, "anna@shop.example") == [
        ("lin@shop.example", True), ("anna@shop.example", True),
    ]  # fmt: skip
    assert browser().sign_in("anna@shop.example", PASSWORD).status_code == 403
    prove(app, "olga@shop.example")
    assert asks(lin, "olga@shop.example") == 303
    told = lin.post("/me/signs/code", page="/me/signs", code=mail.code_to("olga@shop.example"))
    assert told.status_code == 409 and len(signs_of(app, "olga@shop.example")) == 1


def test_two_who_read_one_mailbox_have_it_once(
    app: Flask, browser: Open, people: dict[str, int], mail: Post
) -> None:
    two = []
    for at in range(2):
        one = browser(f"198.51.100.{at}")
        one.post("/start", page="/sign-in", identifier=f"one{at}@shop.example")
        one.post("/code", page="/code", code=mail.code_to(f"one{at}@shop.example"))
        assert asks(one, PHONE) == 303
        one.code = mail.code_to(PHONE)  # type: ignore[attr-defined]
        one.get("/me/signs")
        two.append(one)
    jobs = [partial(types, one, one.code, "/me/signs") for one in two]  # type: ignore[attr-defined]
    assert sorted(map(str, at_once(jobs))) == ["303", "409"]
    assert len(signs_of(app, PHONE)) == 2


def test_there_are_so_many_and_no_more(
    app: Flask, browser: Open, people: dict[str, int], mail: Post,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("store.identity.signs.MOST", 2)
    anna = browser()
    anna.sign_in("anna@shop.example")
    told = []
    for at in range(2):
        asks(anna, f"a{at}@shop.example")
        told.append(types(anna, mail.code_to(f"a{at}@shop.example")))
    assert told == [303, 409]


def test_a_member_hears_of_what_opens_their_account(
    app: Flask, browser: Open, people: dict[str, int], mail: Post, clock: Clock
) -> None:
    anna = browser()
    anna.sign_in("anna@shop.example")
    assert asks(anna, PHONE) == 303 and types(anna, mail.code_to(PHONE)) == 303
    assert letters(app) == [], "nobody knows whose the address is"
    prove(app, "anna@shop.example")
    assert asks(anna, "new@shop.example") == 303
    assert types(anna, mail.code_to("new@shop.example")) == 303
    anna.post(f"/me/signs/{sign_id(app, 'anna@shop.example')}/end", page="/me/signs")
    assert letters(app) == [
        ("anna@shop.example", "sign_added:ne…@shop.example"),
        ("anna@shop.example", "sign_removed:an…@shop.example"),
        ("new@shop.example", "sign_removed:an…@shop.example"),
    ]
    caller = Caller("198.51.100.1", "", b"key")
    with app.app_context():
        secret = factors.secret_for(people["anna"], "visit", caller)
        code = pyotp.TOTP(secret).at(int(clock.now.timestamp()))
        factors.confirm(people["anna"], "visit", code, caller)
        key = Passkey(member_id=people["anna"], credential="a", public_key="b", sign_count=0,
                      name="phone", created_at=clock.now)  # fmt: skip
        passkeys.remove(people["anna"], passkeys._add(key, None))
        passkeys.remove(people["anna"], 999)
        factors.remove(people["anna"], "visit")
        factors.reset(people["anna"])
    told = [what for _, what in letters(app) if not what.startswith("sign_")]
    assert told == ["passkey_added:", "passkey_removed:", "second_removed:", "second_reset:",
                    "second_set:"]  # fmt: skip
    with app.test_request_context(headers={"Accept-Language": "en"}):
        for what in told:
            letter = notice_views.write(what, "new@shop.example", "en")
            assert letter and "If it was you" in letter.text and "123456" not in letter.text
        assert notice_views.write("nothing:", "new@shop.example", "en") is None


def letters(app: Flask) -> list[tuple[str, str]]:
    """To whom, and about what, in the order of the alphabet: letters of one moment have none."""
    with app.app_context():
        found = select(Letter.to, Letter.subject).where(Letter.kind == notices.KIND)
        return sorted((row[0], row[1]) for row in db.session.execute(found))
