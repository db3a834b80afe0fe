"""Viewers of the live board, as many browsers in one process: each keeps an EventSource.

An EventSource connects, reads the stream as it comes, and comes back when it ends, after as many
milliseconds as the stream has said, with the id of the last event. All of them are in one loop over
plain sockets: the client shares the cores with the server that is measured.
"""

from __future__ import annotations

import heapq
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Event, Process, Queue
from typing import Any

__all__ = ["COMING_S", "Seen", "looking"]

COMING_S = 2.0


@dataclass
class Seen:
    """What they met, from when they had all come: answers and how many of them brought news, the
    longest time without any word from the server, and what the client took of the processor."""

    seconds: float = 0.0
    answers: int = 0
    news: int = 0
    refused: int = 0
    age_s: float = 0.0
    client_s: float = 0.0


class _Viewer:
    __slots__ = ("asked", "heard", "mark", "retry_s", "socket", "text")

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.asked = False
        self.mark, self.text, self.retry_s, self.heard = "", b"", 3.0, time.monotonic()


@contextmanager
def looking(port: int, cookies: Sequence[str]) -> Iterator[Seen]:
    """Browsers with these cookies look at the board inside the block; what they have seen is there
    afterwards."""
    seen, stop = Seen(), Event()
    told: Any = Queue()
    process = Process(target=_look, args=(port, cookies, stop, told), daemon=True)
    process.start()
    try:
        yield seen
    finally:
        stop.set()
        seen.__dict__.update(told.get(timeout=30).__dict__)
        process.join()


def _look(port: int, cookies: Sequence[str], stop: Any, told: Any) -> None:
    many = len(cookies)
    viewers, seen, selector = [_Viewer() for _ in range(many)], Seen(), selectors.EpollSelector()
    began, spent = time.monotonic(), 0.0
    # They come one after another, as if nobody had planned it.
    turns = [(began + COMING_S * number / max(many, 1), number) for number in range(many)]
    heapq.heapify(turns)
    while not stop.is_set():
        now = time.monotonic()
        if not spent and now > began + COMING_S + 1:
            seen, spent = Seen(), time.process_time()
        while turns and turns[0][0] <= now:
            _, number = heapq.heappop(turns)
            _ask(viewers[number], number, port, cookies[number], selector)
        wait = min(0.1, max(0.0, turns[0][0] - now)) if turns else 0.1
        for key, _ in selector.select(wait):
            viewer = viewers[key.data]
            if not viewer.asked:
                _leave(viewer, selector)  # The server has closed what was idle.
            elif _heard(viewer, seen, selector):
                heapq.heappush(turns, (time.monotonic() + viewer.retry_s, key.data))
    seen.client_s, seen.seconds = (
        time.process_time() - spent,
        time.monotonic() - began - COMING_S - 1,
    )
    told.put(seen)


def _ask(viewer: _Viewer, number: int, port: int, cookie: str, selector: Any) -> None:
    if viewer.socket is None:
        viewer.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        selector.register(viewer.socket, selectors.EVENT_READ, number)
    again = f"Last-Event-ID: {viewer.mark}\r\n" if viewer.mark else ""
    viewer.socket.sendall(
        f"GET /desk/live/part HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: text/event-stream\r\n"
        f"Accept-Language: en\r\nCookie: {cookie}\r\n{again}\r\n".encode()
    )
    viewer.text, viewer.asked = b"", True


def _leave(viewer: _Viewer, selector: Any) -> None:
    assert viewer.socket is not None
    selector.unregister(viewer.socket)
    viewer.socket.close()
    viewer.socket = None


def _heard(viewer: _Viewer, seen: Seen, selector: Any) -> bool:
    """Whether the stream has ended."""
    assert viewer.socket is not None
    data = viewer.socket.recv(65_536)
    viewer.text += data
    head, found, body = viewer.text.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or -1)
    if data and not (found and length == len(body)):
        return False
    viewer.asked = False
    if not data or b"connection: close" in head.lower():
        _leave(viewer, selector)
    lines = body.decode().splitlines()
    said = dict(line.partition(": ")[::2] for line in lines if line.startswith(("retry:", "id:")))
    now = time.monotonic()
    seen.age_s, viewer.heard = max(seen.age_s, now - viewer.heard), now
    seen.answers += 1
    seen.news += "id" in said
    seen.refused += not head.startswith(b"HTTP/1.1 200")
    viewer.mark = said.get("id", viewer.mark)
    viewer.retry_s = int(said["retry"]) / 1000 if "retry" in said else viewer.retry_s
    return True
