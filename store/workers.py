"""What the children of `make run` do: serve pages, or run a command that goes on for ever."""

from __future__ import annotations

import gc
import logging
import os
import resource
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from flask import Flask
from flask.cli import ScriptInfo
from granian import _futures, _granian, wsgi
from granian._loops import loops
from granian.constants import HTTPModes, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings

from . import labels
from .certificates import Certificate

__all__ = ["Listener", "run_command", "serve"]

log = logging.getLogger(__name__)

BACKLOG = 1024
CONNECTIONS = 1024
"""How many connections one listener of one process works on; more wait in the backlog. Those who
wait at the live board hold some of them (`floor.lane.MOST_WAITING`)."""
LANES = ("express", "board")
"""What answers before the views do, in this order; the first makes up for reverse proxies."""

# granian's inner parts carry no types, or older ones than they have.
_worker_type: Any = _granian.WSGIWorker
_socket_type: Any = _granian.SocketHolder
_scheduler: Any = _futures._new_cbscheduler
_wrapped: Any = wsgi._callback_wrapper

WhenAsked = Callable[[Callable[[], None]], None]


class Lane(Protocol):
    """Answers some requests from threads of its own (`later` says whether), from `open` to
    `close`."""

    def open(self) -> None: ...

    def later(self, environ: dict[str, Any], reply: Any, /) -> bool: ...

    def close(self) -> None: ...


class Listener(NamedTuple):
    """A socket that the parent holds, and the certificate when it speaks TLS."""

    socket: socket.socket
    certificate: Certificate | None = None


def serve(app: Flask, listeners: Sequence[Listener], when_asked: WhenAsked) -> None:
    """Answer requests on every listener, until asked to end and the last answer is out.

    granian's own server would bind a socket in each worker, where a killed worker takes waiting
    connections with it, and would need two more processes for TLS; so its worker is used without
    the server around it. The locks pin its version, and tests/test_serving.py uses all of this.
    """
    _let_open_many()
    lanes = [app.extensions[name] for name in LANES if name in app.extensions]
    for lane in lanes:
        lane.open()
    served = [_serve_one(number, app, lanes, one) for number, one in enumerate(listeners, start=1)]

    # What was loaded until now lives as long as the process: the collector need not walk it again
    # and again, and a request leaves too little behind for it to run as often as it would.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)

    def stop() -> None:
        for signal, _, _ in served:
            signal.set()
        for lane in lanes:
            lane.close()

    when_asked(stop)
    for _, ended, _ in served:
        ended.wait()
    with app.app_context():  # What was counted since the last writing.
        labels.scans_of(app.extensions["shop_engine"], app.app_context).flush()


def _let_open_many() -> None:
    """Each connection is an open file, and what a process is given of them by custom is for few."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run_command(app: Flask, arguments: Sequence[str], when_asked: WhenAsked) -> None:
    """Be one of the shop's own commands that goes on for ever, such as the outbox's."""

    def stop() -> None:
        # In the middle of its work: the database undoes an open transaction, as it does when a
        # process is killed. Raising SystemExit here is lost where a finalizer runs just then.
        os._exit(0)

    when_asked(stop)
    info = ScriptInfo(create_app=lambda: app)
    app.cli.main(args=list(arguments), prog_name="flask", obj=info)


class _Reply:
    """One request's way back: an answer, or the application's. granian's own may be used from any
    thread, and after the call in which it was handed over has returned."""

    __slots__ = ("_environ", "_proto", "_views")

    def __init__(self, proto: Any, environ: dict[str, Any], views: Any) -> None:
        self._proto, self._environ, self._views = proto, environ, views

    def __call__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self._proto.response_bytes(status, headers, body)

    def pass_on(self) -> None:
        try:
            self._views(self._proto, self._environ)
        except BaseException:
            # In a thread of ours: granian, which does this for its own, would not hear of it.
            log.exception("%s could not be answered", self._environ["PATH_INFO"])
            self._proto.response_bytes(500, [], b"")


def _callback(app: Flask, lanes: Sequence[Lane]) -> Callable[[Any, dict[str, Any]], None]:
    """What granian calls with each request, in one of its threads."""
    views = _wrapped(app, {"url_path_prefix": None})
    if not lanes:
        return views  # type: ignore[no-any-return]

    def callback(proto: Any, environ: dict[str, Any]) -> None:
        reply = _Reply(proto, environ, views)
        for lane in lanes:
            if lane.later(environ, reply):
                return
        views(proto, environ)

    return callback


def _serve_one(
    number: int, app: Flask, lanes: Sequence[Lane], listener: Listener
) -> tuple[Any, threading.Event, Any]:
    """Start granian's threads on one listener; answers its stop signal and its end.

    The worker is answered too: what nothing refers to would be collected while it serves.
    """
    signal, ended = _granian.WorkerSignal(), threading.Event()
    signal.add_cb(ended.set)
    loop = loops.get("asyncio")
    callback = _callback(app, lanes)
    worker = _worker_type(
        number,
        (None, _socket_type(listener.socket.fileno(), False, BACKLOG)),  # a socket, not a unix path
        None,  # no channel for metrics
        1,  # runtime threads: they only move bytes
        512,
        app.config["THREADS"],
        30,  # seconds after which an idle thread ends
        CONNECTIONS,
        HTTPModes.auto,
        HTTP1Settings(header_read_timeout=15_000),
        HTTP2Settings(),
        None,  # static files go through the app, which sets the headers
        *_tls(listener.certificate),
        (None, None),
    )
    worker.serve_mtr(_scheduler(loop, callback, impl_asyncio=True), loop, signal)
    return signal, ended, worker


def _tls(certificate: Certificate | None) -> tuple[Any, ...]:
    """granian's eight: on, chain, key, password, oldest version, authority, revoked, verify."""
    oldest = str(SSLProtocols.tls12)
    if certificate is None:
        return (False, None, None, None, oldest, None, [], False)
    return (True, str(certificate.chain), str(certificate.key), None, oldest, None, [], False)
