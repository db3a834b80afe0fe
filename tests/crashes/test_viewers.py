"""Viewers of the live board on the open shop: however many wait, no thread is held for them; who
hangs up is forgotten, and a shop that closes lets all of them go."""

from __future__ import annotations

import re
import socket
import time
from urllib.parse import urlsplit

import pytest
import requests

from store import ids, stock
from store.db import transaction
from tests.door.shop import sign_in
from tests.live import LiveServer, Start
from tests.world import Somebody, World

THREADS = 2
SOON_S = 8.0


class Viewer:
    """A browser that keeps an EventSource."""

    def __init__(self, world: World, server: LiveServer, member: Somebody) -> None:
        secret, host = ids.secret(), urlsplit(server.url)
        with world.app.app_context():
            sign_in(member.id, secret)
        self.cookies = {f"visit-{host.port}": secret}
        self.head = f"Host: {host.netloc}\r\nCookie: visit-{host.port}={secret}\r\n"
        self.socket = socket.create_connection((host.hostname or "", host.port or 0), timeout=30)

    def ask(self, seen: str = "") -> None:
        self.socket.sendall(
            f"GET /desk/live/part HTTP/1.1\r\nAccept: text/event-stream\r\n{self.head}"
            f"Last-Event-ID: {seen}\r\n\r\n".encode()
        )

    def answer(self, within_s: float = SOON_S) -> str:
        """The next answer on this connection; empty where none comes."""
        self.socket.settimeout(within_s)
        text = b""
        try:
            while True:
                text += self.socket.recv(65_536)
                head, _, body = text.partition(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head.lower())
                if length and len(body) >= int(length[1]):
                    return body.decode()
        except TimeoutError:
            return ""


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_viewers_hold_no_thread_and_go_when_they_hang_up_or_the_shop_closes(
    world: World, live_server: Start
) -> None:
    milk, staff = world.item(on_hand=9), world.staff()
    server = live_server(WORKERS=1, THREADS=THREADS)
    viewers = [Viewer(world, server, staff) for _ in range(6 * THREADS)]
    for each in viewers:
        each.ask()
    marks = {re.findall(r"id: (\w+)", each.answer())[0] for each in viewers}
    for each in viewers:
        each.ask(min(marks))
    assert len(marks) == 1 and not viewers[0].answer(1.5), "nothing is new"
    gone, left = viewers[::2], viewers[1::2]
    for each in gone:
        each.socket.close()
    for _ in range(THREADS + 1):
        assert requests.get(f"{server.url}{milk.path}", timeout=SOON_S).status_code == 200
    with world.app.app_context(), transaction():
        stock.open_task("oversold", world.location, milk.id)
    news = {each.answer() for each in left}
    assert all("Sold more than there was" in each for each in news)

    mark = re.findall(r"id: (\w+)", min(news))[0]
    for each in left:
        each.ask(mark)
    assert not left[0].answer(1.0)
    began = time.monotonic()
    assert server.stop() == 0 and time.monotonic() - began < SOON_S
    assert all("nothing new" in each.answer(1.0) for each in left)
    assert "could not answer" not in server.log.read_text()
