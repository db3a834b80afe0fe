"""Handing a job to a printer: each label once, and on from where the paper ran out.

A job knows how many of its labels were handed over. Two who tap at once do not both get them; who
wants a sticker a second time has to say so.
"""

from __future__ import annotations

from sqlalchemy import update

from .. import clock, logbook
from ..db import in_transaction
from ..errors import Invalid, Refusal
from .models import Label, PrintJob

__all__ = ["AlreadyHanded", "discard", "hand_over", "stopped_after"]


class AlreadyHanded(Refusal):
    """`handed` says how many of the job's labels were handed to a printer."""

    code = "already_printed"
    status = 409
    title = "These labels were handed to a printer already"


def hand_over(job_id: int, first: int, member_id: int | None) -> None:
    """Joiner: the labels from position `first` on go to a printer now. Raises AlreadyHanded when
    somebody else was faster, or they were printed before."""
    done = (
        in_transaction()
        .execute(
            update(PrintJob)
            .where(
                PrintJob.id == job_id, PrintJob.handed == first, PrintJob.handed < PrintJob.count
            )
            .values(handed=PrintJob.count, handed_at=clock.now(), handed_by=member_id)
            .returning(PrintJob.id)
            .execution_options(synchronize_session=False)
        )
        .first()
    )
    if done is None:
        raise AlreadyHanded(
            "These labels were handed to a printer already. Print them again only if they did not "
            "come out: a second copy of a sticker is one too many",
            job=job_id,
        )
    logbook.note("labels.handed_over", job_id, after={"from": first})


def stopped_after(job_id: int, labels: int) -> None:
    """Joiner: only the first so many came out; printing goes on behind them. Raises Invalid."""
    done = (
        in_transaction()
        .execute(
            update(PrintJob)
            .where(
                PrintJob.id == job_id, PrintJob.count == PrintJob.handed, PrintJob.count > labels
            )
            .values(handed=labels)
            .returning(PrintJob.id)
            .execution_options(synchronize_session=False)
        )
        .first()
    )
    if labels < 0 or done is None:
        raise Invalid("Say how many came out; fewer than the job has", field="labels")
    logbook.note("labels.stopped", job_id, after={"came_out": labels})


def discard(job_id: int) -> None:
    """Joiner: a job of which nothing was handed over is not wanted: its labels never count.
    Raises AlreadyHanded."""
    session = in_transaction()
    done = session.execute(
        update(PrintJob)
        .where(PrintJob.id == job_id, PrintJob.handed == 0, PrintJob.handed_at.is_(None))
        .values(handed=PrintJob.count)
        .returning(PrintJob.id)
        .execution_options(synchronize_session=False)
    ).first()
    if done is None:
        raise AlreadyHanded("Labels of this job were handed to a printer already", job=job_id)
    session.execute(
        update(Label)
        .where(Label.job_id == job_id, Label.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    logbook.note("labels.discarded", job_id)
