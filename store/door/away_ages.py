"""Ages that an exit without a network asked about, told later. A no took everything out of the bag
that is not for everybody: it is given back now. What left and was not asked about is flagged."""

from __future__ import annotations

from .. import sales
from ..db import in_transaction
from ..errors import Refusal
from ..sales.ages import ages as sold_ages
from . import ages
from .away import LEFT, Told
from .uses import Check

__all__ = ["FLAG", "take_in"]

FLAG = "age"


def take_in(told: Told, asked: Check, receipt: sales.Receipt) -> str | None:
    """Joiner, the sale being held: what was asked of this bag and answered. Answers the flag where
    a person is to see to it."""
    least = ages.waits_for(receipt)
    if not least or sold_ages.is_answered(sold_ages.answers(receipt.id), least):
        return None
    question = ages.due(receipt, least, asked)
    if question is None or question.state != "open":
        return FLAG
    said, answer = told.age or (0, "")
    if answer == "no":
        return _taken_back(question, asked, receipt)
    if answer == "yes" and said >= least:
        ages.end(question, "yes", asked)
        return None
    if told.outcome not in LEFT:
        return None
    ages.end(question, "missed", asked)
    return FLAG


def _taken_back(
    question: sold_ages.AgeCheck, asked: Check, receipt: sales.Receipt
) -> str | None:  # fmt: skip
    try:
        with in_transaction().begin_nested():
            back = sales.give_back(receipt.id, made_by=asked.staff_id, reason=ages.REASON,
                                   parts=ages.restricted(receipt, 1))  # fmt: skip
    except Refusal:
        # It lies at the exit, and its money is still here: a person gives it back.
        ages.end(question, "no", asked)
        return FLAG
    ages.end(question, "no", asked, back)
    return None
