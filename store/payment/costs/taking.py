"""Taking: a provider's file is written down row by row before anything of it is believed.

It is staged in bites, each of them one transaction, and ready to be matched when it is whole. Who
dies in between, sends the same file again: it is known by its digest, and goes on where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select, update

from ... import clock, ids, logbook
from ...catalogue.tables import FileRefused
from ...db import db, in_transaction, insert_new, repeatable, transaction
from ...errors import Invalid
from .layouts import Fact, Here
from .models import SettlementFile, SettlementLine, SettlementReject
from .reading import Reject, opened
from .terms import MEANS

__all__ = ["take"]

BITE = 500
MOST_REJECTS = 1000


def take(
    path: Path, means: str, here: tuple[str, str], *, name: str = "", taken_by: int | None = None,
    columns: Mapping[str, str] | None = None, told: Callable[[int], None] = lambda staged: None,
) -> str:  # fmt: skip
    """Opener (often): stage a file; answers its id. `here` is the shop's currency and time zone,
    `told` hears how many rows are staged. The same file again is the same file. Raises FileRefused
    where nothing of it can be read, Invalid for means that have no files."""
    if means not in MEANS:
        raise Invalid(f"means must be one of: {', '.join(MEANS)}", field="means")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    shop = Here(here[0], ZoneInfo(here[1]))
    columns = columns or {}
    with opened(path, means, shop, columns) as found:
        # All of it is read once before any of it is kept: a file that breaks off is refused whole.
        rows = list(found.rows)
    if not any(isinstance(row, tuple) for row in rows):
        first = next((row.why for row in rows if isinstance(row, Reject)), "it has no rows")
        raise FileRefused(f"Nothing of the file can be read: {first}")
    said = "\x1f".join(f"{field}={columns[field]}" for field in sorted(columns))
    if said:
        digest = hashlib.sha256(f"{digest}{said}".encode()).hexdigest()
    file_id = _begin(means, found.layout, (name or path.name)[:120], digest, shop, taken_by)
    numbered = iter(enumerate(rows, start=1))
    while bite := list(islice(numbered, BITE)):
        told(_stage(file_id, bite, last=bite[-1][0] == len(rows)))
    return file_id


@repeatable
def _begin(
    means: str, layout: str, name: str, digest: str, here: Here, taken_by: int | None
) -> str:
    row = {"id": ids.new(), "means": means, "layout": layout, "name": name, "digest": digest,
           "currency": here.currency, "state": "staging", "staged": 0, "taken_by": taken_by,
           "at": clock.now(), "done_at": None}  # fmt: skip
    with transaction() as session:
        new = insert_new(SettlementFile).execution_options(preserve_rowcount=True)
        if session.connection().execute(new, row).rowcount == 1:
            logbook.note("settlement.taken", row["id"], after={"means": means, "digest": digest})
        query = select(SettlementFile.id)
        same = (SettlementFile.means == means, SettlementFile.digest == digest)
        return str(session.scalars(query.where(*same)).one())


@repeatable
def _stage(file_id: str, bite: list[tuple[int, tuple[int, Fact] | Reject]], *, last: bool) -> int:
    """Opener: one bite, where nobody has staged it yet; answers how many rows are staged."""
    with transaction() as session:
        file = session.scalars(
            select(SettlementFile).where(SettlementFile.id == file_id).with_for_update()
        ).one()
        if file.state != "staging" or file.staged >= bite[-1][0]:
            return file.staged
        new = [row for place, row in bite if place > file.staged]
        lines = [_line(file, *row) for row in new if isinstance(row, tuple)]
        if lines:
            session.connection().execute(insert(SettlementLine), lines)
        _reject(file_id, [row for row in new if isinstance(row, Reject)])
        values = {"staged": bite[-1][0], "state": "matching" if last else "staging"}
        session.execute(update(SettlementFile).where(SettlementFile.id == file_id).values(**values))
        return bite[-1][0]


def _line(file: SettlementFile, number: int, fact: Fact) -> dict[str, Any]:
    return {
        "file_id": file.id, "number": number, "means": file.means, "key": fact.key,
        "kind": fact.kind, "order_id": fact.order, "reference": fact.reference,
        "gross_minor": fact.gross_minor, "fee_minor": fact.fee_minor, "currency": fact.currency,
        "at": fact.at, "paid_on": fact.paid_on, "state": "staged", "problem": "",
        "transfer_id": None, "agreed_minor": None, "accepted_by": None, "accepted_at": None,
        "reason": "",
    }  # fmt: skip


def _reject(file_id: str, rows: list[Reject]) -> None:
    """Of a file that is all rubbish the first rows are enough to see it."""
    session = in_transaction()
    query = select(func.count()).where(SettlementReject.file_id == file_id)
    room = MOST_REJECTS - int(session.scalar(query) or 0)
    kept = [
        {"file_id": file_id, "number": row.number, "why": row.why, "said": row.row}
        for row in rows[: max(0, room)]
    ]
    if kept:
        session.connection().execute(insert(SettlementReject), kept)


def rejects(file_id: str) -> Iterator[Reject]:
    """The rows of a file that could not be read, in order."""
    query = select(SettlementReject).where(SettlementReject.file_id == file_id)
    for row in db.session.scalars(query.order_by(SettlementReject.number)):
        yield Reject(row.number, row.why, row.said)
