"""Entries: what came in, as a bank's statement tells it, whatever layout that has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from ...catalogue.tables import FileRefused
from ..gateways.bank import Bank, references_in

__all__ = ["MOST_ENTRIES", "Entry", "Statement", "made", "refuse_many", "refuse_other"]

MOST_ENTRIES = 10_000


@dataclass(frozen=True)
class Entry:
    """Money that came in. `names` are references of our form in it; `own` is the bank's name for
    it, and `key` ours: the same in every file that tells of it."""

    amount_minor: int
    currency: str
    booked_on: date
    said: str = ""
    payer: str = ""
    payer_account: str = ""
    own: str = ""
    names: tuple[str, ...] = ()
    key: str = ""


@dataclass
class Statement:
    layout: str
    entries: list[Entry] = field(default_factory=list)
    outgoing: int = 0


def refuse_many(found: Statement) -> None:
    if len(found.entries) > MOST_ENTRIES:
        raise FileRefused(f"The file tells of more than {MOST_ENTRIES} transfers; send it in parts")


def refuse_other(said: str, ours: Bank) -> None:
    theirs, mine = (re.sub(r"[^0-9A-Z]", "", each.upper()) for each in (said, ours.account))
    if theirs and not (theirs.endswith(mine) or mine.endswith(theirs)):
        raise FileRefused(f"This is the statement of another account: {said[:40]}")


def made(
    minor: int, currency: str, on: date, said: Sequence[str], hidden: Sequence[str], payer: str,
    account: str, own: str,
) -> Entry:  # fmt: skip
    text = _kept(" ".join(said), 300)
    names = references_in("\n".join([*said, *hidden]))
    return Entry(minor, currency, on, text, _kept(payer, 140), _kept(account, 34),
                 _kept(own, 64), tuple(names))  # fmt: skip


def _kept(said: str, most: int) -> str:
    """As both databases keep it."""
    plain = "".join(one if one.isprintable() else " " for one in said)
    return " ".join(plain.encode("utf-8", "replace").decode().split())[:most]
