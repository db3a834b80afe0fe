"""Percent-encoding as GS1 Digital Link needs it: exact, and never failing on input.

A `%` that no two hexadecimal digits follow stands for itself (RFC 3986 would refuse it; readers
must not stumble over it). Bytes above 127 are read as Latin-1: no GS1 value may hold them, so they
are refused later, by name.
"""

from __future__ import annotations

import re

__all__ = ["escape", "raw_offset", "unescape"]

_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_TO_ESCAPE = re.compile(r"[^A-Za-z0-9\-._~]")


def unescape(text: str, *, in_query: bool) -> str:
    """The characters behind the text; in a query `+` is a blank."""
    if in_query:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def escape(text: str, *, in_query: bool) -> str:
    """All but the unreserved characters of RFC 3986 encoded, in capitals."""

    def encoded(found: re.Match[str]) -> str:
        if in_query and found[0] == " ":
            return "+"
        return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))

    return _TO_ESCAPE.sub(encoded, text)


def raw_offset(text: str, place: int) -> int:
    """Where in the encoded text the decoded character `place` stands."""
    at = 0
    for _ in range(place):
        at += 3 if _ESCAPED.match(text, at) else 1
    return at
