"""One customer: the whole story of a member, from the first purchase to the last."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select

from ... import identity, stock, web
from ...db import connection
from ...errors import NotFound
from ...identity import identifiers
from ...membership import points, tiers
from ...sales.models import Refund, Sale
from ..calendar import today, zone
from ..filters import Chosen, Filters
from ..listing import Entry, entries
from ..models import WHOLE_MONTH, TakingsOfMember

__all__ = ["Part", "Story", "story"]

NEWEST = 15


class Part(NamedTuple):
    """What a member bought in a month, a channel or a place: less what came back."""

    key: str | int
    sales: int
    refunds: int
    quantity: int
    total_minor: int
    refunded_minor: int

    def plus(self, row: Any) -> Part:
        return Part(
            self.key, self.sales + row.sales, self.refunds + row.refunds,
            self.quantity + row.quantity, self.total_minor + row.total_minor,
            self.refunded_minor + row.refunded_minor,
        )  # fmt: skip


@dataclass(frozen=True)
class Story:
    """What the owner sees of a member. `signs` are kind, value and whether it was proven."""

    id: int
    name: str
    since: datetime
    closed: bool
    signs: list[tuple[str, str, bool]]
    currency: str
    whole: Part
    months: list[Part]
    channels: list[Part]
    places: list[Part]
    first_at: datetime | None
    last_at: datetime | None
    refunded_at: datetime | None
    points: int
    standing: tiers.Standing | None
    newest: list[Entry]

    @property
    def average_minor(self) -> int | None:
        whole = self.whole
        return (whole.total_minor + whole.refunded_minor) // whole.sales if whole.sales else None


def story(member_id: int) -> Story:
    """A member's story. Raises NotFound."""
    member = identity.by_id(member_id) if 0 < member_id < 10**15 else None
    if member is None:
        raise NotFound("There is no such member")
    currency, plan = str(web.setting("CURRENCY")), tiers.now()
    name, since, is_closed = member.name, member.created_at, member.disabled_at is not None
    rows = _rows(member_id, currency)
    ends = connection().execute(
        select(func.min(Sale.created_at), func.max(Sale.created_at)).where(
            Sale.member_id == member_id
        )
    ).one()  # fmt: skip
    back = select(func.max(Refund.created_at)).join(Sale, Sale.id == Refund.sale_id)
    places = {place.id: place.name for place in stock.locations()}
    whole = Part("", 0, 0, 0, 0, 0)
    for row in rows:
        whole = whole.plus(row)
    newest = entries(_of(member_id, currency, ends[0]), None, NEWEST) if ends[0] else []
    return Story(
        member_id, name, since, is_closed,
        [(one.kind, one.value, one.proven_at is not None)
         for one in identifiers.of_member(member_id)],
        currency, whole, sorted(_parts(rows, "day"), reverse=True), _parts(rows, "channel"),
        [one._replace(key=places.get(int(one.key), "")) for one in _parts(rows, "location_id")],
        ends[0], ends[1], connection().scalar(back.where(Sale.member_id == member_id)),
        points.balance_of(member_id).points,
        tiers.standing_of(member_id, plan) if plan is not None else None,
        newest,
    )  # fmt: skip


def _rows(member_id: int, currency: str) -> list[Any]:
    """The member's months, by channel and place."""
    kept = TakingsOfMember
    query = select(*kept.__table__.columns).where(
        kept.member_id == member_id, kept.currency == currency,
        kept.months == WHOLE_MONTH,
    )  # fmt: skip
    return list(connection().execute(query.order_by(kept.day)))


def _parts(rows: list[Any], name: str) -> list[Part]:
    found: dict[Any, Part] = defaultdict(lambda: Part("", 0, 0, 0, 0, 0))
    for row in rows:
        key = getattr(row, name)
        found[key] = found[key]._replace(key=key).plus(row)
    return [found[key] for key in sorted(found)]


def _of(member_id: int, currency: str, first_at: datetime) -> Filters:
    who = Chosen(member_id, str(member_id), {})
    first = first_at.astimezone(zone()).date()
    return Filters("dates", first, max(first, today()), "month", currency, shopper=who)
