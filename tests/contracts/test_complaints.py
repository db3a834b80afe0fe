"""What every provider at which shoppers complain goes through with the shop around it, on both
databases: a complaint stands among the disputes once, moves no money, is answered once, and nobody
else's is believed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from store import ids, sales
from store.db import db
from store.payment import asking, attempts, complaints, paybacks
from store.payment.calls import BREAKER
from store.payment.gateways import Complaint, Gateway
from store.payment.gateways.offered import set_up
from store.payment.models import Attempt, Dispute, DisputeAnswer
from store.payment.sandboxes.serving import Sent
from store.sales.paying import paying
from tests.conftest import Clock
from tests.payment.practice import Providers, deliver, providers
from tests.world import World

OUTCOME = {"alipay": "served", "wechat": "wait"}
WORDS = "The cup was broken }{ 杯子碎了"


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


@pytest.fixture
def settings(settings: dict[str, Any], practice: Providers) -> dict[str, Any]:
    return settings | practice.settings


@pytest.fixture(params=("alipay", "wechat"))
def shop(
    request: pytest.FixtureRequest, clock: Clock, world: World, practice: Providers,
    client: FlaskClient,
) -> Iterator[Shop]:  # fmt: skip
    practice.wechat.complaints.notice_url = "http://localhost/payments/notices/wechat"
    for sandbox in (practice.alipay, practice.wechat):
        sandbox.complaints.made.clear()
        sandbox.complaints.answers.clear()
    yield Shop(world, practice, client, str(request.param))
    BREAKER.close()


class Shop:
    """A shop, one of its gateways, and what was paid there."""

    def __init__(self, world: World, practice: Providers, client: FlaskClient, name: str) -> None:
        self.world, self.client, self.name = world, client, name
        self.provider: Any = practice.named(name)
        self.lin = world.member()
        self.owner = world.client_for(world.owner())
        self.item = world.item(price="12.50", on_hand=9)

    @property
    def gateway(self) -> Gateway:
        return set_up(self.world.app.config)[self.name]

    def pays(self) -> Attempt:
        asked = sales.Buy(
            self.lin.id, self.world.location, "CNY", (sales.Line(self.item.id, 1),), ids.new(),
            means=self.name,
        )  # fmt: skip
        with self.world.app.app_context():
            begun = paying.pay(paying.Paying(asked, self.gateway, base_url="http://localhost"))
            mine = attempts.find(begun)
            if self.name == "alipay":  # Its page opens the trade there.
                self.provider._open(
                    {"out_trade_no": mine.id, "total_amount": "12.50", "subject": "cup"},
                    {"notify_url": "http://localhost/payments/notices/alipay"},
                )
            self.provider.ends(mine.id, "never")
            asking.ask_about(mine, self.gateway)
            return attempts.find(begun)

    def tells(self, number: str, mine: Attempt, action: str = "USER_RESPONSE") -> Sent:
        if self.name == "alipay":
            sent: Sent = self.provider.tells_of(number, self.provider.trades[mine.id])
            return sent
        sent = self.provider.tells_of(number, action)
        return sent

    def stands(self) -> list[tuple[str, str, str]]:
        with self.world.app.app_context():
            rows = db.session.scalars(select(Dispute).order_by(Dispute.id)).all()
            return [(one.state, one.words, one.phone) for one in rows]

    def money(self) -> list[Any]:
        tables = ("transfers", "accounts", "attempts", "paybacks")
        with self.world.app.app_context():
            query = "SELECT * FROM {} ORDER BY 1"
            return [db.session.execute(text(query.format(one))).all() for one in tables]

    def answers(self, page: str, words: str, outcome: str, key: str = "") -> str:
        shown = self.owner.get(page).text
        found = re.search(r'name="key" value="([^"]+)"', shown)
        assert found is not None, shown
        return self.sends(f"{page}/answers", words=words, outcome=outcome, key=key or found[1])

    def sends(self, path: str, **form: str) -> str:
        """What the owner reads after a form was taken."""
        after = self.owner.post(path, form)
        assert after.status_code == 303, after.text
        return str(self.owner.get(after.headers["Location"]).text)


def test_a_complaint_is_told_answered_and_ended_and_no_money_moves(
    shop: Shop, clock: Clock
) -> None:
    mine = shop.pays()
    before = shop.money()
    told = shop.provider.complains(mine.id, WORDS)
    for _ in range(3):
        assert deliver(shop.client, told).status_code in (200, 204)
    [(state, words, phone)] = shop.stands()
    assert (state, words) == ("open", WORDS)
    assert phone == {"alipay": "138****8000", "wechat": "13800138000"}[shop.name]
    listed = shop.owner.get("/owner/payments").text
    found = re.search(r"/owner/payments/complaints/\w+", listed)
    assert found is not None
    page = found[0]
    assert "杯子碎了" in shop.owner.get(page).text
    clock.tick(minutes=5)
    key = ids.new()
    for _ in range(2):  # The same page says it once.
        said = shop.answers(page, "We send another one today.", OUTCOME[shop.name], key)
        assert "The shopper has your answer." in said
        if shop.name == "alipay":
            break  # It has no second answer to give.
    assert len(shop.provider.complaints.answers) == 1
    assert shop.stands()[0][0] == "answered"
    clock.tick(minutes=5)
    number = next(iter(shop.provider.complaints.made))
    if shop.name == "alipay":
        shop.provider.complaints.ends(number)
    else:
        shop.provider.complaints.writes_again(number)
        deliver(shop.client, shop.tells(number, mine))
        assert shop.stands()[0][0] == "open"
        clock.tick(minutes=5)
        assert "The shopper has your answer." in shop.answers(page, "", "done")
    deliver(shop.client, shop.tells(number, mine, "MERCHANT_CONFIRM_COMPLETE"))
    assert shop.stands() == [("ended", WORDS, "")]  # The number goes with the reason for it.
    assert shop.money() == before
    assert "nothing more is said" in shop.owner.get(page).text
    form = {"words": "more", "outcome": OUTCOME[shop.name], "key": ids.new()}
    assert shop.owner.post(f"{page}/answers", form).status_code == 409
    with shop.world.app.app_context():  # What follows is an ordinary refund, once.
        sales.refund(str(mine.sale_id), made_by=shop.world.staff().id)
        for _ in range(2):
            paybacks.work({shop.name: shop.gateway})
            clock.tick(hours=2)
    assert shop.world.faults() == []


def test_what_is_not_about_our_money_is_refused_and_forms_are_held(shop: Shop) -> None:
    mine = shop.pays()
    made = shop.provider.complaints.made
    told = shop.provider.complains(mine.id, WORDS)
    number = next(iter(made))
    true = dict(made[number])
    orders = "complaint_order_info"
    wrong: list[dict[str, Any]] = (
        [{"merchant_order_no": "none"}, {"trade_amount": "12.51"}, {"trade_amount": "0.00"}]
        if shop.name == "alipay"
        else [{orders: [{"out_trade_no": "none", "amount": 1250}]}, {orders: []},
              {orders: [{"out_trade_no": mine.id, "amount": 1}]}]
    )  # fmt: skip
    for changed in wrong:
        made[number] = true | changed
        assert deliver(shop.client, shop.tells(number, mine)).status_code in (404, 409), changed
    rubbish: list[dict[str, Any]] = (
        [{"status": "UNHEARD_OF"}, {"trade_amount": "much"}]
        if shop.name == "alipay"
        else [{"complaint_state": "UNHEARD_OF"}, {orders: [{"out_trade_no": 1, "amount": "x"}]}]
    )
    for changed in rubbish:  # It is told again until it can be read.
        made[number] = true | changed
        assert deliver(shop.client, shop.tells(number, mine)).status_code == 503, changed
        BREAKER.close()
    made[number] = true
    for forged in (
        replace(told, body=told.body + b" "), replace(told, body=told.body[:-5]),
        shop.tells("../pay", mine), shop.tells("", mine), shop.tells("9" * 65, mine),
    ):  # fmt: skip
        assert deliver(shop.client, forged).status_code == 400
    assert deliver(shop.client, shop.tells("1234567", mine)).status_code == 409
    assert shop.stands() == []
    assert deliver(shop.client, told).status_code in (200, 204)
    with shop.world.app.app_context():
        page = f"/owner/payments/complaints/{db.session.scalars(select(Dispute.id)).one()}"
    for form in (
        {"outcome": OUTCOME[shop.name], "key": ids.new()},
        {"words": "x", "key": ids.new()}, {"words": "x", "outcome": "bribe", "key": ids.new()},
        {"words": "x" * 201, "outcome": OUTCOME[shop.name], "key": ids.new()},
        {"words": "x", "outcome": OUTCOME[shop.name], "key": ""},
        {"words": "\x00", "outcome": OUTCOME[shop.name], "key": ids.new()},
    ):  # fmt: skip
        assert shop.owner.post(f"{page}/answers", form).status_code == 422, form
    assert shop.provider.complaints.answers == []
    assert shop.world.faults() == []


def test_lost_notices_late_answers_and_a_silent_provider(shop: Shop, clock: Clock) -> None:
    """What no notice told of is found by asking; an older answer undoes no newer one; who does not
    know whether an answer came says so, and learns it."""
    mine = shop.pays()
    shop.provider.complains(mine.id, WORDS)
    number = next(iter(shop.provider.complaints.made))
    complaints._asked.clear()
    with shop.world.app.app_context():
        for _ in range(2):
            complaints.work({shop.name: shop.gateway})
        found = db.session.scalars(select(Dispute)).one()
        assert (found.state, found.reference) == ("open", number)
        asked_at = found.told_at
        assert asked_at is not None
        old = Complaint(number, mine.id, "ended", 1250, "CNY")
        assert complaints.take(shop.name, old, asked_at - timedelta(seconds=1)) == "open"
        page = f"/owner/payments/complaints/{found.id}"
    clock.tick(minutes=1)
    right = shop.world.app.config[setting := f"{shop.name.upper()}_URL"]
    shop.world.app.config[setting] = f"http://127.0.0.1:9/{shop.name}"
    assert "not known yet" in shop.answers(page, "We are sorry.", OUTCOME[shop.name])
    assert "It does not answer" in shop.sends(f"{page}/queries")
    BREAKER.close()
    shop.world.app.config[setting] = right
    # It had come after all: how it stands there says so.
    if shop.name == "alipay":
        shop.provider.complaints.made[number]["status"] = "MERCHANT_FEEDBACKED"
    else:
        shop.provider.complaints.made[number]["complaint_state"] = "PROCESSING"
    clock.tick(minutes=1)
    assert "how it stands now" in shop.sends(f"{page}/queries")
    with shop.world.app.app_context():
        assert db.session.scalars(select(DisputeAnswer.state)).all() == ["sent"]
    assert shop.stands()[0][0] == "answered"
    assert shop.world.faults() == []


def test_wechat_is_told_where_to_tell_and_tells_of_a_whole_refund(
    clock: Clock, world: World, practice: Providers, client: FlaskClient
) -> None:
    practice.wechat.complaints.notice_url = ""
    practice.wechat.complaints.made.clear()
    shop = Shop(world, practice, client, "wechat")
    mine = shop.pays()
    assert practice.wechat.complains(mine.id, WORDS) is None  # Nobody has said where.
    for _ in range(2):
        assert "its keys are right" in shop.sends("/owner/payments/checks", gateway="wechat")
    assert practice.wechat.complaints.notice_url.endswith("/payments/notices/wechat")
    with world.app.app_context():
        sales.refund(str(mine.sale_id), made_by=world.staff().id)
        paybacks.work({"wechat": shop.gateway})
    assert deliver(client, practice.wechat.outgoing[-1]).status_code == 204
    assert shop.stands()[0][:2] == ("open", WORDS)  # Money back ends no complaint at WeChat.
    assert world.faults() == []
