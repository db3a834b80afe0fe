"""Serving the practice providers: one small server for all of them, each under its own path."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import requests
from werkzeug.wrappers import Request, Response

__all__ = ["Practice", "Sandbox", "Sent", "Served"]

NOTICE_TIMEOUT_S = 8
AGAIN_AFTER_S = (0.0, 1.0, 4.0, 15.0)
"""A notice that was not thanked for is sent again at these distances."""


@dataclass
class Sent:
    """A notice as it goes over the wire."""

    url: str
    body: bytes
    headers: dict[str, str]

    def send(self) -> int:
        """Once; the status of the answer, 0 where there was none."""
        try:
            answer = requests.post(
                self.url, data=self.body, headers=self.headers, timeout=NOTICE_TIMEOUT_S
            )
        except requests.RequestException:
            return 0
        return answer.status_code


class Sandbox:
    """What all practice providers have: a lock around their books, and notices on their way."""

    name = ""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.outgoing: list[Sent] = []
        self.sends_by_itself = True
        self.port = 0

    def tell(self, notice: Sent, after_s: float = 0.0) -> None:
        """Send a notice, from a thread, until it is thanked for; a test sends them by itself."""
        self.outgoing.append(notice)
        if self.sends_by_itself:
            threading.Timer(after_s, self._send, [notice]).start()

    def _send(self, notice: Sent) -> None:
        done = threading.Event()
        for pause_s in AGAIN_AFTER_S:
            done.wait(pause_s)
            if 200 <= notice.send() < 300:
                return

    def answer(self, request: Request, path: str) -> Response:
        """What the provider answers at this path."""
        raise NotImplementedError

    def ends(self, reference: str, end: str) -> None:
        """The shopper has chosen how a payment shall end (`page.ENDS`)."""
        raise NotImplementedError


@dataclass
class Practice:
    """All practice providers as one WSGI application: /<name>/… is that provider's."""

    sandboxes: Mapping[str, Sandbox] = field(default_factory=dict)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        request = Request(environ)
        name, _, path = request.path.lstrip("/").partition("/")
        sandbox = self.sandboxes.get(name)
        answer = Response("There is no such practice provider\n", 404)
        if sandbox is not None:
            with sandbox.lock:
                answer = sandbox.answer(request, f"/{path}")
        return answer(environ, start_response)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Practice needs no log."""


class Served(AbstractContextManager["Served"]):
    """The practice server in a thread of this process: `with Served(practice) as served:`."""

    def __init__(self, practice: Practice, host: str = "127.0.0.1", port: int = 0) -> None:
        self.server = make_server(host, port, practice, _Server, _Quiet)
        self.port = int(self.server.server_port)
        for sandbox in practice.sandboxes.values():
            sandbox.port = self.port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Served:
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *what: object) -> None:
        self.server.shutdown()
        self.server.server_close()
