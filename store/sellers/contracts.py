"""Contracts: on which terms the house sells a seller's goods, and since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select

from .. import clock, logbook, money, web
from ..catalogue import owners
from ..catalogue.models import Seller
from ..db import connection, db, in_transaction, repeatable, transaction
from ..errors import Invalid
from ..prepared import Many, Prepared, one_of
from .models import CALENDARS, Contract

__all__ = ["Agreed", "add", "begin", "contracts_of", "cut_off", "in_force", "known"]

MOST_DAYS = {"days": 90, "weekly": 7, "monthly": 28}


@dataclass(frozen=True)
class Agreed:
    """The terms of a contract; what they mean stands at the table."""

    commission_bp: int
    line_fee_minor: int = 0
    fee_bp: int = 0
    calendar: str = "days"
    calendar_day: int = 1

    def check(self) -> None:
        """Raises Invalid."""
        for name, rate in (("commission", self.commission_bp), ("fee", self.fee_bp)):
            if not 0 <= rate <= 10_000:
                raise Invalid("A rate is 0 to 100 percent", field=name)
        if not 0 <= self.line_fee_minor <= money.LARGEST_MINOR:
            raise Invalid("A fee is 0 or more, and not larger than any price", field="line_fee")
        if self.calendar not in CALENDARS:
            raise Invalid(f"calendar must be one of: {', '.join(CALENDARS)}", field="calendar")
        if not 1 <= self.calendar_day <= MOST_DAYS[self.calendar]:
            most = MOST_DAYS[self.calendar]
            raise Invalid(f"This is a number from 1 to {most}", field="calendar_day")


@repeatable
def add(
    code: str, agreed: Agreed, *, made_by: int | None = None, **fields: Any
) -> Seller:  # fmt: skip
    """Opener: a new seller with the contract of today; there is none without. `fields` are those
    of a seller. Raises Invalid, SellerTaken."""
    agreed.check()
    with transaction():
        seller = owners.add_seller(code, **fields)
        owners.take_turn()
        _write(seller.id, agreed, clock.now(), made_by)
        logbook.note("seller.added", seller.id, after={"code": seller.code} | vars(agreed))
        return seller


@repeatable
def begin(
    seller_id: int, agreed: Agreed, day: date | None = None, *, made_by: int | None = None
) -> datetime:
    """Opener: a new contract from a day of the shop's time zone on, or from now; what was sold
    before stays under the old one. Answers when it begins. Raises Invalid (terms; a day that is
    over, or on which one begins already)."""
    agreed.check()
    with transaction() as session:
        owners.take_turn()
        now = clock.now()
        today = now.astimezone(_zone()).date()
        if day is not None and not today <= day <= today + timedelta(days=3660):
            raise Invalid("A contract begins today or later", field="starts_on")
        starts_at = now if day in (None, today) else _midnight(day or today)
        taken = select(Contract.id).where(
            Contract.seller_id == seller_id, Contract.starts_at == starts_at
        )
        if session.scalar(taken) is not None:
            raise Invalid("Another contract begins on this day", field="starts_on")
        _write(seller_id, agreed, starts_at, made_by)
        said = {"from": starts_at} | vars(agreed)
        logbook.note("contract.begun", seller_id, after=said)
        return starts_at


def _write(seller_id: int, agreed: Agreed, starts_at: datetime, made_by: int | None) -> None:
    row = {
        "seller_id": seller_id, "commission_bp": agreed.commission_bp,
        "line_fee_minor": agreed.line_fee_minor, "fee_bp": agreed.fee_bp,
        "calendar": agreed.calendar, "calendar_day": agreed.calendar_day,
        "starts_at": starts_at, "made_by": made_by, "made_at": clock.now(),
    }  # fmt: skip
    in_transaction().connection().execute(insert(Contract), [row])


_known = Prepared(
    lambda dialect: (
        select(
            Contract.id, Contract.seller_id, Contract.commission_bp, Contract.line_fee_minor,
            Contract.fee_bp, Contract.starts_at, Seller.code,
        )
        .join(Seller, Seller.id == Contract.seller_id)
        .where(one_of(Contract.seller_id, "sellers", dialect))
        .order_by(Contract.starts_at.desc(), Contract.id.desc())
    )
)  # fmt: skip


def known(seller_ids: Iterable[int]) -> Mapping[int, list[Any]]:
    """All contracts of these sellers with their sellers' codes, the newest first: for those who
    look up many moments."""
    found: dict[int, list[Any]] = {}
    for row in _known.all(sellers=Many(set(seller_ids))):
        found.setdefault(row.seller_id, []).append(row)
    return found


def contracts_of(seller_id: int) -> list[Contract]:
    """A seller's contracts, the newest first."""
    query = select(Contract).where(Contract.seller_id == seller_id)
    return list(db.session.scalars(query.order_by(Contract.starts_at.desc())))


def in_force(at: datetime | None = None) -> dict[int, Any]:
    """{seller: the contract that is in force (at a moment)}."""
    begun = select(*Contract.__table__.columns).where(Contract.starts_at <= (at or clock.now()))
    rows = connection().execute(begun.order_by(Contract.starts_at))
    return {row.seller_id: row for row in rows}


def cut_off(calendar: str, calendar_day: int, today: date) -> datetime:
    """What was sold before this moment may be settled today. After n days ("days") it is what was
    sold n days ago and earlier; on a weekday and on a day of the month what was sold before it."""
    if calendar == "days":
        first = today - timedelta(days=calendar_day - 1)
    elif calendar == "weekly":
        first = today - timedelta(days=(today.isoweekday() - calendar_day) % 7)
    else:
        first = today.replace(day=calendar_day)
        if first > today:
            first = (today.replace(day=1) - timedelta(days=1)).replace(day=calendar_day)
    return _midnight(first)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), _zone())


def _zone() -> ZoneInfo:
    return ZoneInfo(web.setting("TIME_ZONE"))
