"""A mail server and an SMS provider of the tests' own: real ones, on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response


@dataclass
class Mailbox:
    """What the server has taken. `says` are its next answers to a message, then it takes all."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    says: list[str] = field(default_factory=list)
    to: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.says:
            return self.says.pop(0)
        assert isinstance(envelope.content, bytes)
        read = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(read, EmailMessage)
        self.taken.append(read)
        self.to += envelope.rcpt_tos
        return "250 taken"


class Server(Controller):
    """On a port that the system chooses."""

    def _trigger_server(self) -> None:
        listening: Any = self.server
        self.port = listening.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


def serve(mailbox: Mailbox, **options: Any) -> Server:
    server = Server(mailbox, hostname="127.0.0.1", port=0, **options)
    server.start()
    mailbox.port = server.port
    return server


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    found = Mailbox()
    server = serve(found)
    yield found
    server.stop()


def only(user: str, password: str) -> Any:
    """An authenticator that lets one user in."""

    def check(server: object, session: object, envelope: object, how: str, said: Any) -> AuthResult:
        fits = (said.login, said.password) == (user.encode(), password.encode())
        return AuthResult(success=fits, handled=False)

    return check


@dataclass
class Provider:
    """An SMS provider. `says` are the next statuses, then it is 200."""

    port: int = 0
    asked: list[Request] = field(default_factory=list)
    says: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/send"

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        request.get_data()
        self.asked.append(request)
        status = self.says.pop(0) if self.says else 200
        return Response("{}", status, {"Location": self.url})(environ, start_response)


@pytest.fixture
def provider() -> Iterator[Provider]:
    found = Provider()
    server = make_server("127.0.0.1", 0, found, threaded=True)
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()
