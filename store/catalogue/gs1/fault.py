"""The one refusal of this package: what is wrong with a code, and where."""

from __future__ import annotations

from typing import Any, ClassVar

from store.errors import Invalid

__all__ = ["LONGEST_TEXT", "CodeFault", "excerpt", "refuse_too_long"]

LONGEST_TEXT = 8191
"""Refused above this many characters: far more than any symbol holds, so nothing real is lost."""


class CodeFault(Invalid):
    """The code breaks its standard. `at` is the character offset in the text that was read (None
    where the whole is at fault, such as a missing companion); `ai` the application identifier."""

    code: ClassVar[str] = "bad_code"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "This code cannot be read"

    def __init__(self, message: str, *, at: int | None = None, ai: str | None = None) -> None:
        place: dict[str, Any] = {"at": at, "ai": ai}
        super().__init__(message, **{name: it for name, it in place.items() if it is not None})
        self.at = at
        self.ai = ai


def excerpt(text: str) -> str:
    """A short quotation for a message; escapes whatever could not be printed or sent as JSON."""
    return ascii(text if len(text) <= 24 else text[:24] + "…")


def refuse_too_long(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise CodeFault(
            f"The text has {len(text)} characters; no code has more than {LONGEST_TEXT}.",
            at=LONGEST_TEXT,
        )
