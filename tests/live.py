"""The real server in its own process, on a free port: what races, crashes and browsers meet."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.nursery import Born, bear

__all__ = ["LiveServer", "live_server", "open_server"]

ROOT = Path(__file__).resolve().parents[1]
START_S = 90.0
Process = subprocess.Popen[bytes] | Born


@dataclass
class LiveServer:
    """A shop that is open: `url`, the process to signal, and what it has said so far."""

    url: str
    https_url: str
    process: Process
    log: Path
    settings: dict[str, Any]

    def children(self, many: int = 0) -> list[int]:
        """The ids of its workers: what a crash test kills. The first may answer before the last is
        born: so many are waited for."""
        file = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        deadline = time.monotonic() + 20
        while True:
            found = [int(pid) for pid in file.read_text().split()]
            if len(found) >= many or time.monotonic() > deadline:
                return found
            time.sleep(0.02)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):
                    return
            except urllib.error.HTTPError:
                return  # It answers; what it answers is the test's concern.
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not open:\n{self.log.read_text()[-4000:]}")

    def stop(self) -> int:
        """Close the shop as Ctrl-C does; answers the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)

    def kill(self) -> None:
        """As a power cut would: no goodbye."""
        self.process.kill()
        self.process.wait(timeout=20)


Start = Callable[..., LiveServer]


@pytest.fixture
def live_server(settings: dict[str, Any], tmp_path: Path) -> Iterator[Start]:
    """A function that opens the shop of this test: `live_server(WORKERS=2, https=False)`.

    Everything it opened is closed at the end. Called again, after a kill, it opens the same shop.
    """
    opened: list[LiveServer] = []

    def start(*, https: bool = False, loaded: bool = True, **overrides: Any) -> LiveServer:
        log = tmp_path / f"server-{len(opened)}.log"
        server = open_server(settings | overrides, log, https=https, loaded=loaded)
        opened.append(server)
        server.wait_until_ready()
        return server

    yield start
    for server in opened:
        server.stop()


def open_server(
    settings: dict[str, Any], log: Path, *, https: bool, loaded: bool = True
) -> LiveServer:
    """Open a shop by its settings. `loaded`: as a fork of a process that has imported the program
    already; otherwise the command itself is started."""
    port = _free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("STORE_")
    }
    for name, value in settings.items():
        if name != "TESTING":
            environment[f"STORE_{name}"] = str(value)
    environment["PORT"] = str(port)
    arguments = ["--host", "127.0.0.1", "--no-demo", *([] if https else ["--no-https"])]
    if loaded:
        process: Process = bear(arguments, environment, log)
    else:
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "store.serving", *arguments],
                cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
    host = f"localhost:{port}"
    secure = f"https://localhost:{port + 443}"
    return LiveServer(f"http://{host}", secure, process, log, settings)


def _free_port() -> int:
    """A port that is free now, together with its neighbour for HTTPS."""
    for _ in range(100):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            if port > 65535 - 443:
                continue
            try:
                second.bind(("127.0.0.1", port + 443))
            except OSError:
                continue
            return port
    raise AssertionError("no free pair of ports")
