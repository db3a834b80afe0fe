"""Pairing: postings of which no file will ever tell, because they undo each other."""

from __future__ import annotations

from sqlalchemy import insert, select

from ...db import db, repeatable, transaction
from ..models import Attempt, Payback, Transfer
from . import postings
from .models import BOOKED, SettlementLine

__all__ = ["pair_off"]


@repeatable
def pair_off(currency: str) -> int:
    """Opener: a refund that its provider would not send went to the shopper's account instead. No
    file will ever tell of either posting: they settle each other. Answers how many pairs."""
    pairs = 0
    refused = select(Payback.id).where(Payback.state == "refused", Payback.currency == currency)
    if db.session.scalar(refused.limit(1)) is None:
        return 0
    with transaction() as session:
        query = (
            select(Transfer.id, Attempt.gateway, Payback.attempt_id, Transfer.amount_minor)
            .join(Payback, Transfer.note == "payback " + Payback.id)
            .join(Attempt, Attempt.id == Payback.attempt_id)
            .where(Payback.state == "refused", Transfer.reason == "sent_back")
            .where(Transfer.currency == currency)
            .where(~select(SettlementLine.id).where(
                SettlementLine.transfer_id == Transfer.id,
                SettlementLine.state.in_(BOOKED)).exists())
        )  # fmt: skip
        for given, means, attempt, amount in session.execute(query).all():
            account = postings.account_id(means, currency, lock=True)
            named = postings.of_orders(means, account, [(attempt, "")]).get(attempt, [])
            asked = [one.id for one in named if one.amount_minor == -amount]
            asked = [one for one in asked if not postings.is_settled(one)]
            if asked and not postings.is_settled(given):
                rows = [
                    postings.own_line(means, currency, transfer, kind, signed)
                    | {"state": "matched", "problem": "", "accepted_by": None,
                       "accepted_at": None, "reason": "given to the account"}
                    for transfer, kind, signed in (
                        (given, "payment", amount), (asked[0], "refund", -amount))
                ]  # fmt: skip
                session.connection().execute(insert(SettlementLine), rows)
                pairs += 1
    return pairs
