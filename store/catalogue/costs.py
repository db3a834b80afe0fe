"""Costs: what one unit of an item costs the shop, without the tax that it gets back.

History like prices, so that what was sold keeps the cost that it had then. A cost has two decimals
more than the currency, for screws and the like, and is kept in hundredths of a minor unit. Of what
is bought it is the moving weighted average: each delivery that says what it cost is averaged with
what is on hand, as IAS 2 and GAAP know it. Nobody sees a cost without the right to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, insert, select

from .. import clock, logbook, money
from ..db import Moment, connection, db, in_transaction
from ..errors import Invalid
from ..prepared import Prepared
from .figures import plain_amount
from .models import BundlePart, DepositKind, Item, ItemCost

__all__ = [
    "Cost", "averaged", "cost_at", "cost_text", "costs_of", "has_costs", "history_of", "parse_cost",
    "put_costs", "read_cost", "refuse_wrong", "set_cost", "whole_minor",
]  # fmt: skip

LARGEST = 10**12
"""In hundredths: a hundred million of a currency with two decimals. Millions of it fit in 2^63."""

_PLAIN = re.compile(r"\d{1,20}(\.\d{1,20})?\Z", re.ASCII)
_now = bindparam("cost_now", type_=Moment(), callable_=clock.now)


class Cost(NamedTuple):
    """A cost of an item from a moment on, in hundredths of a minor unit. `why` is how it came to
    be: "said", "imported", or "delivered" with the number of the delivery."""

    hundredths: int
    currency: str
    starts_at: datetime
    why: str
    slip_id: int | None
    made_by: int | None


def cost_at(item_id: Any, currency: Any, at: Any = None) -> ColumnElement[int]:
    """An expression for any query over items: the cost of one in hundredths of a minor unit, now or
    at a moment; NULL where none is known."""
    query = (
        select(ItemCost.hundredths)
        .where(ItemCost.item_id == item_id, ItemCost.currency == currency,
               ItemCost.starts_at <= (_now if at is None else at))
        .order_by(ItemCost.starts_at.desc(), ItemCost.id.desc())
        .limit(1)
    )  # fmt: skip
    return query.correlate_except(ItemCost).scalar_subquery()


def costs_of(item_ids: Iterable[int], currency: str) -> dict[int, int]:
    """{item: hundredths} of those whose cost is known."""
    wanted, found = sorted(set(item_ids)), dict[int, int]()
    for at in range(0, len(wanted), 500):
        some = Item.id.in_(wanted[at : at + 500])
        query = select(Item.id, cost_at(Item.id, currency)).where(some)
        found |= {row[0]: row[1] for row in connection().execute(query) if row[1] is not None}
    return found


def history_of(item_id: int, most: int = 12) -> list[Cost]:
    """The newest costs of an item."""
    query = select(
        ItemCost.hundredths, ItemCost.currency, ItemCost.starts_at, ItemCost.why, ItemCost.slip_id,
        ItemCost.made_by,
    ).where(ItemCost.item_id == item_id)  # fmt: skip
    newest = query.order_by(ItemCost.starts_at.desc(), ItemCost.id.desc()).limit(most)
    return [Cost(*row) for row in db.session.execute(newest)]


def set_cost(
    item_id: int, hundredths: int, currency: str, *, made_by: int | None = None
) -> bool:  # fmt: skip
    """Joiner: from now on one costs so much. Answers False, and adds nothing, where it is so
    already. Raises Invalid: for nothing or less, and for a bundle, which costs its parts."""
    refuse_wrong(hundredths)
    session = in_transaction()
    made_of = select(BundlePart.bundle_id).where(BundlePart.bundle_id == item_id)
    deposit = select(DepositKind.item_id).where(DepositKind.item_id == item_id)
    if session.execute(made_of.union_all(deposit)).first() is not None:
        raise Invalid("A bundle costs what its parts cost", field="cost")
    return put_costs({item_id: hundredths}, currency, "said", made_by=made_by) > 0


def put_costs(
    costs: Mapping[int, int], currency: str, why: str, *, slip_id: int | None = None,
    made_by: int | None = None,
) -> int:  # fmt: skip
    """Joiner: from now on these items cost so much; answers of how many that is new. A single one
    is written into the log."""
    before = costs_of(costs, currency) if costs else {}
    now = clock.now()
    new = {item: cost for item, cost in sorted(costs.items()) if before.get(item) != cost}
    rows = [
        {"item_id": item, "currency": currency, "hundredths": cost, "starts_at": now, "why": why,
         "slip_id": slip_id, "made_by": made_by}
        for item, cost in new.items()
    ]  # fmt: skip
    if rows:
        in_transaction().connection().execute(insert(ItemCost), rows)
    for item, cost in new.items() if why == "said" else ():
        known = before.get(item)
        logbook.note(
            "cost.set", item,
            before=None if known is None else {"cost": cost_text(known, currency)},
            after={"cost": cost_text(cost, currency), "currency": currency},
        )  # fmt: skip
    return len(rows)


def averaged(on_hand: int, known: int | None, came: int, cost: int) -> int:
    """The moving weighted average, half up: what was on hand at its cost, and what came at another.
    What was on hand at no known cost takes the cost of what came."""
    if known is None or on_hand <= 0:
        return cost
    many = on_hand + came
    return (2 * (on_hand * known + came * cost) + many) // (2 * many)


def whole_minor(quantity: int, hundredths: int) -> int:
    """What so many cost in minor units, half up."""
    return (quantity * hundredths + 50) // 100


def parse_cost(text: str, currency: str, field: str = "cost") -> int:
    """Plain decimal text ("7.2", "0.0345") in hundredths of a minor unit. Raises Invalid; also for
    0 and less, which is no cost: leave it empty."""
    bare = text.strip()
    if not _PLAIN.match(bare):
        raise Invalid(f"{bare[:40]!r} is not an amount like 12.50", field=field)
    return _hundredths(bare, currency, field)


def read_cost(text: str, currency: str, field: str = "cost") -> int:
    """The same as people write it in files, with signs and thousands; see figures.read_amount."""
    return _hundredths(plain_amount(text, currency, field), currency, field)


def _hundredths(text: str, currency: str, field: str) -> int:
    decimals = money.decimals(currency) + 2
    minor = Decimal(text).scaleb(decimals)
    if minor != minor.to_integral_value():
        raise Invalid(f"{text[:40]!r} has more than {decimals} decimals", field=field)
    refuse_wrong(int(minor), field)
    return int(minor)


def refuse_wrong(hundredths: int, field: str = "cost") -> None:
    """Raises Invalid."""
    if not 0 < hundredths <= LARGEST:
        raise Invalid("A cost is more than 0, and not larger than any price", field=field)


def cost_text(hundredths: int, currency: str) -> str:
    """Plain decimal text, with two decimals more than the currency has where they say something:
    72,000 is "7.20" and 345 "0.0345". Never three: they would be thousands to some."""
    places = money.decimals(currency)
    digits = str(hundredths).rjust(places + 3, "0")
    whole, rest = digits[: -places - 2], digits[-places - 2 :]
    rest = rest.removesuffix("00")
    return f"{whole}.{rest}" if rest else whole


def has_costs() -> bool:
    """Whether any cost is known: a shop without pays one short statement for the question."""
    return _any.first() is not None


_any = Prepared(lambda dialect: select(ItemCost.id).limit(1))
