"""The demo shop."""

from __future__ import annotations

SIGN_INS: list[tuple[str, str, str]] = []


def open_shop() -> None:
    """Open the demo shop."""
