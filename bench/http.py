"""Item pages and buys over HTTP, beside the same server answering a constant page, and beside the
same buy without HTTP.

Client, server and database share the machine's cores: read the ratios, not the figures.
"""

from __future__ import annotations

import itertools
import socket
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import Process
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from store import catalogue, clock, create_app, identity, ids, payment, sales, stock, workers
from store.catalogue import gs1
from store.db import db, transaction
from store.identity.models import SignIn
from store.reports import oracle
from tests import postgres
from tests.live import open_server

from . import load

CONNECTIONS = 32
ITEMS = 400
SECONDS = 5.0
BALANCE_MINOR = 10**12
ON_HAND = 10**8


@dataclass
class Shopper:
    """A signed-in member as the load client sees them."""

    member_id: int
    cookie: str
    csrf: str
    turn: Iterator[int]


@dataclass
class Shop:
    app: Flask
    location_id: int
    paths: list[str]
    codes: list[str]
    item_ids: list[int]
    shoppers: list[Shopper]


def open_shop(settings: dict[str, object]) -> Shop:
    """A migrated shop with items in stock and shoppers who are signed in and have money."""
    app = create_app(settings)
    with app.app_context():
        upgrade()
        with transaction():
            place = stock.add_location("MAIN", "Harbour Road")
            items = [
                catalogue.add_item(
                    names={"en": f"Oat milk barista number {number}", "zh": f"燕麦奶 {number}"},
                    gtin=_gtin(number), tax_rate_bp=1300, brand="Harbour", size_text="1 l",
                )
                for number in range(ITEMS)
            ]  # fmt: skip
            for item in items:
                catalogue.set_price(item.id, 1250, "CNY")
            stock.receive_many([(item.id, ON_HAND) for item in items], place.id)
            members = [
                identity.add_member(f"shopper{number}@example.com", "a-long-password-1")
                for number in range(CONNECTIONS)
            ]
            for member in members:
                payment.deposit(member.id, BALANCE_MINOR, "CNY", "cash")
            secrets = [_sign_in(member.id) for member in members]
        shoppers = [
            Shopper(member.id, secret, _csrf(app, secret), itertools.count(number * 7919))
            for number, (member, secret) in enumerate(zip(members, secrets, strict=True))
        ]
        shop = Shop(
            app, place.id, [catalogue.item_path(item) for item in items],
            [item.code for item in items], [item.id for item in items], shoppers,
        )  # fmt: skip
        db.session.remove()
        db.engine.dispose()
    return shop


def _gtin(number: int) -> str:
    payload = f"0952000{number:06d}"
    return payload + str(gs1.check_digit(payload))


def _sign_in(member_id: int) -> str:
    """A sign-in as the pages make it, without the cost of a password for each."""
    secret, now = ids.secret(), clock.now()
    until = now + timedelta(days=1)
    db.session.add(
        SignIn(digest=ids.digest(secret), member_id=member_id, created_at=now, seen_at=now,
               expires_at=until)
    )  # fmt: skip
    return secret


def _csrf(app: Flask, secret: str) -> str:
    return ids.mac(str(app.config["SECRET_KEY"]).encode(), "csrf", secret, length=26)


# --- what is measured ----------------------------------------------------------------------------


def measure(settings: dict[str, object], seconds: float = SECONDS) -> dict[str, float]:
    """All figures of one database: answers a second, and the buys' 99th percentile in ms."""
    shop = open_shop(settings)
    figures: dict[str, float] = {}
    with constant_page(settings) as port:
        figures["constant"] = load.run(port, _nobody(), _ask("/", port), seconds).rate
    with served(settings) as port:
        host = f"localhost:{port}"

        def page(visitor: object) -> bytes:
            assert isinstance(visitor, Shopper)
            path = shop.paths[next(visitor.turn) % ITEMS]
            return load.get(path, host, f"visit-{port}={visitor.cookie}")

        def buy(choose: Callable[[int], int]) -> Callable[[object], bytes]:
            def request(visitor: object) -> bytes:
                assert isinstance(visitor, Shopper)
                return _buy(visitor, shop.codes[choose(next(visitor.turn))], port)

            return request

        load.run(port, list(shop.shoppers), page, 1.0)
        figures["item_page"] = _all(200, load.run(port, list(shop.shoppers), page, seconds)).rate
        load.run(port, list(shop.shoppers), buy(lambda turn: turn % ITEMS), 1.0)
        for name, choose in (("buy", lambda turn: turn % ITEMS), ("buy_hot", lambda turn: 0)):
            result = _all(303, load.run(port, list(shop.shoppers), buy(choose), seconds))
            figures[name] = result.rate
            figures[f"{name}_p99_ms"] = result.percentile_ms(0.99)
            figures[f"{name}_longest_ms"] = result.percentile_ms(1.0)
    figures["buy_without_http"] = buys_without_http(shop, seconds)
    with shop.app.app_context():
        assert not [finding for finding in oracle.audit() if finding.count]
        db.session.remove()
        db.engine.dispose()
    return figures


