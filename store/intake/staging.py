"""Staging: a list that was sent is read once, from its beginning to its end, and its rows are
written down in pieces. Nothing of it is an item yet; a list that breaks off leaves nothing."""

from __future__ import annotations

import gzip
import json
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, or_, select, update

from .. import clock, ids, sweeping
from ..catalogue.columns import recognised
from ..catalogue.intake_models import Intake, IntakeCode, IntakeItem, IntakePiece
from ..catalogue.tables import FileRefused, Row, Table, open_table
from ..db import repeatable, transaction

__all__ = ["MOST_BYTES", "MOST_ROWS", "Where", "packed", "stage", "sweep", "unpacked"]

MOST_BYTES = 10 * 2**20
MOST_UNPACKED = 100 * 2**20
MOST_UNPACKED_SHEET = 64 * 2**20
MOST_ROWS = 200_000
PIECE = 500
PIECE_CHARACTERS = 1_000_000
LONGEST_S = 60
"""Who reads longer has a file that was made to be slow to read."""
KEPT = timedelta(days=14)

_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"II*\x00", b"MM\x00*")


@dataclass(frozen=True)
class Where:
    """What counts where the list does not say it: the shop's, until somebody says otherwise."""

    currency: str
    language: str
    tax_rate_bp: int
    location_id: int
    made_by: int | None


def stage(path: Path, name: str, where: Where, encoding: str = "") -> str:
    """Opener (often): keep the rows of a file; answers the list's id. What kind of file it is, its
    own first bytes say. Raises FileRefused."""
    path = _as_it_is(path)
    began_s = time.monotonic()
    with open_table(path, encoding, is_list=True) as table:
        if not table.headings:
            raise FileRefused("The first row has no headings")
        intake_id = _begin(name, table, where)
        rows = pieces = 0
        try:
            for bite in _bites(table.rows):
                _keep(intake_id, pieces, packed(bite))
                rows, pieces = rows + len(bite), pieces + 1
                if rows > MOST_ROWS:
                    raise FileRefused(f"The file has more than {MOST_ROWS} rows")
                if time.monotonic() - began_s > LONGEST_S:
                    raise FileRefused("The file takes too long to read")
            if not rows:
                raise FileRefused("The file has headings, but no rows")
            _whole(intake_id, rows, pieces)
        except BaseException:
            _forget(intake_id)
            raise
    return intake_id


def packed(rows: Sequence[Row]) -> bytes:
    return zlib.compress(json.dumps(rows).encode(), 3)


def unpacked(piece: bytes) -> list[Row]:
    return [Row(*row) for row in json.loads(zlib.decompress(piece))]


def _as_it_is(path: Path) -> Path:
    """The file under a name that says what is in it. Raises FileRefused for what is no table, or
    would be too much when unpacked."""
    with path.open("rb") as file:
        first = file.read(8)
    if first.startswith(b"PK\x03\x04"):
        _measure_sheet(path)
        return path.rename(path.with_name("list.xlsx"))
    if first.startswith(b"\x1f\x8b"):
        _refuse_what_is_no_table(_measure(path))
        return path.rename(path.with_name("list.csv.gz"))
    _refuse_what_is_no_table(first)
    return path.rename(path.with_name("list.csv"))


def _refuse_what_is_no_table(first: bytes) -> None:
    if first.startswith(_PICTURES):
        raise FileRefused("This is a picture, not a table")
    if first.startswith(b"%PDF"):
        raise FileRefused("This is a PDF, not a table")
    if first.startswith((b"\xd0\xcf\x11\xe0", b"PK", b"\x1f\x8b")):
        raise FileRefused("Save it as .xlsx or .csv first")


def _measure(path: Path) -> bytes:
    """The first bytes of a packed file, once it is known to unpack to a bearable size."""
    first, total = b"", 0
    try:
        with gzip.open(path) as file:
            while piece := file.read(1 << 20):
                first, total = first or piece[:8], total + len(piece)
                if total > MOST_UNPACKED:
                    most = MOST_UNPACKED // 2**20
                    raise FileRefused(f"The file holds more than {most} MB when unpacked")
    except (OSError, EOFError, zlib.error) as error:
        raise FileRefused("The packed file is damaged") from error
    return first


def _measure_sheet(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(member.file_size for member in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise FileRefused("The spreadsheet is damaged") from error
    if total > MOST_UNPACKED_SHEET:
        most = MOST_UNPACKED_SHEET // 2**20
        raise FileRefused(f"The file holds more than {most} MB when unpacked")


def _bites(rows: Iterator[Row]) -> Iterator[list[Row]]:
    bite: list[Row] = []
    characters = 0
    for row in rows:
        bite.append(_short(row) if row.fault else row)
        characters += sum(map(len, row.cells))
        if len(bite) == PIECE or characters > PIECE_CHARACTERS:
            yield bite
            bite, characters = [], 0
    if bite:
        yield bite


def _short(row: Row) -> Row:
    """Of a row that cannot be read so much as is needed to find it again."""
    return row._replace(cells=[cell[:2000] for cell in row.cells[:200]])


@repeatable
def _begin(name: str, table: Table, where: Where) -> str:
    one = Intake(
        id=ids.new(), name=name[:120], state="staging", encoding=table.encoding[:20],
        separator=table.separator, headings=table.headings, fields=recognised(table.headings),
        currency=where.currency, language=where.language, tax_rate_bp=where.tax_rate_bp,
        location_id=where.location_id, made_by=where.made_by, at=clock.now(),
    )  # fmt: skip
    with transaction() as session:
        session.add(one)
        return one.id


@repeatable
def _keep(intake_id: str, number: int, rows: bytes) -> None:
    with transaction() as session:
        if session.get(IntakePiece, (intake_id, number)) is None:
            session.add(IntakePiece(intake_id=intake_id, number=number, rows=rows))


@repeatable
def _whole(intake_id: str, rows: int, pieces: int) -> None:
    mine = update(Intake).where(Intake.id == intake_id, Intake.state == "staging")
    with transaction() as session:
        session.execute(mine.values(state="open", row_count=rows, pieces=pieces))


@repeatable
def _forget(intake_id: str) -> None:
    """Nothing of it was taken, so nothing of it is worth telling."""
    with transaction() as session:
        session.execute(delete(IntakePiece).where(IntakePiece.intake_id == intake_id))
        session.execute(delete(Intake).where(Intake.id == intake_id))


def sweep() -> int:
    """Opener (often): the rows of old lists go, and lists that nobody took in. What was taken in
    stays, with its figures and the name of who did it."""
    before = clock.now() - KEPT
    over = Intake.state.in_(("staging", "open", "done", "stopped")) & (Intake.at < before)
    old = select(Intake.id).where(over)
    gone = sum(
        sweeping.remove(table, table.intake_id.in_(old))
        for table in (IntakePiece, IntakeCode, IntakeItem)
    )
    unused = or_(Intake.state.in_(("staging", "open")), Intake.begun_at.is_(None))
    return gone + sweeping.remove(Intake, over & unused)
