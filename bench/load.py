"""A load client for loopback: many kept-alive connections in one process, counted answers.

It speaks as little HTTP/1.1 as it needs, so that the client takes as little as possible of the two
cores that it shares with the server: prepared bytes out, headers and a body of Content-Length in.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Result", "get", "post", "run"]

Answer = tuple[int, bytes]
"""Status and headers of an answer (the body is read and thrown away)."""


@dataclass
class Result:
    """What came back: counts by status, and how long each answer took, in seconds."""

    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    times_s: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.times_s) / self.seconds

    def percentile_ms(self, share: float) -> float:
        ordered = sorted(self.times_s)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Connection:
    __slots__ = ("buffer", "data", "missing", "sent_at", "socket", "status", "unsent")

    def __init__(self, port: int, data: object) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = data
        self.buffer = b""
        self.missing = -1
        self.status = 0
        self.sent_at = 0.0


def run(
    port: int, visitors: Sequence[Any], request: Callable[[Any], bytes], seconds: float
) -> Result:
    """Each visitor has a connection of its own and sends the next request when the last is
    answered; `request` makes the bytes for a visitor."""
    connections = [_Connection(port, visitor) for visitor in visitors]
    selector = selectors.EpollSelector()
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        _send(connection, request)
    result = Result(seconds)
    began = time.perf_counter()
    end = began + seconds
    while time.perf_counter() < end:
        for key, _ in selector.select(0.5):
            connection = key.data
            if _read(connection, result):
                _send(connection, request)
    result.seconds = time.perf_counter() - began
    for connection in connections:
        connection.socket.close()
    return result


def _send(connection: _Connection, request: Callable[[object], bytes]) -> None:
    connection.sent_at = time.perf_counter()
    connection.socket.sendall(request(connection.data))


def _read(connection: _Connection, result: Result) -> bool:
    """Whether a whole answer is in."""
    data = connection.socket.recv(262_144)
    if not data:
        raise ConnectionError("the server closed a connection")
    if connection.missing < 0:
        connection.buffer += data
        head, found, body = connection.buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        connection.status = int(head[9:12])
        lower = head.lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        connection.missing = length - len(body)
        connection.buffer = b""
    else:
        connection.missing -= len(data)
    if connection.missing > 0:
        return False
    connection.missing = -1
    result.statuses[connection.status] += 1
    result.times_s.append(time.perf_counter() - connection.sent_at)
    return True


def get(path: str, host: str, cookie: str = "") -> bytes:
    more = f"Cookie: {cookie}\r\n" if cookie else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n"
        f"Accept-Language: en\r\n{more}\r\n"
    ).encode()


def post(path: str, host: str, body: bytes, kind: str, headers: str = "") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nAccept-Language: en\r\n{headers}\r\n"
    ).encode() + body
