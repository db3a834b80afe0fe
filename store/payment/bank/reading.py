"""Reading: a bank's statement file, camt.053, MT940 (`swift`) or a table, as what came in. A file
of which anything cannot be read is refused whole: nothing of it may be missed."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from ...catalogue.tables import FileRefused
from ...errors import Invalid
from ..gateways.bank import Bank
from . import camt, listed
from .entries import Entry, Statement, made, refuse_many, refuse_other
from .swift import is_swift, statements

__all__ = ["MOST_BYTES", "read"]

MOST_BYTES = 5 * 2**20


def read(path: Path, ours: Bank, zone: ZoneInfo, columns: Mapping[str, str]) -> Statement:
    """What a file tells. Raises FileRefused where it is too large, no statement of our account, or
    where anything of it cannot be read."""
    if path.stat().st_size > MOST_BYTES:
        raise FileRefused(f"The file is larger than {MOST_BYTES // 2**20} MB")
    body = path.read_bytes()
    start = body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")[:2].replace(b"\x00", b"")
    try:
        if start[:1] == b"<":
            found = camt.read(body, ours, zone)
        elif is_swift(body):
            found = _swift(body, ours)
        else:
            found = listed.read(path, ours, zone, columns)
    except FileRefused:
        raise
    except Invalid as refusal:
        raise FileRefused(refusal.message) from refusal
    found.entries = list(_keyed(found.entries))
    return found


def _keyed(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Two that are equal in all that is told are two; in another file they are the same two."""
    seen: Counter[str] = Counter()
    for one in entries:
        told = (one.own, one.booked_on.isoformat(), str(one.amount_minor), one.currency, one.said,
                one.payer, one.payer_account)  # fmt: skip
        digest = hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:40]
        seen[digest] += 1
        yield replace(one, key=f"{digest}:{seen[digest]}")


def _swift(body: bytes, ours: Bank) -> Statement:
    found = Statement("mt940")
    for account in statements(body):
        _refuse_other_number(account.number, ours)
        for one in account.movements:
            if one.minor > 0:
                found.entries.append(
                    made(one.minor, account.currency, one.on, [one.said], [one.hidden], one.payer,
                          one.account, one.own)
                )  # fmt: skip
                refuse_many(found)
            elif one.minor < 0:
                found.outgoing += 1
    return found


def _refuse_other_number(said: str, ours: Bank) -> None:
    """An account as MT940 names it: with its currency behind it, or as bank code / number."""
    number = re.sub(r"(?<=\d)\s*[A-Z]{3}\Z", "", said)
    bank, slash, local = number.rpartition("/")
    mine = re.sub(r"[^0-9A-Z]", "", ours.account.upper())
    short = local.strip().lstrip("0")
    if not local.strip():
        raise FileRefused("The statement does not say whose account it is of")
    if slash and bank.strip() and short and bank.strip() in mine and mine.endswith(short):
        return
    refuse_other(number, ours)
