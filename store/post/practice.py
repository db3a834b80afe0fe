"""Practice post: nothing leaves the shop. A letter is printed on the terminal and kept as a file
under instance/practice-post, where the demo shop's own page shows it."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime
from pathlib import Path
from typing import NamedTuple

from .. import clock, ids
from .mail import Mail, as_message
from .sms import Sms

__all__ = ["Practice", "Shown", "latest"]

KEPT = 50
SENDER = "shop@shop.local"


class Shown(NamedTuple):
    """A letter as the page shows it."""

    to: str
    subject: str
    text: str
    at: datetime | None
    attachments: tuple[str, ...]


@dataclass(frozen=True)
class Practice:
    folder: Path
    shop_name: str

    def carry(self, message: Mail | Sms, letter_id: str) -> None:
        if isinstance(message, Sms):
            written = EmailMessage(policy=SMTP)
            written["To"], written["Date"] = message.to, format_datetime(clock.now())
            written.set_content(message.text)
        else:
            written = as_message(message, SENDER, self.shop_name, letter_id)
        words = message.text.strip()
        print(f"practice post to {message.to}: {words}", file=sys.stderr, flush=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        # A name of its own each time: a letter that was sent twice must be seen twice.
        (self.folder / f"{ids.new()}.eml").write_bytes(written.as_bytes())
        for old in _files(self.folder)[KEPT:]:
            old.unlink(missing_ok=True)


def latest(folder: Path) -> list[Shown]:
    """The letters that are kept, the newest first."""
    found = []
    for file in _files(folder):
        with contextlib.suppress(FileNotFoundError):  # Another process has cleared it away.
            found.append(_shown(file.read_bytes()))
    return found


def _shown(content: bytes) -> Shown:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    text = str(body.get_content()) if body else ""
    names = tuple(part.get_filename() or "" for part in message.iter_attachments())
    date = message["Date"]
    return Shown(str(message["To"]), str(message["Subject"] or ""), text,
                 date.datetime if date else None, names)  # fmt: skip


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.eml"), reverse=True)
