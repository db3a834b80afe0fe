"""The work is done and its answer is lost: on the way to the shopper, or from the database."""

from __future__ import annotations

import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from store import ids, sales
from store.db import db
from store.sales.models import Sale
from tests.live import LiveServer, Start
from tests.races.crowd import Phone, token_of, wanted
from tests.world import Thing, World


def count_of_sales(world: World) -> int:
    with world.app.app_context():
        return db.session.scalar(select(func.count()).select_from(Sale)) or 0


def ask_and_hang_up(world: World, server: LiveServer, token: str, thing: Thing, key: str) -> None:
    """A buy is sent and done, and its answer is never read."""
    many = count_of_sales(world) + 1
    host = urlsplit(server.url)
    body = json.dumps(
        {"location": "MAIN", "lines": [{"item": thing.code, "quantity": 1}],
         "payment": {"method": "account"}}
    ).encode()  # fmt: skip
    head = (
        f"POST /api/v1/sales HTTP/1.1\r\nHost: {host.netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host.hostname or "", host.port or 0), timeout=30) as sent:
        sent.sendall(head.encode() + body)
        wait_for_sales(world, many)


def wait_for_sales(world: World, many: int) -> None:
    deadline = time.monotonic() + 30
    while count_of_sales(world) < many:
        assert time.monotonic() < deadline, "the buy never came through"
        time.sleep(0.02)


def test_who_never_got_the_answer_asks_again_and_pays_once(
    world: World, live_server: Start
) -> None:
    lin, milk = world.member(funds="1000"), world.item(price="1", on_hand=100)
    server, token = live_server(WORKERS=2), token_of(world, lin)
    phone = Phone(server, token)
    for number in range(1, 6):
        key = ids.new()
        ask_and_hang_up(world, server, token, milk, key)
        status, _ = phone.buy((milk, 1), key=key)
        assert status == 201
        assert count_of_sales(world) == number
    # The negative control: who forgets the key buys twice.
    ask_and_hang_up(world, server, token, milk, ids.new())
    phone.buy((milk, 1), key=ids.new())
    assert count_of_sales(world) == 7
    phone.close()
    assert world.balance(lin) == 100_000 - 700
    assert world.faults() == []


class LosesTheAnswer:
    """The first so many commits are done, and their answers never arrive."""

    def __init__(self, times: int) -> None:
        self.times, self.commit = times, Session.commit

    def __call__(self, session: Session) -> None:
        self.commit(session)
        if self.times:
            self.times -= 1
            lost: Any = psycopg.OperationalError("server closed the connection unexpectedly")
            raise OperationalError("COMMIT", None, lost, connection_invalidated=True)


@pytest.mark.usefixtures("context")
def test_the_answer_of_the_commit_is_lost(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin, milk = world.member(funds="1000"), world.item(price="1", on_hand=100)
    for times in (1, 2, 1):
        asked, before = wanted(world, lin, (milk, 1)), world.balance(lin)
        loses = LosesTheAnswer(times)
        monkeypatch.setattr(Session, "commit", lambda session, loses=loses: loses(session))
        bought = sales.buy(asked)
        monkeypatch.undo()
        assert bought.repeated
        assert world.balance(lin) == before - 100
    assert count_of_sales(world) == 3
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_a_refund_whose_commit_was_not_answered_says_that_it_stands(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refund has no key: the repeat finds it done, and says so instead of giving back twice."""
    lin, milk, sam = world.member(funds="100"), world.item(price="1", on_hand=100), world.staff()
    sale = world.buy(lin, milk)
    loses = LosesTheAnswer(1)
    monkeypatch.setattr(Session, "commit", lambda session: loses(session))
    with pytest.raises(sales.NotRefundable):
        sales.refund(sale.id, made_by=sam.id)
    monkeypatch.undo()
    assert world.balance(lin) == 10_000
    assert world.faults() == []
