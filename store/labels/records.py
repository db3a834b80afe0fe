"""Label records: every sticker has an id of its own with a short authentication code behind it.

The code says that the shop itself made the id; the record says which item, at which place and
shelf, with which price in print. A sticker without a record, or for another item, is not ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from .. import clock, ids, logbook
from ..db import connection, db, in_transaction
from .models import Label, PrintJob

ID_LENGTH = 8
MAC_LENGTH = 5
"""40 random bits name a label; 25 bits authenticate it. Guessing one is 1 in 33 million a try, and
brings nothing: a label neither pays nor prices anything."""


@dataclass(frozen=True)
class NewLabel:
    """A sticker to be printed: the item, and the price that will stand on it."""

    item_id: int
    price_minor: int
    currency: str
    shelf: str = ""
    said: str | None = None


def text_for(label_id: str, key: str) -> str:
    """What stands behind `l=` in the label's address."""
    return label_id + ids.mac(key.encode(), "label", label_id, length=MAC_LENGTH)


def read(text: str, key: str) -> str | None:
    """The label's id if the text was made by this shop, else None: a foreign or forged sticker."""
    text = text.strip().upper()
    if len(text) != ID_LENGTH + MAC_LENGTH or not text.isascii():
        return None
    label_id = text[:ID_LENGTH]
    return label_id if ids.same(text_for(label_id, key), text) else None


def record(
    new: Sequence[NewLabel], sheet: str, location_id: int, *, made_by: int | None
) -> tuple[int, list[str]]:
    """Joiner: write down a print job and a record for each of its stickers; answers the job's id
    and the labels' ids in the same order."""
    job = open_job(
        PrintJob(
            sheet=sheet,
            location_id=location_id,
            count=len(new),
            made_by=made_by,
            base_url="",
            handed=len(new),
            handed_at=clock.now(),
            handed_by=made_by,
        )
    )
    label_ids = fresh_ids(len(new))
    keep(job, 0, zip(label_ids, new, strict=True))
    return job.id, label_ids


def open_job(job: PrintJob) -> PrintJob:
    """Joiner: write down that this is printed now."""
    session = in_transaction()
    job.created_at = clock.now()
    session.add(job)
    session.flush()
    return job


def keep(job: PrintJob, start: int, labels: Iterable[tuple[str, NewLabel]]) -> int:
    """Joiner: records of these stickers of the job, in order from position `start`; answers the
    position that follows."""
    rows = [
        {
            "id": label_id,
            "item_id": label.item_id,
            "location_id": job.location_id,
            "shelf": label.shelf,
            "price_minor": label.price_minor,
            "currency": label.currency,
            "job_id": job.id,
            "position": position,
            "printed_by": job.made_by,
            "printed_at": job.created_at,
            "said": label.said,
        }
        for position, (label_id, label) in enumerate(labels, start)
    ]
    if rows:
        in_transaction().connection().execute(insert(Label), rows)
    return start + len(rows)


def fresh_ids(count: int) -> list[str]:
    """So many ids that no label has. With a million labels in use, one in a million is taken."""
    fresh: dict[str, None] = {}
    while len(fresh) < count:
        wanted = [ids.short_code(ID_LENGTH) for _ in range(min(count - len(fresh), 500))]
        taken = connection().scalars(select(Label.id).where(Label.id.in_(wanted)))
        fresh |= dict.fromkeys(sorted({*wanted}.difference(taken)))
    return list(fresh)


def revoke(label_id: str) -> None:
    """Joiner: this sticker no longer counts (torn off, replaced)."""
    revoked = in_transaction().execute(
        update(Label)
        .where(Label.id == label_id, Label.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )
    if revoked.rowcount:  # type: ignore[attr-defined]
        logbook.note("label.revoked", label_id)


def find(label_id: str) -> Label | None:
    return db.session.scalar(select(Label).where(Label.id == label_id))
