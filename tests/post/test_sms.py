"""SMS by anybody's HTTP interface; what is sent soon; the practice post."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from store import create_app
from store import settings as all_settings
from store.post import PostBusy, PostFailed, PostRefused, Sms, carry, quickly, send_soon
from store.post.sms import HttpSms
from tests.post.conftest import Provider

LIN = Sms("+8613800138000", '临港路店: 123456 & "more"', "123456")
JSON = '{"To": "{to}", "Msg": "{text}", "Param": {"code": "{code}"}}'
FORM = "apikey=k&mobile={number}&text={text}"


def test_a_json_provider_gets_what_was_meant(provider: Provider) -> None:
    HttpSms(provider.url, JSON, "Authorization: Bearer a:b | X-One: 1").carry(LIN, "ID1")
    (asked,) = provider.asked
    assert asked.json == {"To": LIN.to, "Msg": LIN.text, "Param": {"code": "123456"}}
    headers = asked.headers
    assert (headers["Authorization"], headers["X-One"]) == ("Bearer a:b", "1")
    assert headers["Idempotency-Key"] == "ID1"


def test_a_form_provider_gets_what_was_meant(provider: Provider) -> None:
    HttpSms(provider.url, FORM, "").carry(LIN, "ID1")
    (asked,) = provider.asked
    assert asked.form.to_dict() == {"apikey": "k", "mobile": "8613800138000", "text": LIN.text}


def test_what_is_filled_in_is_filled_in_once() -> None:
    sly = Sms("+861", '{code}","x":"{to}', "9")
    assert json.loads(HttpSms("http://x", JSON, "").filled(sly))["Msg"] == sly.text
    assert HttpSms("http://x", "a={text}", "").filled(sly).count(b"&") == 0


@pytest.mark.parametrize(
    ("status", "fault"),
    [(500, PostFailed), (429, PostFailed), (401, PostFailed), (302, PostFailed),
     (400, PostRefused), (404, PostRefused)],
)  # fmt: skip
def test_what_a_status_means(provider: Provider, status: int, fault: type[Exception]) -> None:
    provider.says = [status]
    with pytest.raises(fault) as said:
        HttpSms(provider.url, FORM, "").carry(LIN, "ID")
    assert "123456" not in str(said.value)
    assert len(provider.asked) == 1, "a redirect is not followed"


# Soon


def shop(provider: Provider, tmp_path: Path, **other: Any) -> dict[str, Any]:
    given = {"INSTANCE": str(tmp_path), "SMS_URL": provider.url, "SMS_BODY": FORM}
    return all_settings.load(given | other)


def test_soon_is_tried_twice_and_says_what_became_of_it(provider: Provider, tmp_path: Path) -> None:
    said: list[bool] = []
    for provider.says in ([500], [500, 500], [400]):
        send_soon(shop(provider, tmp_path), LIN, "ID", said.append)
        quickly.wait()
    assert said == [True, False, False]


def test_soon_never_grows_without_end(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, told = threading.Event(), threading.Semaphore(0)

    def held(settings: object, message: object, letter_id: str) -> None:
        told.release()
        assert go_on.wait(10)

    monkeypatch.setattr(quickly, "carry", held)
    settings, said = shop(provider, tmp_path), list[bool]()
    for _ in range(quickly.THREADS):
        send_soon(settings, LIN, "ID", said.append)
        assert told.acquire(timeout=5)
    for _ in range(quickly.MOST_WAITING):
        send_soon(settings, LIN, "ID", said.append)
    with pytest.raises(PostBusy):
        send_soon(settings, LIN, "ID", said.append)
    go_on.set()
    quickly.wait()
    assert said == [True] * (quickly.THREADS + quickly.MOST_WAITING)


# Practice


def test_the_demo_shop_shows_its_letters_and_no_other_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for demo, seen in ((True, 200), (False, 404)):
        app = create_app(
            {"INSTANCE": str(tmp_path), "DEMO": demo, "PRACTICE_POST": True, "TESTING": True,
             "DATABASE_URL": f"sqlite:///{tmp_path}/s"}
        )  # fmt: skip
        carry(app.config, LIN, "ID1")
        page = app.test_client().get("/practice/post")
        assert page.status_code == seen
        assert ("123456" in page.text) is demo
    assert "123456" in capsys.readouterr().err, "and the terminal shows them"


@pytest.mark.parametrize(
    "wrong",
    [{"SMTP_HOST": "mail.example"}, {"SMTP_TLS": "yes"}, {"SMS_URL": "sms.example"},
     {"SMS_URL": "https://sms.example", "SMS_BODY": "to={to}"},
     {"SMTP_HOST": "mail.example", "MAIL_FROM": "Shop <shop@shop.example>"}],
)  # fmt: skip
def test_settings_that_cannot_work_stop_the_shop(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="STORE_"):
        all_settings.load({"INSTANCE": str(tmp_path), **wrong})
