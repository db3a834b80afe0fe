"""Mail: a message as RFC 5322 and RFC 2047 want it, and the SMTP server that takes it on."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import NamedTuple

from .. import clock
from .faults import PostFailed, PostRefused

__all__ = ["Attachment", "Mail", "Smtp", "as_message"]

CONNECT_S = 5.0
STEP_S = 10.0
"""A server may take so long for each answer, as slow ones do that look at the contents."""
WHOLE_S = 25.0
"""At the latest after this the connection is cut: one that answers a letter at a time would hold
the thread for ever."""


class Attachment(NamedTuple):
    name: str
    mimetype: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """A mail to one person. `html` and attachments are extras: the text alone says everything.
    `unsubscribe` is the address that a mail program may post to, so that no more of them come."""

    to: str
    subject: str
    text: str
    html: str = ""
    language: str = "en"
    attachments: tuple[Attachment, ...] = ()
    unsubscribe: str = ""


def as_message(mail: Mail, sender: str, shop_name: str, letter_id: str) -> EmailMessage:
    """The message. The same letter has the same Message-ID in every try, so that a mailbox knows
    it again. Names may have any letters and any signs: what would end a header is a blank in it.
    Raises PostRefused for an address that is none."""
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = Address(_line(shop_name), addr_spec=sender)
        message["To"] = Address(addr_spec=mail.to)
    except (ValueError, IndexError) as error:
        raise PostRefused("This is no address") from error
    message["Subject"] = _line(mail.subject)
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{letter_id.lower()}@{sender.rpartition('@')[2]}>"
    # RFC 3834: nobody's "I am on holiday" answers to it.
    message["Auto-Submitted"] = "auto-generated"
    if mail.unsubscribe:
        # RFC 2369 and RFC 8058: one tap in the mail program, without a sign-in.
        message["List-Unsubscribe"] = f"<{_line(mail.unsubscribe)}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    for name, mimetype, content in mail.attachments:
        kind, _, subtype = mimetype.partition("/")
        message.add_attachment(content, maintype=kind, subtype=subtype, filename=_line(name))
    # Last: setting the content takes such headers away.
    message["Content-Language"] = mail.language
    return message


def _line(text: str) -> str:
    """Text as one line of a header: control characters and line ends of every script are blanks,
    halves of characters are marks."""
    whole = text.encode(errors="replace").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in whole).split())


@dataclass(frozen=True)
class Smtp:
    """A server that takes mail on. `tls` is starttls (the usual one, port 587), tls (port 465) or
    none (a server on this machine)."""

    host: str
    port: int
    user: str
    password: str
    tls: str
    sender: str
    shop_name: str

    def carry(self, mail: Mail, letter_id: str) -> None:
        """Raises PostFailed where it may be tried again, PostRefused where that is of no use."""
        message = as_message(mail, self.sender, self.shop_name, letter_id)
        try:
            server = _Server(self.tls == "tls")
            try:
                self._hand_over(server, message)
            finally:
                server.close()
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _ in error.recipients.values()), default=0)
            raise _refusal(code) from error
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise _refusal(error.smtp_code) from error
        except (OSError, smtplib.SMTPException, ValueError) as error:
            # Its own text may quote what was sent; its kind tells enough.
            raise PostFailed(f"The mail server: {type(error).__name__}") from error

    def _hand_over(self, server: _Server, message: EmailMessage) -> None:
        server.connect(self.host, self.port)
        if self.tls == "starttls":
            server.starttls(context=ssl.create_default_context())
        if self.user:
            server.login(self.user, self.password)
        server.send_message(message)
        # It is taken: an end that is not said nicely changes nothing about that.
        with contextlib.suppress(OSError, smtplib.SMTPException):
            server.quit()


class _Server(smtplib.SMTP):
    """A connection with a deadline, whatever the other side does, even while it greets or agrees on
    keys."""

    def __init__(self, encrypted: bool) -> None:
        super().__init__(timeout=CONNECT_S)
        self._encrypted = encrypted
        self._raw: socket.socket | None = None
        self._stop = threading.Timer(WHOLE_S, self._cut)
        self._stop.daemon = True
        self._stop.start()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        found = socket.create_connection((host, port), timeout)
        found.settimeout(STEP_S)
        self._raw = found.dup()
        # What starttls checks the certificate for.
        self._host = host
        if self._encrypted:
            return ssl.create_default_context().wrap_socket(found, server_hostname=host)
        return found

    def _cut(self) -> None:
        if self._raw is not None:
            with contextlib.suppress(OSError):
                self._raw.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._stop.cancel()
        super().close()
        if self._raw is not None:
            self._raw.close()


def _refusal(code: int) -> Exception:
    """RFC 5321, 4.2.1: 4yz may be tried again, 5yz not."""
    if 500 <= code < 600:
        return PostRefused(f"The mail server said {code}")
    return PostFailed(f"The mail server said {code}")
