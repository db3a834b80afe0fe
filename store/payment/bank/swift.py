"""Swift: the text of an MT940 statement, as banks' pages give it out, with SWIFT's own envelope or
without one. Strict: a line that is no field's, a movement that cannot be read, or balances that the
movements do not lead from and to, refuse the file.

Sources: SWIFT's Standards MT, category 9, fields 25, 60a, 61, 62a and 86; what German banks write
into field 86 (a code of three digits, then parts that a mark and two digits begin) and Dutch ones
(/NAME/, /IBAN/, /REMI/) is read, anything else is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from ... import money
from ...catalogue.tables import FileRefused
from ...errors import Invalid

__all__ = ["Account", "Movement", "is_swift", "statements"]

_FIELD = re.compile(r":(\d\d[A-Z]?):(.*)", re.DOTALL)
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})(\d{1,12},\d{0,3})\Z")
_MOVEMENT = re.compile(
    r"(?P<value>\d{6})(?P<entry>\d{4})?(?P<mark>R?[CD])[A-Z]?(?P<amount>\d{1,12},\d{0,3})"
    r"[A-Z][A-Z0-9]{3}(?P<reference>.{0,34}?)(?://(?P<own>.{0,34}))?\Z"
)
_PARTED = re.compile(r"(\d{3})([?^>~|])(?=\d\d)")
_WORD = re.compile(r"/([A-Z]{4})/")
_ENVELOPE = re.compile(r"\{[1-35]:[^{}]*(\{[^{}]*\}[^{}]*)*\}|\{4:|-\}")
PURPOSE = (*(f"{n}" for n in range(20, 30)), *(f"{n}" for n in range(60, 64)))


@dataclass
class Movement:
    """Money of one line of field 61; below 0 it went out. `hidden` may hold our reference, too."""

    minor: int
    on: date
    own: str = ""
    hidden: str = ""
    said: str = ""
    payer: str = ""
    account: str = ""


@dataclass
class Account:
    """One statement: whose, in which money, and what moved."""

    number: str = ""
    currency: str = ""
    opened_minor: int = 0
    closed_minor: int | None = None
    movements: list[Movement] = field(default_factory=list)


def is_swift(body: bytes) -> bool:
    """Whether a file begins as an MT940 does; some banks write lines of their own before it."""
    head = body[:2000].replace(b"\r", b"")
    return bool(re.search(rb"(?:\A|\n|\{4:)\s*:20:", head)) and b":25" in head


def statements(body: bytes) -> Iterator[Account]:
    """Each statement of a file. Raises FileRefused."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("cp1252", "replace")
    mine: Account | None = None
    for tag, said in _fields(_ENVELOPE.sub("\n", text)):
        if tag == "20":
            if mine is not None:
                yield _whole(mine)
            mine = Account()
        elif mine is None:
            raise FileRefused(f"Field {tag} stands before any statement begins")
        else:
            _take(mine, tag, said)
    if mine is None:
        raise FileRefused("There is no statement in this file")
    yield _whole(mine)


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Each field with its lines. What stands before the first one is the bank's own."""
    found: list[str] = []
    for line in text.splitlines():
        if _FIELD.match(line):
            if found:
                yield _field(found)
            found = [line]
        elif found and line.strip() not in ("", "-"):
            found.append(line)
    if found:
        yield _field(found)


def _field(lines: list[str]) -> tuple[str, str]:
    tag, first = _FIELD.match(lines[0]).groups()  # type: ignore[union-attr]
    return tag, "\n".join([first.rstrip(), *(line.rstrip() for line in lines[1:])])


def _take(mine: Account, tag: str, said: str) -> None:
    if tag in ("25", "25P"):
        mine.number = said.partition("\n")[0].strip()
    elif tag in ("60F", "60M"):
        mine.currency, mine.opened_minor = _balance(said)
    elif tag in ("62F", "62M"):
        currency, mine.closed_minor = _balance(said)
        if currency != mine.currency:
            raise FileRefused("The statement ends in another currency than it begins in")
    elif tag == "61":
        if not mine.currency or mine.closed_minor is not None:
            raise FileRefused("A movement stands outside the two balances")
        mine.movements.append(_movement(said, mine.currency))
    elif tag == "86" and mine.movements and mine.closed_minor is None:
        _tell(mine.movements[-1], said)


def _whole(mine: Account) -> Account:
    if not mine.currency or mine.closed_minor is None:
        raise FileRefused("A statement lacks its first or its last balance: the file is cut off")
    moved = sum(one.minor for one in mine.movements)
    if mine.opened_minor + moved != mine.closed_minor:
        raise FileRefused("The movements do not lead from the first balance to the last one")
    return mine


def _balance(said: str) -> tuple[str, int]:
    found = _BALANCE.match(said.strip())
    if found is None:
        raise FileRefused(f"This balance cannot be read: {said[:40]}")
    minor = _minor(found[4], found[3])
    return found[3], minor if found[1] == "C" else -minor


def _minor(said: str, currency: str) -> int:
    """An amount with a comma, after which nothing may stand."""
    try:
        return money.parse(said.replace(",", ".").rstrip("."), currency)
    except Invalid as refusal:
        raise FileRefused(refusal.message) from refusal


def _movement(said: str, currency: str) -> Movement:
    """C and RD come in; D and RC (of which the bank took back what had come in) go out."""
    first, _, more = said.partition("\n")
    found = _MOVEMENT.match(first)
    if found is None:
        raise FileRefused(f"This movement cannot be read: {first[:60]}")
    minor = _minor(found["amount"], currency)
    comes = found["mark"] in ("C", "RD")
    return Movement(minor if comes else -minor, _day(found["value"], found["entry"]),
                    (found["own"] or "").strip(), f"{found['reference']}\n{more}")  # fmt: skip


def _day(value: str, entry: str | None) -> date:
    """When it was booked: the day of entry has no year of its own, and is close to the value's."""
    try:
        valued = date(2000 + int(value[:2]), int(value[2:4]), int(value[4:]))
        if entry is None:
            return valued
        near = [
            date(year, int(entry[:2]), int(entry[2:]))
            for year in (valued.year - 1, valued.year, valued.year + 1)
            if entry != "0229" or year % 4 == 0
        ]
        return min(near, key=lambda one: abs(one - valued))
    except ValueError as error:
        raise FileRefused(f"This is no day: {value}{entry or ''}") from error


def _tell(mine: Movement, said: str) -> None:
    """What field 86 says of a movement; lines are cut anywhere, so parts are put together again."""
    parted = _PARTED.match(said)
    text = said.replace("\n", "")
    if parted is not None:
        mark = re.escape(parted[2])
        rest = re.split(rf"{mark}(\d\d)", text[3:])
        parts: dict[str, str] = {}
        for number, words in zip(rest[1::2], rest[2::2]):
            parts[number] = parts.get(number, "") + words
        mine.said = "".join(parts.get(number, "") for number in PURPOSE).strip()
        mine.payer = f"{parts.get('32', '')}{parts.get('33', '')}".strip()
        mine.account = parts.get("38", "") or parts.get("31", "")
        return
    words_of = re.split(_WORD, text)
    told = dict(zip(words_of[1::2], words_of[2::2]))
    mine.said = told.get("REMI", " ".join(said.split()) if not told else text)
    mine.hidden += f"\n{text}"
    mine.payer, mine.account = told.get("NAME", ""), told.get("IBAN", "")
