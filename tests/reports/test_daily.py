"""The daily mail: yesterday against a week before, once a day and person, ended by a link."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, update

from store import outbox
from store.db import db, transaction
from store.identity.models import Identifier, Member, StaffRight
from store.post import letters, speaking
from store.post.models import Letter
from store.reports.daily import daily
from store.reports.daily.daily_models import DailyMail
from tests.conftest import Clock
from tests.reports.shop import Shop
from tests.reports.test_today import _signed_in

NOW = datetime(2026, 11, 3, 6, 20, tzinfo=UTC)
"""A Tuesday, 14:20 in Shanghai."""
DAY = timedelta(days=1)
MAIL = "ada@shop.example"


@pytest.fixture
def settings(settings: dict[str, object]) -> dict[str, object]:
    return settings | {"PRACTICE_POST": True, "BASE_URL": "https://shop.example"}


def _prove(app: Flask, member_id: int, mail: str = MAIL) -> None:
    with app.app_context(), transaction() as session:
        session.execute(insert(Identifier), [{
            "member_id": member_id, "kind": "email", "value": mail, "proven_at": NOW - DAY,
            "created_at": NOW - DAY,
        }])  # fmt: skip


def _mails(app: Flask) -> list[Any]:
    """What was sent since the last look, in the order of sending."""
    folder = Path(app.config["INSTANCE"], "practice-post")
    with app.app_context():
        letters.deliver(app.config, speaking.speaking)
    found = []
    for file in sorted(folder.glob("*.eml")):
        found.append(message_from_bytes(file.read_bytes(), policy=default))
        file.unlink()
    return found


def _put(app: Flask) -> int:
    with app.app_context():
        return daily.put_due(app.config)


def _post(client: FlaskClient, path: str, **form: str) -> Any:
    page = client.get("/owner/mail").text
    token = page.split('name="csrf" value="')[1].split('"')[0]
    return client.post(path, data={"csrf": token, **form})


def test_yesterday_comes_each_morning_once_and_a_link_ends_it(app: Flask, clock: Clock) -> None:
    clock.set(NOW)
    with app.app_context():
        shop = Shop()
        shop.open()
        shop.sell(NOW - DAY, (1, 2, 3000), (2, 1, 1000), channel="web", member_id=3)
        shop.sell(NOW - 8 * DAY, (1, 1, 2000))
        shop.give_back(shop.sold[0], NOW - DAY + timedelta(hours=1), 1, 0)
        shop.sell(NOW, (1, 1, 9900))
        outbox.work()
        with transaction() as session:
            session.execute(update(Member).where(Member.id == 3).values(name="Quill the shopper"))
    owner = _signed_in(app, "owner", 100)
    assert _post(owner, "/owner/mail", wanted="1").status_code == 409
    _prove(app, 100)
    assert _post(owner, "/owner/mail", wanted="1").status_code == 303
    assert _put(app) == 0, "from tomorrow on"
    clock.set(NOW + DAY - timedelta(hours=8))
    assert _put(app) == 0, "it is 6:20 there"
    clock.set(NOW + DAY - timedelta(hours=7))
    assert (_put(app), _put(app)) == (1, 0)
    (mail,) = _mails(app)
    assert "99.00" in mail["Subject"] and mail["To"] == MAIL
    # A week without a worker: one mail, about the last day.
    clock.set(NOW + 9 * DAY)
    assert (_put(app), _put(app)) == (1, 0)
    assert len(_mails(app)) == 0, "closed then and a week before"

    clock.set(NOW)
    with app.app_context(), transaction() as session:
        session.execute(update(DailyMail).values(last_day=0))
    assert _put(app) == 1
    (mail,) = _mails(app)
    texts = {part.get_content_subtype(): part.get_content() for part in mail.iter_parts()}
    for said in texts.values():
        assert "25.00" in said and "20.00" in said and "15.00" in said
        assert "https://shop.example/owner/takings" in said
        assert "Quill" not in said and "99.00" not in said
    stop = mail["List-Unsubscribe"].strip("<>")
    assert stop.startswith("https://shop.example/stop/daily/100-") and stop in texts["plain"]
    path = stop.removeprefix("https://shop.example")
    stranger = app.test_client()
    assert stranger.get(path).status_code == 200
    assert stranger.get(path[:-1] + "0").status_code in (404, 200 if path[-1] == "0" else 404)
    assert stranger.get("/stop/daily/101-" + path.partition("-")[2]).status_code == 404
    with app.app_context():
        assert daily.wanted_by(100), "looking at the link ends nothing"
    assert stranger.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    with app.app_context():
        assert not daily.wanted_by(100)


def test_a_test_goes_out_at_once_in_ones_own_language_and_not_again(
    app: Flask, clock: Clock
) -> None:
    clock.set(NOW)
    with app.app_context():
        shop = Shop()
        shop.open()
    owner = _signed_in(app, "owner", 100)
    _prove(app, 100)
    with app.app_context(), transaction() as session:
        session.execute(update(Member).where(Member.id == 100).values(language="zh"))
    assert _post(owner, "/owner/mail/test").status_code == 404
    _post(owner, "/owner/mail", wanted="1")
    assert _post(owner, "/owner/mail/test").status_code == 303
    assert _post(owner, "/owner/mail/test").status_code == 429
    (mail,) = _mails(app)
    plain = mail.get_body(("plain",))
    assert mail["Content-Language"] == "zh" and "营业额" in plain.get_content()
    assert _post(owner, "/owner/mail", wanted="").status_code == 303
    assert "wanted" in owner.get("/owner/mail").text


def test_whoever_may_not_see_the_takings_any_more_gets_nothing(app: Flask, clock: Clock) -> None:
    clock.set(NOW)
    with app.app_context():
        shop = Shop()
        shop.open()
        shop.sell(NOW - DAY, (1, 2, 3000))
    clerk = _signed_in(app, "staff", 101)
    _prove(app, 101)
    assert clerk.get("/owner/mail").status_code == 403
    with app.app_context(), transaction() as session:
        session.add(StaffRight(member_id=101, rights=["see_sales"], set_at=NOW))
    assert _post(clerk, "/owner/mail", wanted="1").status_code == 303
    with app.app_context(), transaction() as session:
        session.execute(update(DailyMail).values(last_day=0))
        session.execute(update(StaffRight).values(rights=[]))
    assert _put(app) == 1
    assert _mails(app) == []
    with app.app_context():
        assert db.session.scalar(select(Letter.state)) == "dropped"


def test_a_shop_without_mail_lets_none_pile_up(app: Flask, clock: Clock) -> None:
    clock.set(NOW)
    app.config["PRACTICE_POST"] = False
    with app.app_context():
        Shop().open()
        with transaction() as session:
            session.add(DailyMail(member_id=1, since=NOW, last_day=0))
        _prove(app, 1)
        assert daily.put_due(app.config) == 0
        assert db.session.scalar(select(func.count()).select_from(Letter)) == 0
