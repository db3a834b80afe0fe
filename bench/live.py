"""The live board with many viewers: what they cost the shoppers of the same server.

Every viewer does what a browser does: it asks for the next event after the time that the last one
has named. Shoppers open item pages, then buy: without viewers, and with them.
"""

from __future__ import annotations

import heapq
import http.client
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from store import identity
from store.db import transaction

from . import load
from .http import ITEMS, Shop, Shopper, _all, _buy, _sign_in, open_shop, served

VIEWERS = 300
SECONDS = 5.0


@dataclass
class Viewers:
    """So many who look at the board, and what they have met so far."""

    port: int
    cookie: str
    many: int
    times_ms: list[float] = field(default_factory=list)
    news: int = 0

    def look(self, stop: threading.Event) -> None:
        """Each of them in turn, at the moment that the shop has given to it."""
        turns = [(time.monotonic() + number / self.many, "") for number in range(self.many)]
        heapq.heapify(turns)
        while not stop.is_set():
            at, mark = heapq.heappop(turns)
            stop.wait(max(0.0, at - time.monotonic()))
            began = time.monotonic()
            wait_s, mark = self._ask(mark)
            self.times_ms.append(1000 * (time.monotonic() - began))
            heapq.heappush(turns, (time.monotonic() + wait_s, mark))

    def _ask(self, mark: str) -> tuple[float, str]:
        headers = {"Accept": "text/event-stream", "Cookie": self.cookie, "Last-Event-ID": mark}
        connection = http.client.HTTPConnection("localhost", self.port, timeout=10)
        connection.request("GET", "/desk/live/part", headers=headers)
        answer = connection.getresponse()
        lines = answer.read().decode().splitlines()
        connection.close()
        assert answer.status == 200, answer.status
        said = dict(line.partition(": ")[::2] for line in lines if line.startswith(("retry", "id")))
        self.news += "id" in said
        return int(said["retry"]) / 1000, said.get("id", mark)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="oneshelf-bench-") as folder:
        settings: dict[str, object] = {
            "SECRET_KEY": "for-the-bench-only", "INSTANCE": folder, "WORKERS": 1,
        }  # fmt: skip
        shop = open_shop(settings)
        secret = _staff(shop)
        with served(settings) as port:
            load.run(port, list(shop.shoppers), _page(shop, port), 2.0)
            for many in (0, VIEWERS, 0):
                viewers, stop = Viewers(port, f"visit-{port}={secret}", many), threading.Event()
                looking = threading.Thread(target=viewers.look, args=(stop,))
                if many:
                    looking.start()
                    time.sleep(2.0)  # They have all come once and are spread out.
                pages, buys = _measure(port, shop, SECONDS)
                stop.set()
                if many:
                    looking.join()
                _report(viewers, pages, buys)


def _staff(shop: Shop) -> str:
    with shop.app.app_context(), transaction():
        one = identity.add_member("board@example.com", "a-long-password-1", role="staff")
        return _sign_in(one.id)


def _page(shop: Shop, port: int) -> Callable[[object], bytes]:
    def request(visitor: object) -> bytes:
        assert isinstance(visitor, Shopper)
        path = shop.paths[next(visitor.turn) % ITEMS]
        return load.get(path, f"localhost:{port}", f"visit-{port}={visitor.cookie}")

    return request


def _measure(port: int, shop: Shop, seconds: float) -> tuple[load.Result, load.Result]:
    def buy(visitor: object) -> bytes:
        assert isinstance(visitor, Shopper)
        return _buy(visitor, shop.codes[next(visitor.turn) % ITEMS], port)

    people = list(shop.shoppers)
    pages = _all(200, load.run(port, people, _page(shop, port), seconds))
    return pages, _all(303, load.run(port, people, buy, seconds))


def _report(viewers: Viewers, pages: load.Result, buys: load.Result) -> None:
    times = sorted(viewers.times_ms) or [0.0]
    print(
        f"  {viewers.many:4} viewers: {pages.rate:7,.0f} pages/s, {buys.rate:7,.0f} buys/s "
        f"(p99 {buys.percentile_ms(0.99):.0f} ms), {len(times):4} events, "
        f"{viewers.news} with news, p99 {times[int(len(times) * 0.99) - 1]:.0f} ms"
    )
