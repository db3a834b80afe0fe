"""Top-ups: money on its way into a shopper's account.

Three short steps, none of which holds a transaction while the provider is asked: write down that
it starts, ask, settle. The answer may come at once, from a notice, from our own asking later, or
never; `settle` books it once, whoever brings it and however often.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from .. import clock, ids
from ..db import db, in_transaction, repeatable, transaction
from ..errors import Invalid, NotFound, Refusal
from .gateways import Answer, Approved, Declined, Gateway, GatewayTimeout, Notice, Pending
from .ledger import deposit
from .models import TopUp

# (state, answer) → state. Late money is money: a top-up that we gave up is booked all the same.
TRANSITIONS = {
    ("pending", Approved): "captured",
    ("pending", Declined): "failed",
    ("pending", Pending): "pending",
    ("expired", Approved): "captured",
    ("expired", Declined): "failed",
    ("failed", Approved): "captured",
}
EXPIRES_AFTER = timedelta(hours=24)


class KeyReused(Refusal):
    """The same key came with other contents."""

    code = "key_reused"
    status = 409
    title = "This key was used for something else"


class NoticeForeign(Refusal):
    """A genuine notice for another amount, currency or payment than ours."""

    code = "notice_foreign"
    status = 409
    title = "This notice does not fit the payment"


@dataclass(frozen=True)
class Wanted:
    """What a shopper asks for: so much, by this way of paying, under the key of their page."""

    member_id: int
    amount_minor: int
    currency: str
    key: str
    wish: str = "approve"


def top_up(wanted: Wanted, gateway: Gateway, *, most_minor: int) -> TopUp:
    """Opener (twice): start a top-up and settle it if the provider answers at once. The same key
    answers the same top-up.

    Raises Invalid (nothing, or more than the limit), KeyReused.
    """
    if not 0 < wanted.amount_minor <= most_minor:
        raise Invalid("This amount cannot be topped up", field="amount", most_minor=most_minor)
    mine, fresh = _begin(wanted, gateway.name)
    if fresh:
        try:
            answer = gateway.start(mine.id, mine.amount_minor, mine.currency, wanted.wish)
        except GatewayTimeout:
            return mine
        settle(mine.id, answer)
    return find(mine.id)


@repeatable
def _begin(wanted: Wanted, gateway: str) -> tuple[TopUp, bool]:
    with transaction() as session:
        mine = session.scalar(
            select(TopUp).where(TopUp.member_id == wanted.member_id, TopUp.key == wanted.key)
        )
        if mine is not None:
            if (mine.amount_minor, mine.currency) != (wanted.amount_minor, wanted.currency):
                raise KeyReused("The key was used for another amount")
            return mine, False
        mine = TopUp(
            id=ids.new(), member_id=wanted.member_id, key=wanted.key,
            amount_minor=wanted.amount_minor, currency=wanted.currency, gateway=gateway,
            state="pending", created_at=clock.now(),
        )  # fmt: skip
        session.add(mine)
        return mine, True


@repeatable
def settle(top_up_id: str, answer: Answer) -> str:
    """Opener: what the provider said becomes true here, once. Answers the state."""
    with transaction() as session:
        mine = session.scalar(select(TopUp).where(TopUp.id == top_up_id).with_for_update())
        if mine is None:
            raise NotFound("There is no such top-up")
        state = TRANSITIONS.get((mine.state, type(answer)))
        if state is None:
            return mine.state
        _move(mine, state, getattr(answer, "reference", mine.reference))
        if state == "captured":
            deposit(mine.member_id, mine.amount_minor, mine.currency,
                    f"gateway:{mine.gateway}", top_up_id=mine.id)  # fmt: skip
        return state


def _move(mine: TopUp, state: str, reference: str) -> None:
    values: dict[str, object] = {"state": state, "reference": reference[:100]}
    if state != "pending":
        values["settled_at"] = clock.now()
    in_transaction().execute(update(TopUp).where(TopUp.id == mine.id).values(**values))
    in_transaction().expire(mine)


def take_notice(notice: Notice) -> str:
    """Opener: settle by what the provider told us by itself. Raises NotFound, NoticeForeign."""
    mine = find(notice.payment_id)
    if (mine.amount_minor, mine.currency) != (notice.amount_minor, notice.currency):
        raise NoticeForeign("Another amount or currency than was asked for")
    return settle(mine.id, notice.answer)


def ask_again(gateway: Gateway, *, older_than_s: int = 0, limit: int = 200) -> int:
    """Ask the provider about what is still pending and settle it; answers how many were settled.
    What is pending for a day is given up (late money is still booked)."""
    latest = clock.now() - timedelta(seconds=older_than_s)
    query = (
        select(TopUp.id, TopUp.reference, TopUp.created_at)
        .where(TopUp.state == "pending", TopUp.gateway == gateway.name, TopUp.created_at <= latest)
        .order_by(TopUp.created_at)
        .limit(limit)
    )
    found = db.session.execute(query).all()
    db.session.rollback()
    return sum(_ask(gateway, *row) for row in found)


def ask_about(mine: TopUp, gateway: Gateway) -> None:
    """Ask the provider about one top-up, now."""
    if mine.state == "pending":
        _ask(gateway, mine.id, mine.reference, mine.created_at)


def _ask(gateway: Gateway, top_up_id: str, reference: str, created_at: datetime) -> bool:
    """Whether it is settled now."""
    db.session.rollback()  # No transaction is open while the provider is asked.
    try:
        answer = gateway.status(top_up_id, reference)
    except GatewayTimeout:
        return False
    if settle(top_up_id, answer) != "pending":
        return True
    if clock.now() - created_at > EXPIRES_AFTER:
        _expire(top_up_id)
        return True
    return False


@repeatable
def _expire(top_up_id: str) -> None:
    with transaction() as session:
        session.execute(
            update(TopUp)
            .where(TopUp.id == top_up_id, TopUp.state == "pending")
            .values(state="expired", settled_at=clock.now())
        )


def waiting(member_id: int) -> list[TopUp]:
    """A member's top-ups that are not settled yet."""
    query = select(TopUp).where(TopUp.member_id == member_id, TopUp.state == "pending")
    return list(db.session.scalars(query.order_by(TopUp.created_at.desc()).limit(20)))


def find(top_up_id: str, member_id: int | None = None) -> TopUp:
    """A top-up; with a member, only theirs. Raises NotFound."""
    db.session.expire_all()
    mine = db.session.get(TopUp, top_up_id)
    if mine is None or (member_id is not None and mine.member_id != member_id):
        raise NotFound("There is no such top-up")
    return mine
