"""Webhooks out: signed, in order, tried again, and never sent where they could do harm."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from store import clock as shop_clock
from store import integration, outbox
from store.db import db, transaction
from store.integration import delivering, sending, webhooks
from store.integration.sending import AddressRefused, SendFailed
from tests.conftest import Clock
from tests.integration.receiver import Receiver, is_genuine, receiving
from tests.world import Thing, World

VECTORS = Path(__file__).resolve().parents[3] / "shared/data/webhooks/standard_webhooks.json"
LOOPBACK = sending.networks("127.0.0.0/8")


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"WEBHOOK_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
def milk(world: World) -> Thing:
    return world.item(on_hand=50)


def subscribe(url: str, *topics: str) -> webhooks.Made:
    round_()
    with transaction():
        return webhooks.add(url, topics or integration.TOPICS, None)


def round_() -> int:
    """What the worker does every second."""
    outbox.work()
    integration.follow()
    webhooks.fan_out()
    return integration.deliver()


def states(hook: int) -> list[tuple[str, int]]:
    db.session.rollback()
    return [(one.state, one.tries) for one in reversed(webhooks.deliveries(hook))]


@pytest.mark.skipif(not VECTORS.exists(), reason="no shared data beside this checkout")
def test_the_vectors_of_the_standard() -> None:
    vectors = json.loads(VECTORS.read_text("utf-8"))["vectors"]
    assert len(vectors) > 20
    for one in vectors:
        tolerance = one.get("tolerance_s", 300)
        try:
            held = is_genuine(one["secret"], one["headers"], one["body"], one["now"], tolerance)
        except Exception as error:
            held = False
            assert not one["valid"], (one["name"], error)
        assert held == one["valid"], one["name"]


@pytest.mark.usefixtures("context")
def test_a_sale_is_told_signed_and_once(world: World, milk: Thing, receiver: Receiver) -> None:
    made = subscribe(receiver.url, "sale.paid", "sale.refunded")
    receipt = world.buy(world.member(funds="500"), (milk, 2))
    world.refund(receipt, world.staff())
    assert round_() == 2 and round_() == 0
    assert receiver.types == ["sale.paid", "sale.refunded"]
    for headers, body in receiver.got:
        assert is_genuine(made.secret, headers, body, shop_clock.timestamp_s())
        assert not is_genuine(made.secret, headers, body + " ", shop_clock.timestamp_s())
        assert json.loads(body)["data"]["sale"] == receipt.id
    with transaction():
        webhooks.replay(made.id, webhooks.deliveries(made.id)[0].id)
    assert round_() == 1
    assert receiver.ids[2] == receiver.ids[1], "a replay has the id that the receiver knows"
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_what_fails_is_tried_again_in_order(
    world: World, milk: Thing, receiver: Receiver, clock: Clock
) -> None:
    made = subscribe(receiver.url, "stock.moved")
    receiver.answers = [500, 503]
    world.stock(milk, 1)
    world.stock(milk, 2)
    assert (round_(), len(receiver.got)) == (0, 1)
    assert (round_(), len(receiver.got)) == (0, 1), "an address that fails has a rest"
    clock.tick(seconds=6)
    assert (round_(), len(receiver.got)) == (0, 2)
    clock.tick(seconds=40)
    assert round_() == 2
    changes = [json.loads(body)["data"]["change"] for _, body in receiver.got]
    assert changes == [1, 1, 1, 2]
    assert len(set(receiver.ids)) == 2
    assert states(made.id) == [("done", 3), ("done", 1)]


@pytest.mark.usefixtures("context")
def test_what_is_never_taken_is_given_up_and_can_be_replayed(
    world: World, milk: Thing, receiver: Receiver, clock: Clock
) -> None:
    made = subscribe(receiver.url, "stock.moved")
    receiver.answers = [500] * 11
    world.stock(milk, 1)
    for _ in range(12):
        round_()
        clock.tick(days=1, seconds=1)
    assert states(made.id) == [("dead", 11)]
    world.stock(milk, 2)
    assert round_() == 1, "what was given up holds up nothing"
    with transaction():
        assert webhooks.replay(made.id, None) == 1
    assert round_() == 1
    assert states(made.id) == [("done", 1), ("done", 1)]


@pytest.mark.usefixtures("context")
def test_one_that_died_while_sending_is_sent_again(
    world: World, milk: Thing, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = subscribe(receiver.url, "stock.moved")
    world.stock(milk, 1)

    def dies(*given: Any) -> int:
        assert not db.session().in_transaction(), (
            "a transaction is open while others are waited for"
        )
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sending, "post", dies)
        with pytest.raises(KeyboardInterrupt):
            round_()
    assert (round_(), states(made.id)) == (0, [("waits", 1)])
    clock.tick(seconds=delivering.LEASE_S + 1)
    assert (round_(), states(made.id)) == (1, [("done", 2)])


@pytest.mark.usefixtures("context")
def test_a_receiver_that_is_gone_is_switched_off(
    world: World, milk: Thing, receiver: Receiver, clock: Clock
) -> None:
    made = subscribe(receiver.url, "stock.moved")
    receiver.answers, receiver.location = [302, 410], receiver.url
    world.stock(milk, 1)
    round_()
    assert len(receiver.got) == 1, "a redirect is not followed"
    assert "Redirects" in webhooks.deliveries(made.id)[0].error
    clock.tick(minutes=1)
    round_()
    clock.tick(days=1)
    assert (round_(), webhooks.subscription(made.id).state) == (0, "off")
    receiver.location = ""
    with transaction():
        webhooks.switch(made.id, "on")
    assert round_() == 1
    with transaction():
        webhooks.end(made.id)
    world.stock(milk, 1)
    assert (round_(), webhooks.subscriptions()) == (0, [])


REFUSED = (
    "http://127.0.0.1/", "https://127.0.0.1/", "https://10.1.2.3/", "https://192.168.0.9/x",
    "https://172.16.0.1/", "https://169.254.169.254/latest/meta-data/", "https://[::1]/",
    "https://[fe80::1]/", "https://[fd00::1]/", "https://[::ffff:127.0.0.1]/", "https://0.0.0.0/",
    "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://224.0.0.1/",
    "https://100.64.0.1/", "http://93.184.215.14/", "ftp://example.com/", "https:///x",
    "example.com",
    "https://user:word@example.com/", "https://example.com:0/", "https://example.com:99999/",
    "https://example.com/#x", "https://exa mple.com/", "https://例子.com/", "https://[::1", "",
    "javascript:alert(1)", "https://example.com/" + "x" * 500,
)  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
def test_addresses_that_are_never_sent_to(url: str) -> None:
    with pytest.raises(AddressRefused):
        sending.checked_url(url, [])
    with pytest.raises((AddressRefused, SendFailed)):
        sending.post(url, b"", {}, [])


def answers(*rounds: tuple[str, ...]) -> Any:
    left = list(rounds)

    def getaddrinfo(host: str, port: int, **more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in left.pop(0)]

    return getaddrinfo


def test_a_name_for_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for found in (("127.0.0.1",), ("93.184.215.14", "10.0.0.1"), ("169.254.169.254",)):
        monkeypatch.setattr(socket, "getaddrinfo", answers(found))
        with pytest.raises(AddressRefused):
            sending.post("https://rebind.example/", b"", {}, [])


def test_the_address_that_was_looked_at_is_the_one_spoken_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is asked for once: a second answer, which could be another, is never needed."""
    port = receiver.server.server_port
    real = socket.getaddrinfo

    def once(host: str, port: int, *given: Any, **more: Any) -> list[Any]:
        if host == "hooks.example":
            return next(first)
        return real(host, port, *given, **more)

    first = iter([answers(("127.0.0.1",))("hooks.example", port)])
    monkeypatch.setattr(socket, "getaddrinfo", once)
    assert sending.post(f"http://hooks.example:{port}/a", b"{}", {}, LOOPBACK) == 200
    assert receiver.got[0][0]["Host"] == f"hooks.example:{port}"


