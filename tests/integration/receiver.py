"""A system that is told: a small server on this machine that keeps what it was sent, answers as
it is told to, and believes a signature only as Standard Webhooks says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from store.integration import signing


def is_genuine(
    secret: str, headers: Mapping[str, str], body: str, now_s: float, tolerance_s: int = 300
) -> bool:
    """What a careful receiver checks."""
    known = {name.lower(): value for name, value in headers.items()}
    message, stamp, signatures = (
        known.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    try:
        at_s = int(stamp)
    except ValueError:
        return False
    if not message or abs(at_s - now_s) > tolerance_s:
        return False
    wanted = signing.sign(secret, message, datetime.fromtimestamp(at_s, UTC), body)
    return wanted in signatures.split(" ")


class Receiver:
    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], str]] = []
        self.answers: list[int] = []
        self.location = ""

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805
                body = handler.rfile.read(int(handler.headers["Content-Length"])).decode()
                self.got.append((dict(handler.headers), body))
                handler.send_response(self.answers.pop(0) if self.answers else 200)
                if self.location:
                    handler.send_header("Location", self.location)
                handler.send_header("Content-Length", "0")
                handler.end_headers()

            def log_message(handler, *args: Any) -> None:  # noqa: N805
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks?shop=1"

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
