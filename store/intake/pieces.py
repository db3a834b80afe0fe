"""Pieces: a list goes in piece by piece, each of them one transaction that makes its items, their
first stock, and the mark that it is in.

Whoever dies in between leaves it where the next one goes on. One at a time works on a list (its row
is locked), and a piece whose turn it is not is left alone: a second worker, or a second click, does
no piece twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from .. import clock, identity, logbook
from ..catalogue import importing
from ..catalogue.bulk import among, insert_many
from ..catalogue.columns import chosen_columns
from ..catalogue.drafts import Draft, Reader, Rejection
from ..catalogue.importing_rows import codes_of
from ..catalogue.intake_models import TRANSITIONS, Intake, IntakeCode, IntakeItem, IntakePiece
from ..catalogue.tables import Row
from ..db import db, in_transaction, insert_new, is_passing, repeatable, transaction
from ..errors import NotFound
from .shelving import shelving
from .staging import unpacked

__all__ = [
    "Settings", "begin", "defaults_of", "end", "find_intake", "reader_of", "rows_of", "say", "work",
]  # fmt: skip

log = logging.getLogger(__name__)


def find_intake(intake_id: str) -> Intake:
    """Raises NotFound; also while its rows are still being written down."""
    found = db.session.get(Intake, intake_id)
    if found is None or found.state == "staging":
        raise NotFound("There is no such list", what="list")
    return found


def reader_of(one: Intake) -> Reader:
    """Raises ColumnTwice; FileRefused where no column holds a code."""
    columns = chosen_columns(one.headings, one.fields)
    return Reader(
        one.headings, columns, currency=one.currency, language=one.language,
        zeros_lost=one.is_sheet,
    )  # fmt: skip


def defaults_of(one: Intake) -> importing.Defaults:
    made_by = identity.by_id(one.made_by) if one.made_by else None
    with_costs = identity.allows(made_by, "see_costs")
    return importing.Defaults(
        one.currency, one.tax_rate_bp, one.price_minor, one.made_by, with_costs
    )


def rows_of(intake_id: str, number: int) -> list[Row]:
    """The rows of a piece; none where they have been swept."""
    query = select(IntakePiece.rows).where(IntakePiece.intake_id == intake_id)
    kept = db.session.scalar(query.where(IntakePiece.number == number))
    return unpacked(kept) if kept else []


class Settings(dict[str, object]):
    """What may be said of an open list: `fields`, `tax_rate_bp`, `price_minor`, `quantity`,
    `location_id`."""


@repeatable
def say(intake_id: str, settings: Settings) -> bool:
    """Opener: which column holds what, and what counts where none does. Answers whether the list
    was still open for it."""
    with transaction() as session:
        mine = update(Intake).where(Intake.id == intake_id, Intake.state == "open")
        said = session.execute(mine.values(**settings))
        return bool(said.rowcount)  # type: ignore[attr-defined]


@repeatable
def begin(intake_id: str) -> None:
    """Opener: from now on the list goes in; one that was stopped goes on where it was. Begun before
    is begun. Raises ColumnTwice, FileRefused as `reader_of`."""
    with transaction() as session:
        one = session.get_one(Intake, intake_id, with_for_update=True)
        kept = session.get(IntakePiece, (intake_id, one.taken)) is not None
        put_aside = one.state == "stopped" and one.begun_at is None
        if (one.state, "begun") in TRANSITIONS and kept and not put_aside:
            reader_of(one)
            one.state, one.ended_at = TRANSITIONS[one.state, "begun"], None
            one.begun_at = one.begun_at or clock.now()


@repeatable
def end(intake_id: str) -> None:
    """Opener: no more of it goes in. What is in stays."""
    with transaction() as session:
        one = session.get_one(Intake, intake_id, with_for_update=True)
        if (one.state, "ended") in TRANSITIONS:
            one.state, one.ended_at = TRANSITIONS[one.state, "ended"], clock.now()


def work(*, within_s: float = 5.0) -> int:
    """Opener (often): go on with the lists that are going in, the oldest first, for so long;
    answers how many pieces went in."""
    until_s, done = time.monotonic() + within_s, 0
    while time.monotonic() < until_s:
        query = select(Intake.id).where(Intake.state == "running")
        intake_id = db.session.scalar(query.order_by(Intake.at).limit(1))
        db.session.rollback()
        if intake_id is None:
            break
        try:
            done += _next_piece(intake_id)
        except Exception as error:
            db.session.rollback()
            if isinstance(error, DBAPIError) and is_passing(error):
                raise
            # It would fail again at once, and no list behind it would have its turn.
            log.exception("intake: a piece of %s failed, so the list is stopped", intake_id)
            end(intake_id)
    return done


def _next_piece(intake_id: str) -> bool:
    """What can be read without the writer's place is read before it is taken."""
    one = db.session.get_one(Intake, intake_id, populate_existing=True)
    number = one.taken
    reader = reader_of(one)
    drafts, rejections = importing.read_rows(rows_of(intake_id, number), reader)
    db.session.rollback()
    return importing.repeatedly(lambda: _take(intake_id, number, reader, drafts, rejections))