def test_a_receiver_that_never_ends_its_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TIMEOUT_S", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(SendFailed):
            sending.post(f"http://127.0.0.1:{port}/", b"{}", {}, LOOPBACK)
    with pytest.raises(SendFailed):
        sending.post(f"http://127.0.0.1:{port}/", b"{}", {}, LOOPBACK)


def test_the_owner_manages_webhooks(app: Flask, world: World, receiver: Receiver) -> None:
    milk, owner = world.item(on_hand=5), world.client_for(world.owner())
    page = owner.post("/owner/webhooks", {"url": "https://10.0.0.1/", "topics": "sale.paid"})
    assert page.status_code == 422 and "does not send to this address" in page.text
    assert owner.post("/owner/webhooks", {"url": receiver.url}).status_code == 422
    page = owner.post("/owner/webhooks", {"url": receiver.url, "topics": "stock.moved"})
    secret = re.search(r"whsec_[\w+/=]+", page.text)
    assert secret and secret[0] not in owner.get("/owner/webhooks").text
    with app.app_context():
        (hook,) = webhooks.subscriptions()
        receiver.answers = [500]
        world.stock(milk, 1)
        round_()
    here = f"/owner/webhooks/{hook.id}"
    seen = owner.get(here).text
    assert "The answer was 500" in seen and secret[0] not in seen
    (delivery,) = re.findall(r'name="delivery" value="(\d+)"', seen)
    assert owner.post(f"{here}/replays", delivery=delivery).status_code == 303
    assert owner.post(f"{here}/replays", delivery="999999").status_code == 404
    owner.post(f"{here}/state", state="off")
    assert "Go on sending" in owner.get(here).text
    owner.post(f"{here}/end")
    assert owner.get(here).status_code == 404
