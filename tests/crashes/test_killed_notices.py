"""A thousand notices about a hundred payments, doubled, shuffled and forged, while the processes
that take them are killed: every payment that came has its goods, or goes back; nothing twice."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from flask import Flask

from store import clock, stock
from store.db import db
from store.payment import asking, paybacks
from store.payment.gateways.offered import set_up
from store.payment.models import Attempt, Payback
from store.payment.sandboxes.serving import Sent
from tests.live import LiveServer, Start
from tests.payment.practice import SHOP, Providers, providers
from tests.sales.test_paying import start_many
from tests.world import World

KILLS, STOCK, SENDERS, ORDERS = 5, 50, 4, 20


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


@pytest.fixture
def settings(settings: dict[str, Any], practice: Providers) -> dict[str, Any]:
    return settings | practice.settings


class Provider:
    """It sends a notice again until it is thanked for, as the real one does."""

    def __init__(self, server: LiveServer, notices: list[tuple[Sent, int]]) -> None:
        self.server, self.left = server, notices
        self.answers: Counter[str] = Counter()
        self._lock = threading.Lock()

    def work(self) -> None:
        while True:
            with self._lock:
                if not self.left:
                    return
                notice, wanted = self.left.pop()
            said = self._send(notice)
            with self._lock:
                if said == wanted:
                    self.answers["as expected"] += 1
                elif said in (0, 500, 503):
                    self.answers["none"] += 1
                    self.left.insert(0, (notice, wanted))
                else:
                    self.answers[f"{said} for {wanted}"] += 1

    def _send(self, notice: Sent) -> int:
        there = self.server.url + notice.url.removeprefix(SHOP)
        try:
            return requests.post(
                there, data=notice.body, headers=notice.headers, timeout=10
            ).status_code
        except requests.RequestException:
            time.sleep(0.1)
            return 0


def test_a_thousand_notices_while_all_who_take_them_are_killed(
    world: World, live_server: Start, practice: Providers, app: Flask
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance, stripe = random.Random(seed), practice.stripe
    stripe.outgoing.clear()
    milk = world.item(price="12.50", on_hand=STOCK)
    people = [world.member() for _ in range(4)]
    tea = world.item("tea", price="12.50", on_hand=ORDERS)
    started = start_many(world, [one.id for one in people * 20], milk)
    started += start_many(world, [one.id for one in people * (ORDERS // 4)], tea, orders=True)
    paid = ordered = 0
    for number, (_, reference) in enumerate(started):
        end = chance.choice(["pay", "pay", "pay", "pay", "decline", "never"])
        if number < 80:
            paid += end != "decline"
        else:
            ordered += end != "decline"
        stripe.ends(reference, end)
    posts = [(one, 204) for one in stripe.outgoing for _ in range(chance.randint(8, 12))]
    forged = stripe.event("checkout.session.completed", {}, secret="guessed")
    posts += [(forged, 400)] * (1000 - len(posts))
    chance.shuffle(posts)
    provider = Provider(live_server(WORKERS=2), posts)
    senders = [threading.Thread(target=provider.work, daemon=True) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.05, 0.2))
        for worker in provider.server.children():
            os.kill(worker, signal.SIGKILL)
    for sender in senders:
        sender.join(120)
        assert not sender.is_alive()
    provider.server.stop()
    print(provider.answers)
    assert provider.answers["none"] > 0, "no notice was lost: the test is too tame"
    assert set(provider.answers) == {"as expected", "none"}
    _settle_the_rest(app)
    with app.app_context():
        ours = {one.id: one for one in db.session.query(Attempt)}
    states = Counter("sold" if one.sale_id else one.state for one in ours.values())
    failed = 100 - paid - ordered
    assert states == Counter(sold=STOCK + ordered, refunded=paid - STOCK, failed=failed)
    assert world.left(milk) == 0
    with app.app_context():
        free = stock.available([tea.id], [world.location])[tea.id, world.location]
    assert free.available == ORDERS - ordered
    for attempt_id, reference in started:
        gone = sum(one["amount"] for one in stripe.sessions[reference].refunds)
        assert gone == (1250 if ours[attempt_id].state == "refunded" else 0)
    assert world.faults() == []


def _settle_the_rest(app: Flask) -> None:
    """What the outbox does: ask about what no notice came for, and for what goes back."""
    with app.app_context():
        gateways = set_up(app.config)
        asking.ask_again(gateways, at=clock.now() + timedelta(hours=1))
        deadline = time.monotonic() + 60
        while db.session.query(Payback).filter_by(state="waiting").count():
            db.session.rollback()
            assert time.monotonic() < deadline
            if not paybacks.work(gateways):
                time.sleep(0.1)  # One that was asked for when its server died is asked for later.
