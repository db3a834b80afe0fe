"""Erasure: the person goes, the books stay.

Who they were is taken out of every table in one transaction; the account's number stays in the
sales as nobody's. What must be ended by the person first says so and stops it: money that is theirs
or on its way, goods that are, a dispute. Again changes nothing.
"""

from __future__ import annotations

from sqlalchemy import func, null, select, text, update

from .. import clock, identity, logbook, payment
from ..db import Base, connection, in_transaction, repeatable, transaction
from ..errors import NotFound, Refusal
from ..identity import Member
from .exporting import of, values_of
from .holdings import CLEARED, GOES

__all__ = ["BALANCE", "ErasureBlocked", "blocks", "erase", "forget"]

BALANCE = "balance"


class ErasureBlocked(Refusal):
    """Something must be ended first. `data`: why, a list of works_here, balance, open_orders,
    open_payments, open_disputes, held_money, open_returns."""

    code = "erasure_blocked"
    status = 409
    title = "Something must be ended before this account can be erased"


_BLOCKS = (
    ("works_here", "SELECT 1 FROM members WHERE id = :member AND role <> 'shopper'"),
    (BALANCE, "SELECT 1 FROM accounts WHERE member_id = :member AND balance_minor > 0"),
    (
        "open_orders",
        """SELECT 1 FROM shipments WHERE member_id = :member AND state NOT IN
             ('delivered', 'handed_over', 'cancelled', 'put_back')
           UNION ALL SELECT 1 FROM sales WHERE member_id = :member AND state = 'due'""",
    ),
    (
        "open_payments",
        """SELECT 1 FROM attempts WHERE member_id = :member
              AND state IN ('created', 'pending', 'authorised')
           UNION ALL SELECT 1 FROM paybacks p JOIN attempts a ON a.id = p.attempt_id
                      WHERE a.member_id = :member AND p.state = 'waiting'
           UNION ALL SELECT 1 FROM refund_requests q JOIN sales s ON s.id = q.sale_id
                      WHERE s.member_id = :member AND q.state = 'waiting'""",
    ),
    (
        "open_disputes",
        """SELECT 1 FROM disputes d JOIN attempts a ON a.id = d.attempt_id
            WHERE a.member_id = :member AND d.state IN ('open', 'answered')""",
    ),
    ("held_money", "SELECT 1 FROM escrows WHERE member_id = :member AND held_minor > 0"),
    (
        "open_returns",
        """SELECT 1 FROM returns r JOIN sales s ON s.id = r.sale_id
            WHERE s.member_id = :member AND r.state IN ('declared', 'part_received')""",
    ),
)


def blocks(member_id: int) -> list[str]:
    """What stands in the way of an erasure, by code."""
    given = {"member": member_id}
    return [
        code
        for code, query in _BLOCKS
        if connection().execute(text(query + " LIMIT 1"), given).first()
    ]


@repeatable
def erase(member_id: int, *, forfeit: bool = False) -> None:
    """Opener: nothing names this person any more. With `forfeit` what their account holds is the
    shop's, by their own word. Raises NotFound, ErasureBlocked."""
    with transaction() as session:
        # A sale in their name does not wait for this row, but for their account, below.
        query = select(Member).where(Member.id == member_id).with_for_update(key_share=True)
        member = session.scalar(query.execution_options(populate_existing=True))
        if member is None or identity.now_of(member_id) != member_id:
            raise NotFound("There is no such member")
        if member.erased_at is not None:
            return
        payment.lock_all_accounts(member_id)
        why = blocks(member_id)
        if forfeit and BALANCE in why:
            why.remove(BALANCE)
        if why:
            raise ErasureBlocked(why=why)
        if forfeit:
            payment.forfeit(member_id)
        member.erased_at = clock.now()
        session.flush()
        forget(member_id)
        logbook.note("person.erased", member_id)


def forget(member_id: int) -> None:
    """Joiner: take out of every table who somebody erased was. Again does no harm: what they sent
    off at the same moment from another window goes, too."""
    own, values = in_transaction().connection(), values_of(member_id)
    for name, words, condition in CLEARED:
        table = Base.metadata.tables[name]
        new = {table.c[column]: null() if word is None else word for column, word in words.items()}
        own.execute(table.update().where(of(condition, member_id, values)).values(new))
    for name, condition in GOES:
        own.execute(Base.metadata.tables[name].delete().where(of(condition, member_id, values)))
    nobody = {"name": "", "password_hash": None, "language": None}
    closed = func.coalesce(Member.disabled_at, Member.erased_at)
    own.execute(update(Member).where(Member.id == member_id).values(**nobody, disabled_at=closed))
