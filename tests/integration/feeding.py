"""What the tests of integration share: entries as a stock program would send them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask

from store import integration
from store.db import db, transaction
from store.integration import Outcome
from store.integration.models import FeedEntry


def send(
    *raw: dict[str, Any] | Any, feed: str = "stock", source: str = "erp"
) -> list[tuple[str, str]]:
    """A delivery; the state and the code of each entry."""
    return [(one.state, one.code) for one in deliver(*raw, feed=feed, source=source)]


def deliver(*raw: Any, feed: str = "stock", source: str = "erp") -> list[Outcome]:
    with transaction():
        entries = [integration.read(feed, one, "CNY", "en") for one in raw]
        return integration.take(source, entries, None)


def said(at: datetime) -> str:
    return at.isoformat()


def numbers(state: str = "conflict") -> list[int]:
    """The numbers of the entries in this state, oldest first."""
    db.session.rollback()
    return [
        row.id for row in db.session.query(FeedEntry).filter_by(state=state).order_by(FeedEntry.id)
    ]


def apply(number: int) -> None:
    with transaction():
        integration.apply(number, None)


def dismiss(number: int) -> None:
    with transaction():
        integration.dismiss(number, None)


def take_file_text(app: Flask, path: Any, text: str, feed: str = "stock") -> list[str]:
    """Write a file and take it with the command; its words on standard error and its result."""
    path.write_bytes(text.encode())
    result = app.test_cli_runner().invoke(
        args=["integration", "take", str(path), "--feed", feed, "--source", "wms", "--json"]
    )
    return result.output.splitlines()