@repeatable
def _take(
    intake_id: str, number: int, reader: Reader, drafts: Sequence[Draft],
    unreadable: Sequence[Rejection],
) -> bool:  # fmt: skip
    """Opener: one piece, where it is its turn; answers whether it was."""
    with transaction():
        one = _in_turn(intake_id, number)
        if one is None:
            return False
        firsts, seconds = _firsts(one, reader, drafts)
        put = shelving(one.location_id, one.quantity, one.made_by)
        with _in_the_name_of(one.made_by):
            taken = importing.take_drafts(firsts, reader, defaults_of(one), put)
        rejections = sorted([*unreadable, *seconds, *taken.rejections])
        _keep_items(one.id, taken)
        _close(one, number, replace(taken.report, rejected=len(rejections)), rejections)
        return True


def _in_the_name_of(member_id: int | None) -> AbstractContextManager[None]:
    """Whoever works on it, it is the act of who sent the list."""
    return nullcontext() if member_id is None else logbook.acting(member_id, "page")


def _in_turn(intake_id: str, number: int) -> Intake | None:
    """Joiner: the list, locked, if this piece is the next one of it."""
    one = in_transaction().get_one(Intake, intake_id, with_for_update=True, populate_existing=True)
    return one if one.state == "running" and one.taken == number else None


def _firsts(
    one: Intake, reader: Reader, drafts: Sequence[Draft]
) -> tuple[list[Draft], list[Rejection]]:
    """Joiner: the rows whose codes no row before them has, in this piece or an earlier one."""
    conn = in_transaction().connection()
    codes = {code for draft in drafts for _, code in codes_of(draft)}
    mine = select(IntakeCode.field, IntakeCode.code, IntakeCode.row).where(
        IntakeCode.intake_id == one.id, among(conn, IntakeCode.code, list(codes))
    )
    before = {(row.field, row.code): row.row for row in conn.execute(mine)} if codes else {}
    seen = dict(before)
    found = importing.without_seconds(drafts, reader, seen)
    rows = [
        {"intake_id": one.id, "field": field, "code": code, "row": row}
        for (field, code), row in seen.items()
        if (field, code) not in before
    ]
    if rows:
        insert_many(conn, IntakeCode, rows)
    return found


def _keep_items(intake_id: str, taken: importing.Taken) -> None:
    rows = [
        {"intake_id": intake_id, "item_id": item_id, "is_new": is_new}
        for is_new, items in ((True, taken.added), (False, taken.changed))
        for item_id in items
    ]
    if rows:
        in_transaction().connection().execute(insert_new(IntakeItem), rows)


def _close(
    one: Intake, number: int, report: importing.Report, rejections: Sequence[Rejection]
) -> None:
    """Joiner: the piece is in, and with the last one the list."""
    session = in_transaction()
    last = number + 1 == one.pieces
    mine = update(Intake).where(Intake.id == one.id, Intake.taken == number)
    session.execute(
        mine.values(
            taken=number + 1, added=Intake.added + report.added,
            updated=Intake.updated + report.updated, unchanged=Intake.unchanged + report.unchanged,
            rejected=Intake.rejected + report.rejected,
            state=TRANSITIONS[one.state, "taken"] if last else one.state,
            ended_at=clock.now() if last else None,
        )
    )  # fmt: skip
    if rejections:
        piece = update(IntakePiece).where(IntakePiece.intake_id == one.id)
        session.execute(
            piece.where(IntakePiece.number == number).values(
                rejects=[list(rejection) for rejection in rejections]
            )
        )
