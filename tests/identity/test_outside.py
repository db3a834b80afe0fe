"""Outside accounts: what a provider says is believed only where everything about it fits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from store.db import db
from store.identity import find, members, oidc, outside
from store.identity.models import Member, OutsideAccount
from tests.conftest import Clock
from tests.identity.conftest import Browser
from tests.identity.provider import CLIENT, SECRET, Provider, WeChatPractice, serving
from tests.identity.test_codes import prove
from tests.races.crowd import at_once

Open = Callable[..., Browser]
HOME = "http://localhost"
BACK = "/outside/oidc/back"


@pytest.fixture
def provider() -> Iterator[Provider]:
    found = Provider()
    with serving(found):
        yield found


@pytest.fixture
def wechat() -> Iterator[WeChatPractice]:
    found = WeChatPractice()
    with serving(found):
        yield found


APPLE = ECKey.generate_key("P-256")


@pytest.fixture
def settings(
    settings: dict[str, Any], provider: Provider, wechat: WeChatPractice
) -> dict[str, Any]:
    return settings | {
        "BASE_URL": HOME, "OIDC_ISSUER": provider.issuer, "OIDC_CLIENT_ID": CLIENT,
        "OIDC_SECRET": SECRET, "OIDC_NAME": "Campus", "APPLE_CLIENT_ID": CLIENT,
        "APPLE_TEAM_ID": "TEAM1", "APPLE_KEY_ID": "KEY1", "APPLE_URL": provider.issuer,
        "APPLE_KEY": APPLE.as_pem(private=True).decode(), "WECHAT_APP_ID": "wxapp",
        "WECHAT_APP_SECRET": "app-secret", "WECHAT_SITE_APP_ID": "wxsite",
        "WECHAT_SITE_SECRET": "site-secret", "WECHAT_LOGIN_URL": f"http://127.0.0.1:{wechat.port}",
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_is_known() -> None:
    oidc.kept.cache_clear()


def comes_back(browser: Browser, provider: Provider, **more: str) -> TestResponse:
    sent = browser.get("/outside/oidc?next=/basket&new=/pay")
    assert sent.status_code == 303, sent.text
    return browser.get(BACK, query_string=provider.agrees(sent.location) | more)


def members_there(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count(Member.id))) or 0


def refused(answer: TestResponse, browser: Browser, status: int = 403) -> None:
    assert answer.status_code == status, answer.text
    assert not browser.is_signed_in()


def test_a_stranger_is_a_member_and_is_known_the_next_time(
    app: Flask, browser: Open, provider: Provider
) -> None:
    lin = browser()
    assert "Go on with Campus" in lin.get("/sign-in").text
    assert comes_back(lin, provider).location == "/pay"
    assert lin.is_signed_in() and lin.cookie("device")
    again = browser()
    assert comes_back(again, provider).location == "/basket"
    assert members_there(app) == 1


def test_a_state_is_of_one_browser_and_used_once(
    browser: Open, provider: Provider, clock: Clock
) -> None:
    lin, eve = browser(), browser()
    eve.get("/sign-in")
    said = provider.agrees(lin.get("/outside/oidc").location)
    refused(eve.get(BACK, query_string=said), eve)
    for wrong in ("", "x", said["state"][:-1] + "é", said["state"].lower(), "A" * 53):
        refused(lin.get(BACK, query_string=said | {"state": wrong}), lin)
    other = lin.get("/outside/apple/back", query_string=said)
    refused(other, lin)
    clock.tick(minutes=outside.MINUTES, seconds=1)
    refused(lin.get(BACK, query_string=said), lin)


def test_the_same_answer_twice_and_a_refusal_there(browser: Open, provider: Provider) -> None:
    lin = browser()
    said = provider.agrees(lin.get("/outside/oidc").location)
    refused(lin.get(BACK, query_string={"state": said["state"], "error": "access_denied"}), lin)
    refused(lin.get(BACK, query_string=said), lin)
    said = provider.agrees(lin.get("/outside/oidc").location)
    refused(lin.get(BACK, query_string=said | {"code": "guessed"}), lin)


LIES: list[dict[str, Any]] = [
        {"nonce": "another"}, {"nonce": None}, {"aud": "another-shop"}, {"aud": None},
        {"aud": [CLIENT, "another-shop"]}, {"azp": "another-shop"}, {"iss": "https://evil.example"},
        {"exp": 1}, {"exp": None}, {"exp": True}, {"iat": int(time.time()) + 9000}, {"iat": "now"},
        {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": "x" * 256}, {"sub": "人"},
    ]  # fmt: skip


def test_a_token_that_does_not_fit_is_refused(browser: Open, provider: Provider) -> None:
    for provider.lies in LIES:
        refused(comes_back(lin := browser(), provider), lin)


def test_a_token_that_is_not_signed_by_them_is_refused(browser: Open, provider: Provider) -> None:
    for provider.broken in ("unsigned", "shared", "other key"):
        refused(comes_back(lin := browser(), provider), lin)


def test_keys_that_changed_are_asked_for_once_a_minute(
    browser: Open, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert comes_back(browser(), provider).status_code == 303
    provider.key = ECKey.generate_key("P-256", auto_kid=True)
    refused(comes_back(lin := browser(), provider), lin)
    asked = provider.asked.count("/keys")
    refused(comes_back(lin := browser(), provider), lin)
    assert provider.asked.count("/keys") == asked, "an unknown key does not make us ask and ask"
    provider.published = [RSAKey.generate_key(2048, auto_kid=True), provider.key]
    monkeypatch.setattr(oidc, "AGAIN_S", 0.0)
    assert comes_back(browser(), provider).status_code == 303


@pytest.mark.parametrize("broken", ["away", "huge"])
def test_a_provider_that_is_away_leaves_a_way_out(
    app: Flask, browser: Open, provider: Provider, broken: str
) -> None:
    lin = browser()
    said = provider.agrees(lin.get("/outside/oidc").location)
    provider.broken = broken
    back = lin.get(BACK, query_string=said)
    refused(back, lin, 503)
    oidc.kept.cache_clear()
    sent = lin.get("/outside/oidc?next=/basket")
    assert sent.status_code == 503 and "does not answer" in sent.text
    assert 'name="password"' in sent.text or 'name="identifier"' in sent.text


def test_one_who_speaks_of_another_is_not_asked(browser: Open, provider: Provider) -> None:
    provider.lies = {"described": "https://evil.example"}
    assert browser().get("/outside/oidc").status_code == 503


def test_no_transaction_is_open_while_they_are_asked(
    app: Flask, browser: Open, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = oidc.answer_of, []

    def asked(*arguments: Any, **more: Any) -> dict[str, Any]:
        seen.append(db.session().in_transaction())
        return real(*arguments, **more)

    monkeypatch.setattr(oidc, "answer_of", asked)
    assert comes_back(browser(), provider).status_code == 303
    assert len(seen) >= 3 and not any(seen)


# Whose account it is


@pytest.mark.parametrize(
    ("said", "proven", "joins"),
    [({"email_verified": True}, True, True), ({"email_verified": "true"}, True, True),
     ({"email_verified": True}, False, False), ({"email_verified": False}, True, False),
     ({"email_verified": "false"}, True, False), ({}, True, False),
     ({"email_verified": 1}, True, False)],
)  # fmt: skip
def test_an_address_joins_only_where_both_sides_have_proven_it(
    app: Flask, browser: Open, provider: Provider, people: dict[str, int],
    said: dict[str, Any], proven: bool, joins: bool,
) -> None:  # fmt: skip
    if proven:
        prove(app, "anna@shop.example")
    provider.person = {"sub": "anna", "email": "ANNA@shop.example", **said}
    lin = browser()
    assert comes_back(lin, provider).status_code == 303
    assert ("Anna" in lin.get("/me").text) is joins
    with app.app_context():
        anna = find("anna@shop.example")
        assert anna and anna.id == people["anna"], "and nobody takes it away"


def test_staff_connect_theirs_when_they_are_signed_in(
    app: Flask, browser: Open, provider: Provider, people: dict[str, int]
) -> None:
    prove(app, "olga@shop.example")
    provider.person = {"sub": "olga", "email": "olga@shop.example", "email_verified": True}
    olga = browser()
    refused(comes_back(olga, provider), olga)
    olga.sign_in("olga@shop.example")
    assert comes_back(olga, provider).location == "/me/outside"
    assert "Campus" in olga.get("/me/outside").text
    new = browser()
    assert comes_back(new, provider).status_code == 303 and "Olga" in new.get("/me").text
    anna = browser()
    anna.sign_in("anna@shop.example")
    assert comes_back(anna, provider).status_code == 409
    with app.app_context():
        number = db.session.scalars(select(OutsideAccount.id)).one()
    anna.post(f"/me/outside/{number}/end", page="/me")
    olga.post(f"/me/outside/{number}/end", page="/me")
    with app.app_context():
        assert db.session.scalar(select(func.count(OutsideAccount.id))) == 0


def test_the_last_way_in_stays_and_a_closed_account_is_closed(
    app: Flask, browser: Open, provider: Provider
) -> None:
    lin = browser()
    comes_back(lin, provider)
    with app.app_context():
        account = db.session.scalars(select(OutsideAccount)).one()
    assert lin.post(f"/me/outside/{account.id}/end", page="/me").status_code == 409
    with app.app_context():
        members.disable(account.member_id)
    again = browser()
    refused(comes_back(again, provider), again)


def test_the_same_person_in_two_browsers_at_once_is_one_member(
    app: Flask, browser: Open, provider: Provider
) -> None:
    browsers = [browser() for _ in range(4)]
    said = [provider.agrees(one.get("/outside/oidc").location) for one in browsers]
    at_once(
        [lambda one=one, what=what: one.get(BACK, query_string=what)  # type: ignore[misc]
         for one, what in zip(browsers, said)]
    )  # fmt: skip
    assert members_there(app) == 1
    assert sum(one.is_signed_in() for one in browsers) >= 2


# Apple and WeChat


def test_apple_answers_with_a_form_and_wants_a_signed_secret(
    browser: Open, provider: Provider
) -> None:
    provider.apple = APPLE
    lin = browser()
    sent = lin.get("/outside/apple?next=/basket&new=/pay")
    assert "response_mode=form_post" in sent.location
    said = provider.agrees(sent.location)
    visit = lin.cookie() or ""
    lin.client.delete_cookie("visit")  # A form from another site brings no cookie of ours.
    posted = lin.client.post("/outside/apple/back", data=said)
    assert posted.status_code == 303 and posted.location.startswith("/outside/apple/back?code=")
    lin.client.set_cookie("visit", visit)
    assert lin.get(posted.location).location == "/pay" and lin.is_signed_in()


INSIDE = "Mozilla/5.0 (iPhone) MicroMessenger/8.0"


def test_inside_wechat_nobody_is_asked_anything(
    app: Flask, browser: Open, wechat: WeChatPractice
) -> None:
    lin = browser(agent=INSIDE)
    asked = lin.get("/sign-in?next=/basket")
    assert asked.location.startswith("/outside/wechat?next=")
    there = lin.get(asked.location).location
    assert "/connect/oauth2/authorize?appid=wxapp&" in there and "snsapi_base" in there
    assert there.endswith("#wechat_redirect")
    state = there.partition("state=")[2].partition("#")[0]
    assert state.isalnum() and len(state) <= 128
    back = {"code": "code-wxapp", "state": state}
    assert lin.get("/outside/wechat/back", query_string=back).location == "/basket"
    assert lin.is_signed_in()
    with app.app_context():
        kept = db.session.scalars(select(OutsideAccount)).one()
        assert (kept.subject, kept.openid) == ("union-1", "openid-wxapp")
    payer = lin.client.get_cookie("payer")
    assert payer and payer.value.endswith("openid-wxapp"), "who is in this WeChat may pay with it"


@pytest.mark.parametrize("bound", [True, False])
def test_outside_wechat_its_code_is_scanned(
    app: Flask, browser: Open, wechat: WeChatPractice, bound: bool
) -> None:
    wechat.bound = bound
    for agent, app_id in ((INSIDE, "wxapp"), ("Mozilla/5.0 (Windows)", "wxsite")):
        lin = browser(agent=agent)
        there = lin.get("/outside/wechat").location
        assert ("qrconnect" in there) is (app_id == "wxsite")
        state = there.partition("state=")[2].partition("#")[0]
        back = {"code": f"code-{app_id}", "state": state}
        assert lin.get("/outside/wechat/back", query_string=back).status_code == 303
        assert lin.is_signed_in()
    assert members_there(app) == (1 if bound else 2)


def test_what_wechat_does_not_know_is_refused(browser: Open, wechat: WeChatPractice) -> None:
    lin = browser(agent=INSIDE)
    there = lin.get("/outside/wechat").location
    state = there.partition("state=")[2].partition("#")[0]
    answer = lin.get("/outside/wechat/back", query_string={"code": "guessed", "state": state})
    refused(answer, lin)
    assert "Sign in" in answer.text, "and another way is shown, not the same again"
