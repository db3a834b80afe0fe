"""Limits: what leaves a member's account without their PIN, for one buy and in a day. The shop sets
them for everybody, a member sets lower ones of their own; the lower one holds.

They are read with the accounts, so a plain buy costs no statement more. Only where a limit of the
day is set, the accounts are locked and the day's sales summed up: of two buys at once the second
waits for the first, and counts it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, case, func, select, union_all

from .. import clock, money, payment, web
from ..errors import Refusal
from ..payment.asides import still_held
from ..payment.models import Aside
from ..prepared import Many, Prepared, one_of
from .models import Sale

Owner = tuple[int, str]
"""A member and a currency."""


class ConfirmationNeeded(Refusal):
    """More than may leave the account without the member's PIN. `data`: limit ("buy" or "day"),
    most_minor, spent_minor (today, before this), total_minor, currency."""

    code = "confirmation_needed"
    status = 403
    title = "This is above the limit of the account"


@dataclass
class Guard:
    """The limits that hold for these accounts, and what was spent today where it matters."""

    buy: dict[Owner, int] = field(default_factory=dict)
    day: dict[Owner, int] = field(default_factory=dict)
    spent: dict[Owner, int] = field(default_factory=dict)

    @classmethod
    def read(cls, accounts: Mapping[str, payment.Accounts]) -> Guard:
        """Joiner, where a limit of the day is set: then the accounts stay locked."""
        guard = cls()
        for currency, found in accounts.items():
            buy, day = of_shop(currency)
            for member, balance in found.of_members.items():
                owner = (member, currency)
                if buy or balance.most_buy_minor:
                    guard.buy[owner] = _lower(buy, balance.most_buy_minor)
                if day or balance.most_day_minor:
                    guard.day[owner] = _lower(day, balance.most_day_minor)
            limited = [member for member, of in guard.day if of == currency]
            if limited:
                # All of them, in the order in which they are debited: two batches cannot each
                # wait for the other.
                payment.lock_accounts(found.of_members, currency)
                for member, spent in spent_today(limited, currency).items():
                    guard.spent[member, currency] = spent
        return guard

    def refuse(self, owner: Owner, total_minor: int) -> None:
        """Raises ConfirmationNeeded."""
        most, spent = self.buy.get(owner), self.spent.get(owner, 0)
        limit = "buy"
        if most is None or total_minor <= most:
            most, limit = self.day.get(owner), "day"
            if most is None or spent + total_minor <= most:
                return
        raise ConfirmationNeeded(
            limit=limit, most_minor=most, spent_minor=spent, total_minor=total_minor,
            currency=owner[1],
        )  # fmt: skip

    def spend(self, owner: Owner, total_minor: int) -> None:
        if owner in self.day:
            self.spent[owner] = self.spent.get(owner, 0) + total_minor


def of_shop(currency: str) -> tuple[int, int]:
    """The shop's own limits for a buy and for a day; 0 is none."""
    return _minor(web.setting("BUY_LIMIT"), currency), _minor(web.setting("DAY_LIMIT"), currency)


def spent_today(member_ids: Collection[int], currency: str) -> dict[int, int]:
    """What these members have bought today from their accounts, in the shop's time zone, and what
    is set aside for what they are paying for; what came back is not taken off: a thief who returns
    things would begin anew."""
    since = _midnight(clock.now(), web.setting("TIME_ZONE"))
    rows = _spent.all(members=Many(member_ids), money=currency, since=since)
    return {row[0]: int(row[1]) for row in rows}


_minor = cache(money.parse)


def _spent_query(dialect: str) -> Select[Any, Any]:
    since = bindparam("since", type_=Sale.created_at.type)
    part = case((Sale.means == "account", Sale.total_minor), else_=Sale.account_minor)
    parts = union_all(
        select(Sale.member_id, part.label("spent")).where(
            one_of(Sale.member_id, "members", dialect),
            Sale.created_at >= since,
            Sale.currency == bindparam("money"),
        ),
        still_held().where(
            one_of(Aside.member_id, "members", dialect),
            Aside.set_at >= since,
            Aside.currency == bindparam("money"),
        ),
    ).subquery()
    return select(parts.c.member_id, func.sum(parts.c.spent).label("spent")).group_by(
        parts.c.member_id
    )


_spent = Prepared(_spent_query)


def _lower(shop: int, own: int | None) -> int:
    return min(each for each in (shop, own) if each)


def _midnight(at: datetime, zone: str) -> datetime:
    return datetime.combine(clock.day_of(at, zone), time(), ZoneInfo(zone))
