"""Ages: from which age a sale is, who was born early enough, and what was seen of it.

What an item asks for is copied to the line of its sale, so that a later change of the item changes
nothing that was sold. Of a bundle the highest age of what is in it counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from ... import catalogue, clock, web
from ...db import in_transaction, insert_new
from ...errors import Refusal
from ..goods import Parts
from ..models import SaleLine
from .age_models import AgeCheck

__all__ = [
    "AgeCheck", "AgeNotChecked", "age_of", "answers", "born_by", "is_answered", "kept_age",
    "kept_ages", "refuse", "today", "wrote",
]  # fmt: skip


class AgeNotChecked(Refusal):
    """Something of this is not for everybody: whoever hands it over asks for the age first. `data`:
    least_age, born_by (the last date of birth that is early enough)."""

    code = "age_not_checked"
    status = 409
    title = "Ask for the age before this is sold"


def age_of(quote: catalogue.Quote, parts: Parts) -> int:
    """From which age one of it is; 0 is everybody."""
    if not quote.is_bundle:
        return quote.least_age
    inside = (part.least_age for part in parts.get(quote.item_id, ()))
    return max((quote.least_age, *inside))


def born_by(least_age: int, day: date) -> date:
    """Who was born on this day or before is so old on that day. Who was born on 29 February turns
    a year older on 1 March of a year that has none."""
    try:
        return day.replace(year=day.year - least_age)
    except ValueError:
        return date(day.year - least_age, 2, 28)


def today() -> date:
    """The day of now where the shop is."""
    return clock.day_of(clock.now(), web.setting("TIME_ZONE"))


def refuse(quotes: Iterable[catalogue.Quote], parts: Parts, checked: int) -> None:
    """What staff sell: somebody has looked at whoever takes it along. Raises AgeNotChecked."""
    needed = max((age_of(quote, parts) for quote in quotes), default=0)
    if needed > checked:
        raise AgeNotChecked(least_age=needed, born_by=born_by(needed, today()).isoformat())


def kept_ages(sale_ids: Collection[str]) -> dict[str, int]:
    """The highest age of what is left of these sales; those for everybody are left out."""
    line = SaleLine
    kept = line.quantity - line.quantity_refunded - line.quantity_opened
    query = select(line.sale_id, line.least_age).where(
        line.sale_id.in_(sale_ids), line.least_age > 0, kept > 0
    )
    found: dict[str, int] = {}
    for sale_id, age in in_transaction().execute(query) if sale_ids else ():
        found[sale_id] = max(age, found.get(sale_id, 0))
    return found


def kept_age(sale_id: str) -> int:
    return kept_ages([sale_id]).get(sale_id, 0)


def answers(sale_id: str) -> Sequence[AgeCheck]:
    """Joiner, the sale being held: what was asked about it, the highest age first."""
    query = (
        select(AgeCheck).where(AgeCheck.sale_id == sale_id).order_by(AgeCheck.least_age.desc())
    )  # fmt: skip
    return in_transaction().scalars(query.execution_options(populate_existing=True)).all()


def is_answered(found: Iterable[AgeCheck], least_age: int) -> bool:
    """Whether who takes this along is known to be so old."""
    good = ("yes", "known")
    return any(each.state in good and each.least_age >= least_age for each in found)


def wrote(
    sale_id: str, least_age: int, location_id: int, way: str, state: str, by: int, at: datetime,
    key: str = "",
) -> bool:  # fmt: skip
    """Joiner: keep a question, or its answer; answers whether it was not there before."""
    over = state != "open"
    row: Mapping[str, Any] = {
        "sale_id": sale_id, "least_age": least_age, "location_id": location_id, "way": way,
        "state": state, "key": key, "staff_id": by, "at": at,
        "ended_by": by if over else None, "ended_at": at if over else None, "refund_id": None,
    }  # fmt: skip
    claim = insert_new(AgeCheck).returning(AgeCheck.sale_id)
    return in_transaction().connection().execute(claim, row).first() is not None
