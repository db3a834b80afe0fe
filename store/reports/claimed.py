"""What was bought by nobody known, or by a member's other account, and is theirs now: their sums
take it over at once.

What still waits in the outbox is in no sum yet: it is added later, under the member's name. Which
it is cannot change meanwhile, because whoever sums up holds the roll-up's one lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..db import in_transaction
from ..outbox import Outbox
from ..sales.guests import claims
from ..sales.models import Refund
from .calendar import months_of
from .customers import cohorts
from .events import MEASURES, NOBODY, PAID, REFUNDED, Choice, waiting
from .models import WHOLE_DAY, WHOLE_MONTH, WHOLE_YEAR, TakingsOfMember
from .rollup import adding, days_of, summed, up_to_date

__all__ = ["pass_on", "take_over"]

Row = dict[str, Any]


@claims.follows
def take_over(sale_ids: Sequence[str], member_id: int) -> None:
    """Joiner: what these sales and their refunds come to leaves nobody's sums for the member's."""
    pass_on(sale_ids, NOBODY, member_id)


def pass_on(sale_ids: Sequence[str], was: int, member_id: int) -> None:
    """Joiner: the same from the sums of the member in whose name these sales were."""
    session = in_transaction()
    session.flush()
    if not up_to_date(session):
        return  # Made anew just now, with the member's name.
    waits = set(session.scalars(waiting(PAID).where(Outbox.subject.in_(sale_ids))))
    paid = [sale for sale in sale_ids if sale not in waits]
    back = select(Refund.id).where(
        Refund.sale_id.in_(sale_ids), Refund.id.not_in(waiting(REFUNDED))
    )
    refunded = list(session.scalars(back))
    choice, span = Choice(paid=paid, refunded=refunded), days_of(session, paid, refunded)
    rows = [
        row._asdict()
        for part in (months_of(span) if span else ())
        for months in (WHOLE_DAY, WHOLE_MONTH, WHOLE_YEAR)
        for row in session.execute(summed(TakingsOfMember, months, part, choice)).all()
    ]
    with cohorts.changing(session, [was, member_id]):
        _move(session, rows, was)


def _move(session: Session, rows: Sequence[Row], was: int) -> None:
    statement = adding(session.get_bind().dialect.name, TakingsOfMember)
    for row in rows:
        session.execute(statement, row)
        less = {name: -row[name] for name in MEASURES}
        session.execute(statement, row | less | {"member_id": was})
    nothing = [getattr(TakingsOfMember, name) == 0 for name in MEASURES]
    session.execute(delete(TakingsOfMember).where(TakingsOfMember.member_id == was, *nothing))
