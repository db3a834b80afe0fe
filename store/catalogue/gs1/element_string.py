"""Element strings: what barcodes other than plain EAN/UPC hold, and how people write it down.

Raw: `\\x1d0106950207003912` with the separator FNC1 (character 29) before the first element and
after every value that has no predefined length (GS1 General Specifications, section 7.8). For
people: `(01)06950207003912(10)B1`.
"""

from __future__ import annotations

import re

from .ais import AIS, Identifier, check_value, identify
from .associations import Elements
from .fault import CodeFault, excerpt, refuse_too_long
from .lints import CHARACTER_SETS

__all__ = ["FNC1", "MOST_ELEMENTS", "build", "build_bracketed", "parse", "parse_bracketed"]

FNC1 = "\x1d"
MOST_ELEMENTS = 64

# ISO/IEC 15424: the symbols that announce an element string, and the caret that stands for FNC1 in
# specifications (it is in no character set of GS1, so it cannot be data).
_SYMBOLS = ("]C1", "]d2", "]Q3", "]e0", "]J1")
_SEPARATORS = frozenset(f"{FNC1}^")
_SEPARATOR = re.compile(rf"[{FNC1}^]")
_ANYTHING = "Any value of an unknown identifier"


def parse(text: str, *, announced: bool = True) -> tuple[tuple[str, str], ...]:
    """The elements of a raw element string. Raises CodeFault with the place of the fault.

    It must begin with FNC1 or with the identifier of a symbol that announces an element string,
    unless `announced` is False (many scanners leave both away). Companions are not looked at: see
    check_associations.
    """
    refuse_too_long(text)
    at = 3 if text.startswith(_SYMBOLS) else 0
    if text[at : at + 1] in _SEPARATORS:
        at += 1
    elif announced and at == 0:
        raise CodeFault("An element string begins with FNC1 or a symbology identifier.", at=0)
    if at == len(text):
        raise CodeFault("The element string is empty.", at=at)
    elements: list[tuple[str, str]] = []
    while at < len(text):
        if len(elements) == MOST_ELEMENTS:
            raise CodeFault(f"There are more than {MOST_ELEMENTS} elements.", at=at)
        identifier = _identifier_at(text, at)
        at += len(identifier.ai)
        value = text[at : _value_end(text, at, identifier)]
        check_value(identifier, value, at=at)
        elements.append((identifier.ai, value))
        at += len(value)
        if at < len(text) and text[at] in _SEPARATORS:
            at += 1
    return tuple(elements)


def parse_bracketed(text: str, *, unknown: bool = False) -> tuple[tuple[str, str], ...]:
    """The elements of `(01)06950207003912(10)B1`; a bracket inside a value is written `\\(`.

    `unknown` lets identifiers pass that are not in the table, with any value of set 82.
    """
    refuse_too_long(text)
    elements: list[tuple[str, str]] = []
    at = 0
    while at < len(text) or not elements:
        if not text.startswith("(", at):
            raise CodeFault("An identifier in brackets, such as (01), belongs here.", at=at)
        close = text.find(")", at)
        if close < 0:
            raise CodeFault("The bracket is not closed.", at=at)
        if len(elements) == MOST_ELEMENTS:
            raise CodeFault(f"There are more than {MOST_ELEMENTS} elements.", at=at)
        ai = text[at + 1 : close]
        start = close + 1
        at = _bracketed_end(text, start)
        value = text[start:at].replace("\\(", "(")
        if ai in AIS or not unknown:
            check_value(identify(ai, at=start - len(ai) - 1), value, at=start)
        else:
            check_unknown(ai, value, at=start)
        elements.append((ai, value))
    return tuple(elements)


def build(elements: Elements, *, fnc1: str = FNC1) -> str:
    """The raw element string, FNC1 first. Raises CodeFault for a value that breaks its form."""
    parts = [fnc1]
    for place, (ai, value) in enumerate(elements):
        identifier = identify(ai)
        check_value(identifier, value)
        parts += (ai, value)
        if identifier.separated and place < len(elements) - 1:
            parts.append(fnc1)
    if len(parts) == 1:
        raise CodeFault("There are no elements.")
    return "".join(parts)


def build_bracketed(elements: Elements) -> str:
    """The element string as it is printed for people."""
    for ai, value in elements:
        check_value(identify(ai), value)
    return "".join(f"({ai}){value.replace('(', chr(92) + '(')}" for ai, value in elements)


def check_unknown(ai: str, value: str, *, at: int | None = None) -> None:
    """An identifier outside the table: two to four digits, and no piece of a known one."""
    clash = any(ai.startswith(known) or known.startswith(ai) for known in AIS)
    if not (ai.isascii() and ai.isdigit() and 2 <= len(ai) <= 4) or clash:
        raise CodeFault(f"There is no application identifier ({excerpt(ai)[1:-1]}).", at=at)
    pattern, _ = CHARACTER_SETS["X"]
    if not 1 <= len(value) <= 90 or not pattern.fullmatch(value):
        raise CodeFault(f"{_ANYTHING} has 1 to 90 characters of set 82.", at=at, ai=ai)


def _identifier_at(text: str, at: int) -> Identifier:
    for length in (2, 3, 4):
        found = AIS.get(text[at : at + length])
        if found:
            return found
    raise CodeFault(f"No application identifier begins {excerpt(text[at : at + 4])}.", at=at)


def _value_end(text: str, at: int, identifier: Identifier) -> int:
    """Where the value ends: at the separator, or where a predefined length is full.

    One character more than may be is taken, so that a value that is too long shows as such.
    """
    most = at + identifier.longest + identifier.separated
    separator = _SEPARATOR.search(text, at, most)
    return separator.start() if separator else min(most, len(text))


def _bracketed_end(text: str, start: int) -> int:
    end = text.find("(", start)
    while end > start and text[end - 1] == "\\":
        end = text.find("(", end + 1)
    return len(text) if end < 0 else end
