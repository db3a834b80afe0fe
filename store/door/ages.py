"""The age at the exit: goods with a least age leave when a person has looked at whoever takes them
along. The question is kept with the first scan of the pass and waits while somebody fetches an
identity card; of two answers at once the first counts. After a "no" the goods stay here, their
money goes back in the same transaction, and the rest of the bag goes on.

    open ── old enough ──▶ yes ── the bag goes on: to its spot check, or out
    open ── too young ───▶ no ─── taken back and refunded, then the rest goes on
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from .. import catalogue, logbook, sales
from ..db import connection, db, in_transaction, repeatable, transaction
from ..errors import NotFound, Refusal
from ..sales import counting as sold
from ..sales.ages import ages, known_ages
from ..sales.ages.ages import AgeCheck
from . import spots
from .models import PassUse
from .passes import PassRefused
from .uses import ACCEPTED, Check, note, take

__all__ = [
    "AgeFirst", "AgeOver", "AgeRefused", "Asked", "Left", "asked_of", "begin", "carry_over", "due",
    "end", "first", "needed", "old_enough", "refuse_unanswered", "restricted", "still_asked",
    "too_young", "under_way", "waits", "waits_for",
]  # fmt: skip

REASON = "age check at the exit"


class AgeFirst(PassRefused):
    """The pass is good, and something in the bag is not for everybody: a person looks first.
    `data`: least_age, born_by (a date), kind (of the spot check that follows, or "none")."""

    code = "age_first"
    title = "Somebody looks at an ID first"


class AgeRefused(PassRefused):
    """Whoever wanted to take this along was not old enough: it stays here. `data`: least_age."""

    code = "age_refused"
    title = "Not old enough for this"


class AgeOver(Refusal):
    """Somebody else has answered already. `data`: state, least_age."""

    code = "age_over"
    status = 409
    title = "This was answered already"


class Asked(NamedTuple):
    """A question as pages show it: who was born on `born_by` or before is old enough."""

    sale_id: str
    least_age: int
    born_by: Any
    state: str
    at: Any
    by: int


class Left(NamedTuple):
    """How a bag goes on: "accepted" (it is out), "check_first" (its spot check follows),
    "age_first" (there is something else, for an age below) or "nothing" (all of it stays here)."""

    outcome: str
    receipt: sales.Receipt
    taken_back: int = 0
    refunded_minor: int = 0


def waits_for(receipt: sales.Receipt) -> int:
    """From which age the bag is, as far as the exit asks: what staff sold they asked about."""
    return receipt.least_age if receipt.sold_by is None else 0


def due(receipt: sales.Receipt, least_age: int, asked: Check) -> AgeCheck | None:
    """Joiner, the sale being held: the question that stands between this bag and the door, kept if
    it is new; None where there is none, or a good answer."""
    if not least_age or ages.is_answered(ages.answers(receipt.id), least_age):
        return None
    state = "known" if known_ages.knows(receipt.member_id, least_age) else "open"
    ages.wrote(receipt.id, least_age, asked.location_id, "exit", state, asked.staff_id, asked.at)
    if state == "known":
        return None
    return _row(receipt.id, least_age)


def refuse_unanswered(receipt: sales.Receipt, least_age: int) -> None:
    """Joiner: nothing leaves without an answer. Raises AgeFirst, AgeRefused."""
    if not least_age:
        return
    found = ages.answers(receipt.id)
    if ages.is_answered(found, least_age):
        return
    if any(each.state == "no" and each.least_age <= least_age for each in found):
        raise AgeRefused(least_age=least_age)
    raise first(least_age)


def carry_over(sale_id: str, asked: Check) -> None:
    """Joiner: what was in a bag besides is a sale of its own; who takes it along was looked at
    (`refuse_unanswered`) before it was made."""
    receipt = sales.receipt(sale_id)
    if receipt is not None and receipt.least_age:
        ages.wrote(sale_id, receipt.least_age, asked.location_id, "exit", "yes",
                   asked.staff_id, asked.at)  # fmt: skip


def first(least_age: int, kind: str = "none") -> AgeFirst:
    born = ages.born_by(least_age, ages.today()).isoformat()
    return AgeFirst(least_age=least_age, born_by=born, kind=kind)


def needed(items: Iterable[int]) -> int:
    """From which age these items are as they are sold now; of a bundle what is in it counts."""
    wanted, item = set(items), catalogue.Item
    if not wanted:
        return 0
    rows = connection().execute(select(item.least_age).where(item.id.in_(wanted))).scalars()
    inside = [part.least_age for parts in catalogue.parts_of(wanted).values() for part in parts]
    return max([*rows, *inside], default=0)


@repeatable
def begin(sale_id: str, least_age: int, asked: Check) -> None:
    """Opener: the bag turned out to have something that is not for everybody."""
    with transaction():
        sales.hold(sale_id)
        receipt = sales.receipt(sale_id)
        if receipt is not None:
            due(receipt, least_age, asked)


@repeatable
def old_enough(sale_id: str, least_age: int, asked: Check) -> Left:
    """Opener: a person has looked. The same answer with its key is the same. Raises NotFound,
    AgeOver, PassRefused (the money went back meanwhile)."""
    with transaction() as session:
        receipt, check = _held(sale_id, least_age)
        asked = replace(asked, location_id=check.location_id)
        if not _is_repeated(check, "yes", asked):
            end(check, "yes", asked)
            known_ages.saw(receipt.member_id, least_age, asked.staff_id, asked.at)
            logbook.note("age.checked", sale_id, place_id=check.location_id,
                         after={"least_age": least_age})  # fmt: skip
        return _go_on(session, receipt, asked)


@repeatable
def too_young(sale_id: str, least_age: int, asked: Check) -> Left:
    """Opener: what is from this age on stays here, all of it, and its money goes back; nothing of
    it happens where a part cannot. Raises NotFound, AgeOver, and what a refund raises:
    ApprovalNeeded, NotSoManyLeft, PaymentDisputed."""
    with transaction() as session:
        receipt, check = _held(sale_id, least_age)
        asked = replace(asked, location_id=check.location_id)
        if _is_repeated(check, "no", asked):
            return _after(session, receipt, check.refund_id, asked)
        parts = restricted(receipt, least_age)
        refund_id = None
        if parts:
            refund_id = sales.give_back(
                sale_id, made_by=asked.staff_id, reason=REASON, parts=parts
            )  # fmt: skip
        end(check, "no", asked, refund_id)
        note(sale_id, asked, AgeRefused.code)
        logbook.note("age.refused", sale_id, place_id=check.location_id,
                     after={"least_age": least_age, "refund": refund_id})  # fmt: skip
        rest = sales.receipt(sale_id)
        assert rest is not None
        spots.shrink(sale_id, rest.kept_pieces)
        return _after(session, rest, refund_id, asked)


def restricted(receipt: sales.Receipt, least_age: int) -> list[sales.Part]:
    """The units that are not for somebody younger."""
    return [
        sales.Part(line.position, line.kept)
        for line in receipt.lines
        if line.kept and line.least_age >= least_age
    ]


def _after(
    session: Session, receipt: sales.Receipt, refund_id: str | None, asked: Check
) -> Left:  # fmt: skip
    left = _go_on(session, receipt, asked) if receipt.kept_pieces else Left("nothing", receipt)
    made = next((each for each in receipt.refunds if each.id == refund_id), None)
    if made is None:
        return left
    pieces = {line.position for line in receipt.lines if line.kind in ("goods", "part")}
    many = sum(unit[1] for unit in made.units if unit[0] in pieces)
    return left._replace(taken_back=many, refunded_minor=made.total_minor)


def _go_on(session: Session, receipt: sales.Receipt, asked: Check) -> Left:
    """Joiner: one question is answered; what else stands between this bag and the door?"""
    if receipt.state not in sales.STANDING:
        raise NotFound("All of this sale was given back")
    use = session.get(PassUse, receipt.id)
    if use is not None:
        if (use.staff_id, use.key) != (asked.staff_id, asked.key):
            raise AgeOver(state="used", least_age=0)
        return Left("accepted", receipt)
    if due(receipt, waits_for(receipt), asked) is not None:
        return Left("age_first", receipt)
    check = session.get(spots.SpotCheck, receipt.id, with_for_update=True, populate_existing=True)
    if check is not None and check.state != "ended":
        return Left("check_first", receipt)
    if not take(receipt.id, asked):
        raise AgeOver(state="used", least_age=0)
    note(receipt.id, asked, ACCEPTED)
    return Left("accepted", receipt)


def _held(sale_id: str, least_age: int) -> tuple[sales.Receipt, AgeCheck]:
    """Joiner: the question and its sale, ours until the commit. Raises NotFound."""
    if not sale_id.isascii() or len(sale_id) > 20:
        raise NotFound("There is no such check")
    sales.hold(sale_id)
    check, receipt = _row(sale_id, least_age), sales.receipt(sale_id)
    if check is None or receipt is None:
        raise NotFound("There is no such check")
    return receipt, check


def _row(sale_id: str, least_age: int) -> AgeCheck | None:
    query = select(AgeCheck).where(AgeCheck.sale_id == sale_id, AgeCheck.least_age == least_age)
    return in_transaction().scalar(
        query.with_for_update().execution_options(populate_existing=True)
    )


def _is_repeated(check: AgeCheck, state: str, asked: Check) -> bool:
    """The same answer again, whose answer was lost. Raises AgeOver for any other."""
    if check.state == "open":
        return False
    if (check.state, check.ended_by, check.key) == (state, asked.staff_id, asked.key):
        return True
    raise AgeOver(state=check.state, least_age=check.least_age)


def end(check: AgeCheck, state: str, asked: Check, refund_id: str | None = None) -> None:
    """The guard: the question is answered once, from the state in which it was read."""
    moved = in_transaction().execute(
        update(AgeCheck)
        .where(AgeCheck.sale_id == check.sale_id, AgeCheck.least_age == check.least_age,
               AgeCheck.state == "open")
        .values(state=state, key=asked.key, ended_by=asked.staff_id, ended_at=asked.at,
                refund_id=refund_id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise AgeOver(state=check.state, least_age=check.least_age)


# What is known


def still_asked(sale_id: str, least_age: int) -> tuple[int, bool]:
    """From which age a person is still to look at who takes this along (0: nobody has to any more),
    and whether somebody waits for it now. Of what is for everybody nothing is read."""
    if not least_age:
        return 0, False
    query = select(AgeCheck).where(AgeCheck.sale_id == sale_id)
    found = db.session.scalars(query.execution_options(populate_existing=True)).all()
    if ages.is_answered(found, least_age):
        return 0, False
    if not found and known_ages.knows(sales.buyer_of(sale_id), least_age):
        return 0, False
    return least_age, any(each.state == "open" for each in found)


def asked_of(sale_id: str) -> list[Asked]:
    """What was asked about a sale, the highest age first."""
    if not sale_id.isascii() or len(sale_id) > 20:
        return []
    query = select(AgeCheck).where(AgeCheck.sale_id == sale_id)
    found = db.session.scalars(
        query.order_by(AgeCheck.least_age.desc()).execution_options(populate_existing=True)
    )
    day = ages.today()
    return [
        Asked(each.sale_id, each.least_age, ages.born_by(each.least_age, day), each.state, each.at,
              each.ended_by or each.staff_id)
        for each in found
    ]  # fmt: skip


def waits() -> Any:
    """A condition: somebody waits for an answer. What was given back meanwhile, or has left without
    what was asked about, waits for none."""
    gone = select(PassUse.sale_id).where(PassUse.sale_id == AgeCheck.sale_id).exists()
    return and_(AgeCheck.state == "open", ~gone, sold.stands(AgeCheck.sale_id))


def under_way(location_id: int, since: Any) -> list[Asked]:
    """The questions that nobody has answered yet at a place, the first first."""
    query = select(AgeCheck).where(
        AgeCheck.location_id == location_id, AgeCheck.at > since, waits()
    )  # fmt: skip
    day = ages.today()
    return [
        Asked(each.sale_id, each.least_age, ages.born_by(each.least_age, day), each.state, each.at,
              each.staff_id)
        for each in db.session.scalars(query.order_by(AgeCheck.at, AgeCheck.sale_id))
    ]  # fmt: skip
