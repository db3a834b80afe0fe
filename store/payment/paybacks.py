"""Paybacks: money of an attempt on its way back to where it came from.

It is booked and written down in the transaction that decides it, and asked of the provider
afterwards, again and again until the provider answers, always under the same number: a provider
that is asked twice sends it once. What the provider will not take back is given to the shopper's
account; where a till sold to somebody unknown, it waits and is asked for again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from .. import clock, identity, ids
from ..db import db, in_transaction, repeatable, transaction
from ..errors import NotFound, Refusal
from . import asking, attempts, events, ledger
from .calls import GatewayAway, call
from .charges import Charge, RefundTooLarge, charges_of, owe_no_more, reverse
from .gateways import (
    REFUND_DAYS,
    SET_UP,
    Answer,
    Approved,
    Declined,
    Gateway,
    GatewayTimeout,
    Order,
    Pending,
)
from .ledger import shopper_account
from .models import Attempt, Payback

__all__ = ["disputed", "of_attempt", "refund", "send_back", "settle", "too_old", "waiting", "work"]

LONGEST = timedelta(hours=1)


def refund(
    sale_id: str,
    amount_minor: int,
    deposit_minor: int = 0,
    *,
    member_id: int | None = None,
    to_account: bool = False,
) -> int:
    """Joiner: give back so much of what a sale cost, to where it was paid from: to the account in
    the same moment, through a provider as soon as it answers, and first what a provider brought; or
    all of it to the member's account. What the provider cannot take back any more is the account's
    too. Of it `deposit_minor` is no longer owed. Answers how much went to the account, of a sale
    that the account alone had not paid. Raises RefundTooLarge, PaymentDisputed."""
    if not amount_minor:
        in_transaction()
        return 0
    found = charges_of(sale_id)
    left = sum(charge.left_minor for charge in found)
    if amount_minor > left:
        raise RefundTooLarge(left_minor=left, asked_minor=amount_minor)
    rest, gone = amount_minor, 0
    # Where the account gets all, its own part comes first: the other can go back to its source yet.
    for charge in reversed(found) if to_account else found:
        many = min(rest, charge.left_minor)
        if not many:
            continue
        back = _back_to_source(charge, many, member_id, to_account)
        if back:
            reverse(charge, back, sale_id, _account_now(charge))
        if many > back:
            reverse(charge, many - back, sale_id, shopper_account(member_id or 0, charge.currency))
        if charge.attempt_id is not None and back:
            _ask_for(attempts.locked(charge.attempt_id), back, "refund")
        gone += many if charge.payer is not None else many - back
        rest -= many
    if deposit_minor:
        owe_no_more(found[0], deposit_minor, sale_id)
    return gone if any(charge.payer is None for charge in found) else 0


def _account_now(charge: Charge) -> int | None:
    """Where the account that paid came into another one of its shopper: that one."""
    now = identity.now_of(charge.payer) if charge.payer is not None else None
    return None if now in (None, charge.payer) else shopper_account(now or 0, charge.currency)


def _back_to_source(
    charge: Charge, amount_minor: int, member_id: int | None, to_account: bool
) -> int:
    """How much of this goes back to where it came from; the rest is the member's account's."""
    if charge.payer is not None:
        return amount_minor
    mine = attempts.locked(charge.attempt_id) if charge.attempt_id is not None else None
    if mine is not None and mine.state == "disputed":
        raise PaymentDisputed()
    if member_id is None:
        return amount_minor
    if to_account:
        return 0
    return amount_minor if mine is None else min(amount_minor, _takes_back(mine))


def too_old(means: str, paid_at: datetime) -> bool:
    """Whether a provider takes back nothing any more of what was paid then."""
    days = REFUND_DAYS.get(means)
    return days is not None and paid_at < clock.now() - timedelta(days=days)


def _takes_back(mine: Attempt) -> int:
    """What the provider of an attempt can still take back of it."""
    if too_old(mine.gateway, mine.created_at):
        return 0
    return mine.amount_minor - mine.refunded_minor


def send_back(mine: Attempt, reason: str) -> None:
    """Joiner: money came and there is nothing to buy with it any more. All of it goes back."""
    ledger.pass_through(f"gateway:{mine.gateway}", mine.amount_minor, mine.currency, mine.id)
    _ask_for(mine, mine.amount_minor, reason)


class PaymentDisputed(Refusal):
    """The provider holds this money until it is decided whose it is."""

    code = "payment_disputed"
    status = 409
    title = "This payment is disputed: nothing goes back until it is decided"


def _ask_for(mine: Attempt, amount_minor: int, reason: str) -> None:
    session = in_transaction()
    if mine.state == "disputed":
        raise PaymentDisputed()
    left = mine.amount_minor - mine.refunded_minor
    counted = session.execute(
        update(Attempt)
        .where(Attempt.id == mine.id, Attempt.refunded_minor + amount_minor <= Attempt.amount_minor)
        .values(refunded_minor=Attempt.refunded_minor + amount_minor)
    )
    if counted.rowcount != 1:  # type: ignore[attr-defined]
        raise RefundTooLarge(left_minor=left, asked_minor=amount_minor)
    at = clock.now()
    session.add(
        Payback(
            id=ids.new(), attempt_id=mine.id, amount_minor=amount_minor, currency=mine.currency,
            state="waiting", reason=reason[:200], reference="", failures=0, created_at=at,
            next_at=at,
        )
    )  # fmt: skip
    session.flush()
    session.refresh(mine)


def disputed(sale_id: str) -> bool:
    """Joiner: whether the money that paid for a sale is disputed."""
    query = select(Attempt.id).where(Attempt.sale_id == sale_id, Attempt.state == "disputed")
    return in_transaction().scalar(query.limit(1)) is not None


def work(gateways: dict[str, Gateway], limit: int = 100) -> int:
    """Ask the providers for what is due; answers how many are settled now."""
    query = (
        select(Payback, Attempt)
        .join(Attempt, Attempt.id == Payback.attempt_id)
        .where(Payback.state == "waiting", Payback.next_at <= clock.now())
        .where(Attempt.gateway.in_(gateways))
        .order_by(Payback.next_at)
        .limit(limit)
    )
    due = [
        (mine.id, mine.amount_minor, gateways[paid.gateway], asking.order_of(paid))
        for mine, paid in db.session.execute(query)
    ]
    db.session.rollback()
    return sum(_ask(*one) for one in due)


def _ask(payback_id: str, amount_minor: int, gateway: Gateway, order: Order) -> bool:
    try:
        answer = call(gateway, lambda: gateway.refund(order, payback_id, amount_minor))
    except (GatewayTimeout, GatewayAway):
        return _later(payback_id)
    wrong = isinstance(answer, Declined) and answer.reason == SET_UP
    if isinstance(answer, Pending) or wrong:
        return _later(payback_id)
    return _settle(payback_id, answer)


@repeatable
def _later(payback_id: str) -> bool:
    """Opener: it is asked for again, at doubling distances, for ever."""
    with transaction() as session:
        _put_off(session.get_one(Payback, payback_id))
    return False


def _put_off(mine: Payback) -> None:
    wait = min(timedelta(seconds=5 * 2 ** min(mine.failures, 12)), LONGEST)
    values = {"failures": mine.failures + 1, "next_at": clock.now() + wait}
    in_transaction().execute(update(Payback).where(Payback.id == mine.id).values(**values))


@repeatable
def _settle(payback_id: str, answer: Answer) -> bool:
    """Opener: the same as `settle`."""
    with transaction():
        return settle(payback_id, answer)


def settle(payback_id: str, answer: Answer, source: str = "query") -> bool:
    """Joiner: what the provider said of a payback, or staff who sent it, becomes true here, once;
    answers whether it did now. Raises NotFound."""
    session = in_transaction()
    query = select(Payback).where(Payback.id == payback_id)
    query = query.execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise NotFound("There is no such refund")
    paid = attempts.locked(found.attempt_id)
    mine = session.scalars(query.with_for_update()).one()
    if mine.state != "waiting":
        return False
    if isinstance(answer, Declined) and paid.member_id is None:
        _put_off(mine)  # Nobody has an account that it could go to; the owner sees it wait.
        return False
    _end(mine, answer, clock.now())
    if isinstance(answer, Declined):
        _give_to_account(mine, paid)
        return True
    whole = _gone(paid.id) == paid.amount_minor
    attempts.step(paid, "sent_all_back" if whole else "sent_part_back", source)
    return True


def _end(mine: Payback, answer: Answer, at: datetime) -> None:
    values: dict[str, object] = {"state": "done", "settled_at": at}
    if isinstance(answer, Declined):
        values |= {"state": "refused", "reference": events.plain(answer.reason, 128)}
    elif isinstance(answer, Approved):
        values["reference"] = events.plain(answer.reference, 128)
    in_transaction().execute(update(Payback).where(Payback.id == mine.id).values(**values))


def _give_to_account(mine: Payback, paid: Attempt) -> None:
    """What the provider will not send is the shopper's all the same."""
    less = Attempt.refunded_minor - mine.amount_minor
    changed = update(Attempt).where(Attempt.id == paid.id).values(refunded_minor=less)
    in_transaction().execute(changed)
    ledger.deposit(
        paid.member_id or 0, mine.amount_minor, mine.currency, f"gateway:{paid.gateway}",
        reason="sent_back", note=f"payback {mine.id}",
    )  # fmt: skip


def _gone(attempt_id: str) -> int:
    query = select(func.coalesce(func.sum(Payback.amount_minor), 0))
    done = query.where(Payback.attempt_id == attempt_id, Payback.state == "done")
    return int(in_transaction().scalar(done) or 0)


def of_attempt(attempt_id: str) -> list[Payback]:
    query = select(Payback).where(Payback.attempt_id == attempt_id)
    return list(db.session.scalars(query.order_by(Payback.created_at)))


def waiting(gateway: str) -> int:
    """How many paybacks a gateway has not answered yet."""
    query = select(func.count(Payback.id)).join(Attempt, Attempt.id == Payback.attempt_id)
    found = query.where(Payback.state == "waiting", Attempt.gateway == gateway)
    return int(db.session.scalar(found) or 0)
