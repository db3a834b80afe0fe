"""Passkeys: one touch signs in; an answer counts once, in its own browser, at this shop."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from flask import Flask
from soft_webauthn import SoftWebauthnDevice
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from store.db import db
from store.identity import members, passkey_answers, passkeys
from store.identity.models import Challenge, Passkey
from store.identity.passkeys import site_of
from tests.conftest import Clock
from tests.identity.conftest import Browser, live_sign_ins
from tests.races.crowd import at_once

Open = Callable[..., Browser]
HOME = "https://shop.example"
VERIFIED = 0x04


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Phone(SoftWebauthnDevice):  # type: ignore[misc]
    """A device that has checked its owner's finger, unless `checks` says that it cannot."""

    def __init__(self, checks: bool = True) -> None:
        super().__init__()
        self.flag = VERIFIED if checks else 0

    def make(self, options: dict[str, Any], origin: str = HOME) -> dict[str, Any]:
        asked = options | {"challenge": raw(options["challenge"])}
        asked["user"] = options["user"] | {"id": raw(options["user"]["id"])}
        made = self.create({"publicKey": asked}, origin)
        inner = cbor.decode(made["response"]["attestationObject"])
        inner["authData"] = self._flagged(inner["authData"])
        made["response"]["attestationObject"] = cbor.encode(inner)
        return self._written(made)

    def sign(self, options: dict[str, Any], origin: str = HOME) -> dict[str, Any]:
        asked = options | {"challenge": raw(options["challenge"])}
        signed = self.get({"publicKey": asked}, origin)
        said = signed["response"]
        said["authenticatorData"] = self._flagged(said["authenticatorData"])
        digest = hashes.Hash(hashes.SHA256())
        digest.update(said["clientDataJSON"])
        said["signature"] = self.private_key.sign(
            said["authenticatorData"] + digest.finalize(), ec.ECDSA(hashes.SHA256())
        )
        return self._written(signed)

    def _flagged(self, data: bytes) -> bytes:
        return data[:32] + bytes([data[32] | self.flag]) + data[33:]

    def _written(self, made: dict[str, Any]) -> dict[str, Any]:
        name = text(made["rawId"])
        inside = {key: text(value) for key, value in made["response"].items()}
        return {"id": name, "rawId": name, "type": "public-key", "response": inside}


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"BASE_URL": HOME}


def asked(browser: Browser, path: str = "/passkey/options") -> dict[str, Any]:
    found = browser.post(path, page="/me/passkeys" if "/me/" in path else "/sign-in?next=/")
    assert found.status_code == 200, found.text
    return dict(found.get_json(force=True))


def adds(browser: Browser, phone: Phone) -> TestResponse:
    made = phone.make(asked(browser, "/me/passkeys/options"))
    return browser.post("/me/passkeys", page="/me/passkeys", credential=json.dumps(made), name="")


def enters(browser: Browser, answer: dict[str, Any], **more: str) -> TestResponse:
    return browser.post("/passkey", page="", credential=json.dumps(answer), **more)


@pytest.fixture
def phone(browser: Open, people: dict[str, int]) -> Phone:
    """Anna's, with a passkey on it."""
    anna, found = browser(), Phone()
    anna.sign_in("anna@shop.example")
    assert adds(anna, found).status_code == 303
    assert "iPhone" in anna.get("/me/passkeys").text
    return found


def test_one_touch_signs_in_on_a_new_device(
    app: Flask, browser: Open, phone: Phone, people: dict[str, int]
) -> None:
    new = browser("198.51.100.7")
    options = asked(new)
    assert options["rpId"] == "shop.example" and options["userVerification"] == "required"
    assert not options.get("allowCredentials"), "nobody said who they are"
    entered = enters(new, phone.sign(options), next="/basket")
    assert (entered.status_code, entered.location) == (303, "/basket")
    assert "Anna" in new.get("/me").text
    with app.app_context():
        kept = db.session.scalars(select(Passkey)).one()
        assert kept.sign_count == 1 and kept.used_at
        assert db.session.scalar(select(func.count()).select_from(Challenge)) == 0


def refused(answer: TestResponse, browser: Browser) -> None:
    assert answer.status_code == 403, answer.text
    assert not browser.is_signed_in()


def test_an_answer_counts_once_and_for_its_own_browser(
    browser: Open, phone: Phone, clock: Clock
) -> None:
    new, thief = browser(), browser()
    answer = phone.sign(asked(new))
    asked(thief)
    refused(enters(thief, answer), thief)
    assert enters(new, answer).status_code == 303
    again = browser()
    asked(again)
    refused(enters(again, answer), again)
    late = browser()
    options = asked(late)
    clock.tick(minutes=passkey_answers.MINUTES, seconds=1)
    refused(enters(late, phone.sign(options)), late)


def test_what_was_signed_elsewhere_or_by_nobody_is_refused(browser: Open, phone: Phone) -> None:
    def other(changes: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]) -> None:
        new = browser()
        refused(enters(new, changes(asked(new), {})), new)

    other(lambda options, _: phone.sign(options, "https://evil.example"))
    other(lambda options, _: phone.sign(options, "http://shop.example"))
    phone.flag = 0  # Nobody has shown a finger.
    other(lambda options, _: phone.sign(options))
    phone.flag = VERIFIED
    stranger = Phone()
    stranger.cred_init("shop.example", phone.user_handle)
    other(lambda options, _: stranger.sign(options))
    stranger.credential_id = phone.credential_id
    other(lambda options, _: stranger.sign(options))

    def as_somebody(options: dict[str, Any], _: object) -> dict[str, Any]:
        answer = phone.sign(options)
        answer["response"]["userHandle"] = text(b"somebody else")
        return answer

    other(as_somebody)
    phone.sign_count = 0  # A copy of the key, made before it was used.
    new = browser()
    assert enters(new, phone.sign(asked(new))).status_code == 303
    phone.sign_count = 0
    other(lambda options, _: phone.sign(options))


