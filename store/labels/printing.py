"""Printing: labels are drawn first, then recorded in one short transaction, then handed over.

Drawing takes seconds and may be refused, so it happens before anything is written down; what was
drawn waits in a temporary file, so that memory does not grow with the job. The PDF gets its name
only when its records are committed: there is never a sticker that the shop does not know. Records
without a PDF can exist, after a crash in between; the job is then printed again from them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from types import SimpleNamespace
from typing import IO, Any, BinaryIO, cast

from sqlalchemy import select

from .. import catalogue, clock, ids, logbook, stock
from ..db import connection, db, repeatable, transaction
from ..errors import Invalid, NotFound
from . import records
from .layout import PrintedLabel
from .models import Label, PrintJob
from .outputs import OUTPUTS, Output, write
from .pdf import Printed
from .records import NewLabel
from .sheets import Sheet, cells, dots, sheet
from .stickers import ITEM_COLUMNS, Imprint, labels_query, said_now, wording

__all__ = [
    "MOST_COPIES", "MOST_LABELS", "NothingToPrint", "Order", "PriceMissing", "Printing",
    "appearing", "find_job", "print_job", "print_labels", "recorded", "reprint", "skip_at",
]  # fmt: skip

MOST_COPIES = 500
MOST_LABELS = 100_000
CHUNK = 500
"""So many stickers are read, or written down, at once."""

Progress = Callable[[int], None]


class NothingToPrint(Invalid):
    code = "nothing_to_print"
    title = "No item was chosen"


class PriceMissing(Invalid):
    """Items that have no price there, or are no longer for sale. `items` names the first of them
    (code, names), `count` says how many they are."""

    code = "price_missing"
    title = "A label needs a price"


@dataclass(frozen=True)
class Order:
    """What is to be printed: `copies` of each item's label, in this order, on sheets of which the
    first has `skip` used cells; a label printer has `dpi` dots an inch. Two orders with one `key`
    are one."""

    item_ids: Sequence[int]
    sheet: Sheet
    location_id: int
    currency: str
    imprint: Imprint
    copies: int = 1
    skip: int = 0
    made_by: int | None = None
    key: str = field(default_factory=ids.new)
    dpi: int | None = None

    @property
    def count(self) -> int:
        return len(self.item_ids) * self.copies

    @property
    def dots(self) -> int:
        return dots(self.sheet, self.dpi)


@dataclass(frozen=True)
class Printing:
    """A job that was recorded. `missing` are characters that no label could show."""

    job_id: int
    labels: int
    pages: int
    missing: tuple[str, ...]


def print_labels(
    order: Order, path: Path, progress: Progress | None = None, how: Output = OUTPUTS["pdf"]
) -> Printing:
    """Print into a file, which appears when all is done. A refusal leaves neither file nor records.

    Raises Invalid (copies, dpi, too many), NothingToPrint, SkipTooLarge, ItemNotForSale,
    PriceMissing, LabelTooSmall; OSError where the file cannot be written.
    """
    _check(order)
    with appearing(path) as file:
        return _draw_and_record(order, file, progress, how)


def print_job(order: Order) -> Printing:
    """The same without a file: it is drawn when it is fetched, from the records. An order that was
    carried out before, by its key, is answered again."""
    known = _job_of(order.key)
    if known is not None:
        return Printing(known.id, known.count, _pages(known), ())
    _check(order)
    return _draw_and_record(order, cast(BinaryIO, _Nowhere()), None, OUTPUTS["pdf"])


def reprint(
    job: PrintJob,
    imprint: Imprint,
    output: BinaryIO,
    progress: Progress | None = None,
    how: Output = OUTPUTS["pdf"],
    *,
    first: int = 0,
    skip: int | None = None,
) -> Printed:
    """Write the job again: the same stickers, with the prices of then. `first` is the position of
    the first of them, where the paper ran out before it; `skip` the used cells of its sheet."""
    if skip is None:
        skip = skip_at(job, first)
    drawn = recorded(job.id, imprint, first)
    return write(how, drawn, sheet(job.sheet), output, skip, progress, dpi=job.dpi)


def skip_at(job: PrintJob, position: int) -> int:
    """The cell of its sheet on which the label of this position lies."""
    return (job.skip + position) % sheet(job.sheet).per_page


def find_job(job_id: int) -> PrintJob:
    """Raises NotFound."""
    job = db.session.get(PrintJob, job_id)
    if job is None:
        raise NotFound("There is no such print job", what="job")
    return job


def _check(order: Order) -> None:
    """Everything that can be refused before a page is drawn."""
    if not order.item_ids:
        raise NothingToPrint("No item was chosen", field="item")
    if not 1 <= order.copies <= MOST_COPIES:
        raise Invalid(f"Copies are 1 to {MOST_COPIES}", field="copies")
    if order.count > MOST_LABELS:
        raise Invalid(f"One job prints at most {MOST_LABELS} labels", field="copies")
    cells(order.sheet, order.skip)
    dots(order.sheet, order.dpi)
    unpriced: list[Any] = []
    for chunk in _chunks(order.item_ids, CHUNK):
        priced = catalogue.quotes(chunk, order.location_id, order.currency)
        unpriced += _items([each for each in chunk if each not in priced])
    if unpriced:
        named = ", ".join(_name(item, order.imprint.languages) for item in unpriced[:20])
        more = f" and {len(unpriced) - 20} more" if len(unpriced) > 20 else ""
        raise PriceMissing(
            f"Without a price here, or no longer for sale: {named}{more}",
            items=[{"code": item.code, "names": dict(item.names)} for item in unpriced[:20]],
            count=len(unpriced),
        )


def _name(item: Any, languages: tuple[str, ...]) -> str:
    names = [item.names[language] for language in languages if language in item.names]
    return f"{(names or ['?'])[0]} ({item.code})"


def _draw_and_record(
    order: Order, output: BinaryIO, progress: Progress | None, how: Output
) -> Printing:
    is_kept = not isinstance(output, _Nowhere)
    with TemporaryFile("w+", encoding="ascii") as drawn:
        printed = write(
            how, _drawn(order, drawn), order.sheet, output, order.skip, progress, dpi=order.dots
        )
        if is_kept:
            output.flush()
            os.fsync(output.fileno())
        job_id = _record(order, drawn, is_handed=is_kept)
    return Printing(job_id, printed.labels, printed.pages, printed.missing)


def _drawn(order: Order, drawn: IO[str]) -> Iterator[PrintedLabel]:
    """The stickers one after the other; a line for each goes into `drawn`."""
    for chunk in _chunks(order.item_ids, max(1, CHUNK // order.copies)):
        items = {item.id: item for item in _items(chunk)}
        priced = catalogue.quotes(chunk, order.location_id, order.currency)
        shelves = stock.shelves(chunk, order.location_id)
        fresh = iter(records.fresh_ids(len(chunk) * order.copies))
        for item_id in chunk:
            if item_id not in priced:
                raise PriceMissing("An item was taken off sale meanwhile", items=[], count=1)
            price, shelf = priced[item_id].amount_minor, shelves.get(item_id, "")
            said = items[item_id].said
            for label_id in islice(fresh, order.copies):
                label = SimpleNamespace(
                    id=label_id, price_minor=price, currency=order.currency, shelf=shelf
                )
                yield wording(items[item_id], label, order.imprint)
                drawn.write(
                    json.dumps([label_id, item_id, price, order.currency, shelf, said]) + "\n"
                )


def _items(item_ids: Sequence[int]) -> list[Any]:
    """The items in this order. Raises ItemNotForSale for one that does not exist."""
    item = catalogue.Item
    query = select(item.id, said_now().label("said"), *ITEM_COLUMNS).where(item.id.in_(item_ids))
    found = {row.id: row for row in connection().execute(query)}
    if missing := [each for each in item_ids if each not in found]:
        raise catalogue.ItemNotForSale("There is no such item", items=missing[:20])
    return [found[each] for each in item_ids]


@repeatable
def _record(order: Order, drawn: IO[str], *, is_handed: bool) -> int:
    """Opener: the job and a record for every sticker that was drawn; answers the job's id. What
    was written into a file was handed over."""
    drawn.seek(0)
    with transaction():
        # After a commit whose answer was lost, or from a form that was sent twice at once.
        known = _job_of(order.key)
        if known is not None:
            return known.id
        job = records.open_job(
            PrintJob(
                sheet=order.sheet.name, location_id=order.location_id, count=order.count,
                skip=order.skip, base_url=order.imprint.base_url, key=order.key,
                made_by=order.made_by, dpi=order.dots, languages=",".join(order.imprint.languages),
                handed=order.count if is_handed else 0, handed_by=order.made_by,
                handed_at=clock.now() if is_handed else None,
            )
        )  # fmt: skip
        position = 0
        while lines := list(islice(drawn, CHUNK)):
            rows = [json.loads(line) for line in lines]
            position = records.keep(job, position, [(row[0], NewLabel(*row[1:])) for row in rows])
        logbook.note("labels.printed", job.id, place_id=job.location_id,
                     after={"labels": job.count, "sheet": job.sheet})  # fmt: skip
        return job.id


def _job_of(key: str) -> PrintJob | None:
    return db.session.scalar(select(PrintJob).where(PrintJob.key == key))


def recorded(job_id: int, imprint: Imprint, first: int = 0) -> Iterator[PrintedLabel]:
    """The stickers of a job in their order from a position on, read a chunk at a time."""
    query = labels_query().where(Label.job_id == job_id).order_by(Label.position).limit(CHUNK)
    after = first - 1
    while rows := connection().execute(query.where(Label.position > after)).all():
        for row in rows:
            yield wording(row, row, imprint)
        after = rows[-1].position


def _pages(job: PrintJob) -> int:
    return -(-(job.count + job.skip) // sheet(job.sheet).per_page)


def _chunks(item_ids: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(item_ids), size):
        yield list(item_ids[start : start + size])


@contextmanager
def appearing(path: Path) -> Iterator[BinaryIO]:
    """A file under a temporary name beside its own, which it gets at the end if all went well."""
    new = path.with_name(f".{path.name}.{ids.new()}.part")
    try:
        with new.open("xb") as file:
            yield file
        new.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        new.unlink(missing_ok=True)


class _Nowhere:
    """An output of which nothing is kept: a job is drawn once before it is recorded, so that a
    label that cannot be printed is refused then and not when the PDF is fetched."""

    def write(self, data: bytes) -> int:
        return len(data)
