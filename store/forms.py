"""Reading a form: every field by name, with its kind and bounds, refused where it does not fit."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import request

from . import money
from .errors import Invalid

__all__ = [
    "LONGEST_SCAN",
    "amount",
    "checked",
    "choice",
    "flag",
    "moment",
    "scanned",
    "text",
    "whole",
]

LONGEST_SCAN = 1000
"""No code that a scanner reads into a field is longer."""

_WHOLE = re.compile(r"-?\d{1,15}\Z", re.ASCII)


def text(name: str, *, most: int, least: int = 0, default: str = "") -> str:
    """A line of text, trimmed. Raises Invalid when it is longer, shorter or has control
    characters; NUL and lone surrogates are among them."""
    return checked(name, request.form.get(name, default).strip(), least=least, most=most)


def checked(name: str, value: str, *, least: int, most: int) -> str:
    """The same of a text that was read already. Raises Invalid."""
    if not least <= len(value) <= most:
        raise Invalid(f"{name} must have {least} to {most} characters", field=name)
    if any(character < " " or "\ud800" <= character <= "\udfff" for character in value):
        raise Invalid(f"{name} has characters that cannot be kept", field=name)
    return value


def scanned(name: str, *, least: int = 1) -> str:
    """What a scanner or a person put into a field: the control characters that separate what a
    barcode holds belong to it. Raises Invalid."""
    value = request.form.get(name, "").strip()
    if not least <= len(value) <= LONGEST_SCAN:
        raise Invalid(f"{name} must have {least} to {LONGEST_SCAN} characters", field=name)
    if any("\ud800" <= character <= "\udfff" or character == "\x00" for character in value):
        raise Invalid(f"{name} has characters that cannot be kept", field=name)
    return value


def whole(name: str, *, least: int, most: int, default: int | None = None) -> int:
    """A whole number in [least, most]. Raises Invalid."""
    raw = request.form.get(name, "").strip()
    if not raw and default is not None:
        return default
    if not _WHOLE.match(raw) or not least <= int(raw) <= most:
        raise Invalid(f"{name} must be a whole number from {least} to {most}", field=name)
    return int(raw)


def amount(name: str, currency: str, *, least: int = 0) -> int:
    """Decimal text in a currency, as minor units. Raises Invalid."""
    value = money.parse(request.form.get(name, ""), currency, field=name)
    if value < least:
        raise Invalid(f"{name} must be at least {money.text(least, currency)}", field=name)
    return value


def choice(name: str, choices: tuple[str, ...], default: str = "") -> str:
    value = request.form.get(name, default)
    if value not in choices:
        raise Invalid(f"{name} must be one of: {', '.join(choices)}", field=name)
    return value


def flag(name: str) -> bool:
    return request.form.get(name, "") not in ("", "0", "no")


def moment(name: str, zone: str) -> datetime | None:
    """A moment as browsers write it (in `zone`, where nothing else is said), as UTC; None when the
    field is empty. Raises Invalid."""
    raw = text(name, most=25)
    if not raw:
        return None
    try:
        found = datetime.fromisoformat(raw)
        if found.tzinfo is None:
            found = found.replace(tzinfo=ZoneInfo(zone))
        found = found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("This is no time", field=name) from error
    if not 2000 <= found.year <= 2200:
        raise Invalid("This is no time", field=name)
    return found