def _all(status: int, result: load.Result) -> load.Result:
    if set(result.statuses) != {status}:
        raise AssertionError(f"answers other than {status}: {dict(result.statuses)}")
    return result


def _nobody() -> list[object]:
    return list(range(CONNECTIONS))


def _ask(path: str, port: int) -> Callable[[object], bytes]:
    request = load.get(path, f"localhost:{port}")
    return lambda visitor: request


def _buy(visitor: Shopper, code: str, port: int) -> bytes:
    form = {"csrf": visitor.csrf, "code": code, "quantity": "1", "seen_minor": "1250",
            "at": "MAIN", "label": "", "key": ids.new(), "again": "1"}  # fmt: skip
    return load.post(
        "/sales", f"localhost:{port}", urllib.parse.urlencode(form).encode(),
        "application/x-www-form-urlencoded", f"Cookie: visit-{port}={visitor.cookie}\r\n",
    )  # fmt: skip


def buys_without_http(shop: Shop, seconds: float) -> float:
    """The same buy on the same database by as many threads, without a server in between."""
    counts, end = [0] * CONNECTIONS, time.monotonic() + seconds

    def work(number: int) -> None:
        with shop.app.app_context():
            shopper = shop.shoppers[number]
            while time.monotonic() < end:
                item = shop.item_ids[next(shopper.turn) % ITEMS]
                sales.buy(
                    sales.Buy(shopper.member_id, shop.location_id, "CNY", (sales.Line(item, 1),),
                              ids.new())
                )  # fmt: skip
                db.session.rollback()
                counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


# --- the servers ---------------------------------------------------------------------------------


@contextmanager
def served(settings: dict[str, object]) -> Iterator[int]:
    with tempfile.NamedTemporaryFile() as log:
        server = open_server(settings, Path(log.name), https=False, loaded=False)
        try:
            server.wait_until_ready()
            yield int(server.url.rpartition(":")[2])
        finally:
            server.stop()


@contextmanager
def constant_page(settings: dict[str, object]) -> Iterator[int]:
    """The same server with as many processes and threads, answering 2 KB that never change."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    processes = [
        Process(target=_serve_constant, args=(listener,), daemon=True)
        for _ in range(int(str(settings.get("WORKERS", 1))))
    ]
    for process in processes:
        process.start()
    time.sleep(1.0)
    yield int(listener.getsockname()[1])
    for process in processes:
        process.kill()
        process.join()
    listener.close()


def _serve_constant(listener: socket.socket) -> None:
    app = Flask("constant")
    app.config.update(THREADS=8)
    page = "<!doctype html><title>constant</title>" + "x" * 2000
    app.add_url_rule("/", "page", lambda: page)
    workers.serve(app, [workers.Listener(listener)], lambda stop: None)


def report(name: str, figures: dict[str, float]) -> None:
    """One table a database: the figure, and the ratio that is promised."""
    constant, raw = figures["constant"], figures["buy_without_http"]
    print(f"\n{name}: {CONNECTIONS} connections")
    print(f"  constant page          {constant:10,.0f} /s")
    print(f"  item page, signed in   {figures['item_page']:10,.0f} /s   "
          f"{figures['item_page'] / constant:.2f} of constant (aim 0.5)")  # fmt: skip
    for key, words in (("buy", "buy, 400 items      "), ("buy_hot", "buy, one hot item   ")):
        print(f"  {words}   {figures[key]:10,.0f} /s   {figures[key] / constant:.2f} of constant "
              f"(aim 0.3)   {figures[key] / raw:.2f} of the buy without HTTP   "
              f"p99 {figures[key + '_p99_ms']:.0f} ms (aim 100), "
              f"longest {figures[key + '_longest_ms']:.0f} ms")  # fmt: skip
    print(f"  buy without HTTP       {raw:10,.0f} /s")


def main(seconds: float = SECONDS) -> None:
    with tempfile.TemporaryDirectory() as folder:
        base: dict[str, object] = {"SECRET_KEY": "for-the-bench-only"}
        settings = base | {"INSTANCE": f"{folder}/sqlite", "WORKERS": 1}
        report("SQLite, one process", measure(settings, seconds))
        with postgres.running() as server:
            postgres.create(server, "bench")
            address = postgres.address(server, "bench")
            settings = base | {"INSTANCE": f"{folder}/pg", "WORKERS": 2, "DATABASE_URL": address}
            report("PostgreSQL, two processes", measure(settings, seconds))


if __name__ == "__main__":
    main()
