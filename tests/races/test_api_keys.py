"""One key from many connections at once, over HTTP to a real server of two processes: one act."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests
from flask import Flask

from tests.api.conftest import MILK_GTIN, Shop, shop
from tests.live import LiveServer

__all__ = ["shop"]

TOGETHER = 20


@pytest.fixture
def server(shop: Shop, live_server: Callable[..., LiveServer]) -> LiveServer:
    return live_server(WORKERS=2)


def at_once(act: Callable[[int], requests.Response]) -> list[requests.Response]:
    """The answers of as many threads as there are, all let go at the same moment."""
    ready = threading.Barrier(TOGETHER)
    answers: list[requests.Response] = []

    def one(number: int) -> None:
        ready.wait(timeout=60)
        answers.append(act(number))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(TOGETHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == TOGETHER
    return answers


def post(server: LiveServer, token: str, path: str, body: Any, key: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    return requests.post(f"{server.url}/api/v1{path}", json=body, headers=headers, timeout=30)


def test_one_key_is_one_sale(app: Flask, shop: Shop, server: LiveServer) -> None:
    for round_ in range(3):
        answers = at_once(
            lambda _: post(server, shop.tokens["lin"], "/sales", shop.sale(), f"K{round_}")  # noqa: B023
        )
        assert {answer.status_code for answer in answers} == {201}, [it.text for it in answers]
        assert len({answer.text for answer in answers}) == 1
        replayed = Counter(answer.headers.get("Idempotency-Replayed") for answer in answers)
        assert replayed == {"true": TOGETHER - 1, None: 1}
    assert shop.state() == (10_000 - 3 * 1250, 7, 4)


def test_without_one_key_they_are_many_sales(shop: Shop, server: LiveServer) -> None:
    """The same race with a key each: so it is the key that makes them one."""
    answers = at_once(
        lambda number: post(server, shop.tokens["lin"], "/sales", shop.sale(), f"N{number}")
    )
    # There is money for eight.
    assert Counter(answer.status_code for answer in answers) == {201: 8, 402: TOGETHER - 8}
    assert shop.state() == (0, 2, 9)


def test_one_key_is_one_delivery_and_one_refund(shop: Shop, server: LiveServer) -> None:
    sale = post(server, shop.tokens["lin"], "/sales", shop.sale(), "S").json()["id"]
    for path, body in (
        (f"/stock/{MILK_GTIN}/receipts", {"location": "MAIN", "quantity": 5}),
        (f"/sales/{sale}/refunds", {"reason": "sour"}),
    ):
        answers = at_once(lambda _: post(server, shop.tokens["sam"], path, body, "K"))  # noqa: B023
        assert {answer.status_code for answer in answers} == {201}, [it.text for it in answers]
        assert len({answer.text for answer in answers}) == 1
    assert shop.state() == (10_000, 15, 3)
