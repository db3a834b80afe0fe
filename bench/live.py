"""The live board with many viewers: what they cost the shoppers of the same server, in processor
time of the server for each page and each buy, and for themselves alone.

Client and server share the machine's cores, and the viewers' own client takes its part of them: so
what counts is the processor time of the serving processes, not the answers a second.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Event, Thread
from typing import Any

from store import identity, stock
from store.db import db, transaction
from tests import postgres
from tests.live import open_server

from . import load
from .http import ITEMS, Shop, Shopper, _all, _buy, _sign_in, open_shop
from .processor import Times
from .viewers import COMING_S, Seen, looking

VIEWERS = 300
SECONDS = 4.0
ROUNDS = 3


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="oneshelf-bench-") as folder:
        base: dict[str, object] = {"SECRET_KEY": "for-the-bench-only"}
        measure("SQLite", base | {"INSTANCE": f"{folder}/sqlite", "WORKERS": 1})
        with postgres.running() as server:
            postgres.create(server, "bench")
            address = postgres.address(server, "bench")
            settings = {"INSTANCE": f"{folder}/pg", "WORKERS": 2, "DATABASE_URL": address}
            measure("PostgreSQL", base | settings)


def measure(name: str, settings: dict[str, object]) -> None:
    """One database: rounds without and with viewers in turn, then viewers alone."""
    shop, pages = open_shop(settings), int(str(settings["WORKERS"]))
    secrets = _staff(shop)
    with tempfile.NamedTemporaryFile() as log:
        server = open_server(settings, Path(log.name), https=False, loaded=False)
        try:
            server.wait_until_ready()
            port = int(server.url.rpartition(":")[2])
            print(f"\n{name}: processor time of the {pages} process(es) that serve")
            cookies = [f"visit-{port}={secret}" for secret in secrets]
            with _changing(shop):
                _rounds(Times(server, pages), port, shop, cookies)
        finally:
            server.stop()


@contextmanager
def _changing(shop: Shop) -> Iterator[None]:
    """Inside the block the board is another one every second."""
    over = Event()

    def change() -> None:
        with shop.app.app_context():
            for item in shop.item_ids:
                if over.wait(1.0):
                    break
                with transaction():
                    stock.open_task("oversold", shop.location_id, item)
            db.session.remove()
            db.engine.dispose()

    changing = Thread(target=change)
    changing.start()
    try:
        yield
    finally:
        over.set()
        changing.join()


def _rounds(times: Times, port: int, shop: Shop, cookies: Sequence[str]) -> None:
    people = list(shop.shoppers)
    load.run(port, people, _page(shop, port), 2.0)
    load.run(port, people, _buying(shop, port), 1.0)
    costs: dict[tuple[int, str], list[float]] = {}
    for many in (0, VIEWERS) * ROUNDS:
        with looking(port, cookies) if many else nullcontext(Seen()) as seen:
            if many:
                time.sleep(COMING_S + 1)
            for what, status, request in (
                ("page", 200, _page(shop, port)), ("buy", 303, _buying(shop, port)),
            ):  # fmt: skip
                times.lap()
                result = _all(status, load.run(port, people, request, SECONDS))
                took = 1000 * times.lap().pages_s / len(result.times_s)
                costs.setdefault((many, what), []).append(took)
                print(f"  {many:4} viewers: {what:5} {took:.3f} ms, {result.rate:7,.0f} /s, "
                      f"p99 {result.percentile_ms(0.99):.0f} ms")  # fmt: skip
        if many:
            _tell(seen)
    for what in ("page", "buy"):
        without, with_them = (statistics.median(costs[many, what]) for many in (0, VIEWERS))
        more = 100 * (with_them / without - 1)
        print(f"  {what}: {without:.3f} ms without viewers, {with_them:.3f} with {VIEWERS}: "
              f"{more:+.1f} % (aim at most 5)")  # fmt: skip
    _alone(times, port, cookies)


def _alone(times: Times, port: int, cookies: Sequence[str]) -> None:
    """What the viewers take where nobody shops."""
    for many in (0, VIEWERS):
        with looking(port, cookies) if many else nullcontext(Seen()) as seen:
            time.sleep(COMING_S + 1)
            times.lap()
            time.sleep(8.0)
            took = times.lap()
        print(f"  {many} viewers, nobody shops: {1000 * took.pages_s / 8.0:.1f} ms a second")
        if many:
            _tell(seen)


def _tell(seen: Seen) -> None:
    seconds = seen.seconds
    print(
        f"       {seen.answers / seconds:.0f} answers a second, {seen.news / seconds:.0f} with "
        f"news, {seen.refused} refused, the longest without a word {seen.age_s:.1f} s; the "
        f"viewers' client {1000 * seen.client_s / seconds:.1f} ms a second"
    )


def _staff(shop: Shop) -> list[str]:
    """Each viewer's sign-in: ten people of the staff have thirty browsers each."""
    with shop.app.app_context():
        with transaction():
            people = [
                identity.add_member(f"board{number}@example.com", "a-long-password-1", role="staff")
                for number in range(10)
            ]
            secrets = [_sign_in(people[number % 10].id) for number in range(VIEWERS)]
        db.session.remove()
        db.engine.dispose()
    return secrets


def _page(shop: Shop, port: int) -> Callable[[Any], bytes]:
    def request(visitor: Shopper) -> bytes:
        path = shop.paths[next(visitor.turn) % ITEMS]
        return load.get(path, f"localhost:{port}", f"visit-{port}={visitor.cookie}")

    return request


def _buying(shop: Shop, port: int) -> Callable[[Any], bytes]:
    def request(visitor: Shopper) -> bytes:
        return _buy(visitor, shop.codes[next(visitor.turn) % ITEMS], port)

    return request
