"""Providers in the demo shop: some pay-ins came through them, and their files of the weeks told of
it, so that the owner's page of costs has a month to show."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from .. import clock, ids, money, web
from ..db import transaction
from ..payment import attempts, costs
from ..payment.costs.terms import all_terms
from ..payment.gateways import Approved

__all__ = ["NAMES", "PaidIn", "pay_in", "send_files"]

NAMES = ("alipay", "wechat")
LASTS = timedelta(hours=1)
TOO_MUCH_MINOR = 50
"""One fee of each file is so much larger than was agreed: the page shows what becomes of it."""


class PaidIn(NamedTuple):
    """Money that a provider brought."""

    provider: str
    attempt_id: str
    amount_minor: int
    at: datetime


def pay_in(member_id: int, amount_minor: int, currency: str, provider: str) -> PaidIn:
    """Opener (twice): a shopper tops their account up by a provider, now."""
    wanted = attempts.Wanted(member_id, amount_minor, currency, ids.new())
    with transaction():
        mine = attempts.begin(wanted, provider, "top_up", LASTS).id
    attempts.settle(mine, Approved(f"practice-{mine}", amount_minor, currency))
    return PaidIn(provider, mine, amount_minor, clock.now())


def send_files(found: Sequence[PaidIn], currency: str) -> None:
    """Opener (often): each provider tells of what it has paid out by today, a day after it was
    paid."""
    zone = web.setting("TIME_ZONE")
    last = clock.day_of(clock.now(), zone) - timedelta(days=2)
    with tempfile.TemporaryDirectory() as folder:
        for provider in NAMES:
            told = [one for one in found
                    if one.provider == provider and clock.day_of(one.at, zone) <= last]  # fmt: skip
            if told:
                path = Path(folder, f"{provider}.csv")
                path.write_text(_file(told, currency, zone), "utf-8")
                costs.take(path, provider, (currency, zone))
    while costs.work(zone):
        pass


def _file(told: Sequence[PaidIn], currency: str, zone: str) -> str:
    agreed, rows = all_terms(currency)[told[0].provider], ["order,type,amount,fee,settlement date"]
    for one in told:
        day = clock.day_of(one.at, zone)
        terms = agreed.on(day)
        fee = terms.fee_of(one.amount_minor) if terms is not None else 0
        fee += TOO_MUCH_MINOR if one is told[-1] else 0
        amounts = (money.text(minor, currency) for minor in (one.amount_minor, fee))
        rows.append(",".join((one.attempt_id, "payment", *amounts, str(day + timedelta(days=1)))))
    return "\n".join(rows) + "\n"
