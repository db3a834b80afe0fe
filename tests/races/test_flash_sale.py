"""A flash sale: two hundred come at the same moment, in four ways, for fifty pieces, over two
processes. Fifty go home with one; everybody else is told so, and nothing is left behind."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask

from store import clock, ids, sales
from store.db import transaction
from store.identity.models import SignIn
from tests.live import LiveServer, Start
from tests.races.crowd import (
    Phone,
    answers,
    at_once,
    buy_at_once,
    look_then_act,
    stock_levels,
    token_of,
    unguarded_take,
    wanted,
    without_checks,
    words,
)
from tests.world import Somebody, Thing, World

PIECES, A_CHANNEL = 50, 50


class Hand:
    """A shopper's browser in the shop: signed in, without the cost of a password for each."""

    def __init__(self, world: World, server: LiveServer, member: Somebody) -> None:
        self._netloc = urlsplit(server.url).netloc
        secret, now = ids.secret(), clock.now()
        with world.app.app_context(), transaction() as session:
            session.add(
                SignIn(digest=ids.digest(secret), member_id=member.id, created_at=now, seen_at=now,
                       expires_at=now + timedelta(days=1))
            )  # fmt: skip
        key = str(world.app.config["SECRET_KEY"]).encode()
        self._csrf = ids.mac(key, "csrf", secret, length=26)
        self._cookie = f"visit-{self._netloc.rpartition(':')[2]}={secret}"
        self._connection = http.client.HTTPConnection(self._netloc, timeout=60)
        self._connection.connect()

    def post(self, path: str, **fields: Any) -> tuple[int, str]:
        """Send a form; the status and the page, or where it leads."""
        headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode({"csrf": self._csrf, "quantity": 1, **fields})
        self._connection.request("POST", path, body, headers)
        return self._answer()

    def get(self, path: str) -> tuple[int, str]:
        self._connection.request("GET", path, headers={"Cookie": self._cookie})
        return self._answer()

    def _answer(self) -> tuple[int, str]:
        answer = self._connection.getresponse()
        text = answer.read().decode()
        return answer.status, answer.headers.get("Location", "") or text


def of_pages(outcomes: list[Any]) -> Counter[str]:
    """What pages said: "sold" is a receipt, "sold_out" a refusal that names what is left."""
    found: Counter[str] = Counter()
    for outcome in outcomes:
        status, text = outcome if isinstance(outcome, tuple) else (0, repr(outcome))
        sold = status == 303 and text.startswith("/sales/")
        found["sold" if sold else f"refused {status}"] += 1
    return found


@pytest.fixture
def four_channels(
    world: World, live_server: Start
) -> tuple[Thing, dict[str, list[Callable[[], Any]]]]:
    """Everybody at the shelf with their connection open: what each will do, by channel."""
    milk = world.item(on_hand=PIECES)
    server = live_server(WORKERS=2)
    people = [world.member(funds="1000") for _ in range(3 * A_CHANNEL)]
    hands = [Hand(world, server, one) for one in people[: 2 * A_CHANNEL]]
    shelf, baskets = hands[:A_CHANNEL], hands[A_CHANNEL:]
    seen = {"seen_minor": milk.price_minor}
    keys = []
    for hand in baskets:
        assert hand.post("/basket/lines", code=milk.code, **seen)[0] == 303
        keys.append(hand.get("/basket")[1].partition('name="key" value="')[2].partition('"')[0])
    apart = [Phone(server, token_of(world, one)) for one in people[2 * A_CHANNEL :]]
    till = token_of(world, world.staff())
    tills = [Phone(server, till) for _ in range(A_CHANNEL)]
    assert {phone.call("GET", "/me")[0] for phone in apart + tills} == {200}
    sold = {"item": milk.code, "quantity": 1}
    cash = {"location": "MAIN", "lines": [sold], "payment": {"method": "cash"}}
    return milk, {
        "shelf": [
            partial(hand.post, "/sales", code=milk.code, key=ids.new(), **seen) for hand in shelf
        ],
        "basket": [
            partial(hand.post, "/basket/checkout", key=key, **{f"seen-{milk.id}": milk.price_minor})
            for hand, key in zip(baskets, keys, strict=True)
        ],
        "app": [partial(phone.buy, (milk, 1)) for phone in apart],
        "till": [partial(phone.call, "POST", "/sales", cash, ids.new()) for phone in tills],
    }


def test_fifty_are_sold_to_two_hundred_over_two_processes(
    world: World, four_channels: tuple[Thing, dict[str, list[Callable[[], Any]]]]
) -> None:
    milk, channels = four_channels
    outcomes = at_once([job for jobs in channels.values() for job in jobs])
    told: Counter[str] = Counter()
    for number, channel in enumerate(channels):
        part = outcomes[number * A_CHANNEL : (number + 1) * A_CHANNEL]
        counted = of_pages(part) if channel in ("shelf", "basket") else answers(part)
        print(channel, dict(counted))
        told["sold"] += counted.pop("sold", 0)
        told["refused"] += counted.pop("refused 409", 0) + counted.pop("out_of_stock", 0)
        assert not counted, (channel, counted)
    assert told == {"sold": PIECES, "refused": 4 * A_CHANNEL - PIECES}
    assert world.left(milk) == 0
    assert world.faults() == []


def test_without_the_guard_more_than_fifty_would_be_sold(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control, with the shop's own verbs: the guard keeps it at fifty."""
    look_then_act(monkeypatch.setattr)
    monkeypatch.setattr(stock_levels, "_take", unguarded_take())
    without_checks(app, "levels", "ck_levels_on_hand")
    milk = world.item(on_hand=PIECES)
    people = [world.member(funds="10000") for _ in range(8)]
    sold = 0
    for _ in range(4 * A_CHANNEL // len(people)):
        buys: list[sales.Buy] = [wanted(world, one, (milk, 1)) for one in people]
        sold += words(buy_at_once(app, buys))["sold"]
    assert sold > PIECES, "no race was seen, so the test above proves nothing"
    assert any("levels_below_zero" in fault for fault in world.faults())
