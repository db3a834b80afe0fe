"""The server of `make run`: it survives the death of its workers, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from qrcode.main import QRCode

from store import serving, settings, workers
from store.supervisor import Role, _fork
from tests.live import ROOT, LiveServer, Start

STATIC = "/static/demo/SHA256SUMS"


@pytest.fixture(name="settings")
def settings_of_one(tmp_path: Path) -> dict[str, object]:
    """One database is enough here: what is served does not matter, how it is kept alive does."""
    return {"INSTANCE": str(tmp_path / "instance"), "SECRET_KEY": "known-to-the-tests-only"}


def _get(url: str, trusted: Path | None = None) -> int:
    context = ssl.create_default_context(cafile=trusted) if trusted else None
    with urllib.request.urlopen(url, timeout=30, context=context) as answer:
        answer.read()
        return int(answer.status)


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _has_only_new(server: LiveServer, before: set[int]) -> bool:
    now = set(server.children())
    return len(now) == 2 and not now & before


def _wait_until(is_so: Callable[[], bool], what: str, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)


def test_both_addresses_answer(live_server: Start) -> None:
    server = live_server(https=True)
    authority = Path(server.settings["INSTANCE"], "certificates", "authority.crt")
    assert _get(server.url + STATIC) == 200
    assert _get(server.https_url + STATIC, trusted=authority) == 200


def test_a_killed_worker_is_replaced_and_nobody_is_turned_away(live_server: Start) -> None:
    server = live_server(WORKERS=1)
    for _ in range(10):
        before = set(server.children(2))
        assert len(before) == 2
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        # The connection is made while no worker is there to take it.
        assert _get(server.url + STATIC) == 200
        _wait_until(partial(_has_only_new, server, before), "both are back")


def test_a_request_that_runs_is_answered_before_the_shop_closes(live_server: Start) -> None:
    server = live_server(WORKERS=1)
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        head = f"GET {STATIC} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        server.process.send_signal(signal.SIGTERM)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    assert server.process.wait(timeout=15) == 0


def test_closing_leaves_no_process_and_frees_the_port(live_server: Start) -> None:
    server = live_server(WORKERS=2)
    children = server.children(3)
    assert len(children) == 3
    assert server.stop() == 0
    assert [pid for pid in children if _is_alive(pid)] == []
    with pytest.raises(OSError, match="refused"):
        _get(server.url + STATIC)


def test_a_killed_parent_takes_its_children_along(live_server: Start) -> None:
    server = live_server(WORKERS=2)
    children = server.children(3)
    server.kill()
    _wait_until(lambda: not any(_is_alive(pid) for pid in children), "no orphan is left")


def test_a_shop_opened_anew_has_its_new_settings_and_turns_nobody_away(live_server: Start) -> None:
    server = live_server(loaded=False, WORKERS=1, LANGUAGE="en")
    before, stop = set(server.children(2)), threading.Event()
    answers: list[int] = []

    def visits() -> None:
        while not stop.is_set():
            answers.append(_get(server.url + STATIC))

    with ThreadPoolExecutor(1) as visitor:
        visiting = visitor.submit(visits)
        settings.write(Path(server.settings["INSTANCE"]), {"SHOP_NAME": "Quayside"})
        server.process.send_signal(signal.SIGUSR1)
        _wait_until(partial(_has_only_new, server, before), "it has children again", 30)
        _wait_until(lambda: "Quayside" in _page(server.url), "it has its new name")
        stop.set()
        visiting.result()
    assert set(answers) == {200}
    assert server.process.poll() is None
    assert server.stop() == 0


def _page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read(), "utf-8")


def test_a_taken_port_is_explained(live_server: Start) -> None:
    server = live_server()
    second = _start_second(server)
    assert second.returncode == 1
    assert "is in use" in second.stderr
    assert "make run PORT=" in second.stderr
    assert "Traceback" not in second.stderr


def _start_second(server: LiveServer) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PORT": server.url.rpartition(":")[2],
        "STORE_INSTANCE": server.settings["INSTANCE"] + "-second",
    }
    command = [sys.executable, "-m", "store.serving", "--host", "127.0.0.1", "--no-demo"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=30
    )


def test_the_terminal_shows_the_code_of_the_address() -> None:
    text = "http://192.168.1.20:8000/"
    code = QRCode(border=2)
    code.add_data(text)
    expected = code.get_matrix()
    halves = {"█": (False, False), "▀": (False, True), "▄": (True, False), " ": (True, True)}
    shown: list[list[bool]] = []
    for line in serving.terminal_qr(text).splitlines():
        pairs = [halves[character] for character in line.removeprefix("    ")[: len(expected)]]
        shown += [[upper for upper, _ in pairs], [lower for _, lower in pairs]]
    assert shown[: len(expected)] == expected


def test_a_command_ends_wherever_it_is_when_it_is_asked_to() -> None:
    """Even in a finalizer, where Python swallows what a signal's handler raises."""

    class Finalized:
        def __del__(self) -> None:
            os.write(ready, b"!")
            time.sleep(20)

    def finalize() -> None:
        Finalized()
        time.sleep(60)

    app = Flask("commands")
    app.cli.command("finalize")(finalize)
    began, ready = os.pipe()
    alive, held = os.pipe()
    pid = _fork(Role("finalize", partial(workers.run_command, app, ("finalize",))), alive, held)
    assert os.read(began, 1) == b"!"
    try:
        os.kill(pid, signal.SIGTERM)
        _wait_until(lambda: not _is_alive(pid), "it has ended")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        for end in (began, ready, alive, held):
            os.close(end)