@pytest.mark.parametrize(
    "said",
    ["", "[]", "null", "{}", '{"id": 1}', '{"id": "é", "response": {}}', "{" * 9000,
     '{"id": "AA", "response": []}', '{"id": "AA", "response": {"clientDataJSON": "!!"}}',
     '{"id": "AA", "response": {"clientDataJSON": "e30"}}', "x" * 30_000,
     '{"id": "AA", "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOjF9"}}'],
)  # fmt: skip
def test_rubbish_is_refused(browser: Open, phone: Phone, said: str) -> None:
    new = browser()
    refused(new.post("/passkey", credential=said), new)


def test_the_same_answer_at_once_signs_in_once(app: Flask, browser: Open, phone: Phone) -> None:
    new = browser()
    answer, visit = phone.sign(asked(new)), new.cookie() or ""
    before = live_sign_ins(app)

    def send() -> int:
        client = app.test_client()
        client.set_cookie("visit", visit)
        form = {"csrf": new.csrf, "credential": json.dumps(answer)}
        return client.post("/passkey", data=form).status_code

    assert sorted(map(str, at_once([send] * 6))) == ["303"] + ["403"] * 5
    assert live_sign_ins(app) == before + 1


def test_without_the_challenge_it_would_sign_in_again(
    app: Flask, browser: Open, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passkey_answers, "_take", lambda *arguments: True)
    answers = []
    phone.sign_count = -1  # A device that does not count: the challenge alone keeps it single.
    new = browser()
    answer = phone.sign(asked(new))
    for _ in range(2):
        again = browser()
        asked(again)
        answers.append(enters(again, answer).status_code)
    assert answers == [303, 303]


def test_a_passkey_is_named_removed_and_dead(
    app: Flask, browser: Open, phone: Phone, people: dict[str, int]
) -> None:
    anna, mei = browser(), browser()
    anna.sign_in("anna@shop.example")
    mei.sign_in("13800138000")
    with app.app_context():
        number = db.session.scalars(select(Passkey.id)).one()
    anna.post(f"/me/passkeys/{number}/name", page="/me/passkeys", name="<b>My phone</b>")
    mei.post(f"/me/passkeys/{number}/name", page="/me/passkeys", name="Mine")
    mei.post(f"/me/passkeys/{number}/end", page="/me/passkeys")
    assert "&lt;b&gt;My phone" in anna.get("/me/passkeys").text
    anna.post(f"/me/passkeys/{number}/end", page="/me/passkeys")
    new = browser()
    refused(enters(new, phone.sign(asked(new))), new)


def test_a_closed_account_and_a_full_one(
    app: Flask, browser: Open, phone: Phone, people: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    anna = browser()
    anna.sign_in("anna@shop.example")
    made = Phone().make(asked(anna, "/me/passkeys/options"))
    monkeypatch.setattr(passkeys, "MOST", 1)
    full = anna.post("/me/passkeys", page="/me/passkeys", credential=json.dumps(made), name="")
    assert full.status_code == 409 and "Remove one first" in full.text
    with app.app_context():
        members.disable(people["anna"])
    new = browser()
    refused(enters(new, phone.sign(asked(new))), new)


def test_a_passkey_of_one_account_is_not_added_to_another(
    app: Flask, browser: Open, phone: Phone, people: dict[str, int]
) -> None:
    mei = browser()
    mei.sign_in("13800138000")
    anna = browser()
    anna.sign_in("anna@shop.example")
    made = Phone().make(asked(anna, "/me/passkeys/options"))
    asked(mei, "/me/passkeys/options")
    answer = mei.post("/me/passkeys", page="/me/passkeys", credential=json.dumps(made), name="")
    assert answer.status_code == 403
    weak = Phone(checks=False).make(asked(mei, "/me/passkeys/options"))
    answer = mei.post("/me/passkeys", page="/me/passkeys", credential=json.dumps(weak), name="")
    assert answer.status_code == 403
    with app.app_context():
        assert db.session.scalar(select(func.count(Passkey.id))) == 1


@pytest.mark.parametrize(
    ("address", "name"),
    [("https://shop.example", "shop.example"), ("https://shop.example:8443", "shop.example"),
     ("http://localhost:8000", "localhost"), ("http://shop.example", None),
     ("https://192.168.1.9", None), ("https://[::1]:8443", None), ("http://127.0.0.1:8000", None)],
)  # fmt: skip
def test_where_there_are_passkeys(address: str, name: str | None) -> None:
    site = site_of(address)
    assert (site.name if site else None) == name


def test_at_an_address_without_passkeys_nothing_offers_them(
    app: Flask, browser: Open, people: dict[str, int]
) -> None:
    app.config["BASE_URL"] = "https://192.168.1.9"
    anna = browser()
    assert "passkey" not in anna.get("/sign-in").text
    anna.sign_in("anna@shop.example")
    assert "they need a name" in anna.get("/me/passkeys").text
    assert anna.post("/me/passkeys/options", page="/me/passkeys").status_code == 404
