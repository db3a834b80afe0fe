"""Empties: bottles and crates that come back alone; their deposit is paid out, each once.

Whoever brings them gets the deposit, whoever bought them and wherever. It goes to a member's
account, is given in cash, or comes off the sale at hand. Nothing of the stock moves: an empty is no
goods, and what it stood for was sold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, insert, select

from ... import (
    catalogue,
    clock,
    ids,
    payment,
)
from ...db import (
    connection,
    in_transaction,
    repeatable,
    transaction,
)
from ...errors import Invalid
from ..buying import Bought, Buy
from ..checkout import buy_in
from ..models import (
    Empties,
    EmptyLine,
    Refund,
    RefundLine,
    Sale,
    SaleLine,
)
from ..rounding import of_empties

__all__ = ["Owed", "Returned", "owed", "sell_with", "take_back", "take_back_in"]

MOST = 999


@dataclass(frozen=True)
class Returned:
    """So many empties of each kind of deposit (its item's id), at a location. `key` is made by the
    page: the same key is the same return. `at`: when it was; now if nothing is said."""

    location_id: int
    currency: str
    quantities: Mapping[int, int]
    key: str
    staff_id: int
    member_id: int | None = None
    means: str = "cash"
    at: datetime | None = None


@repeatable
def take_back(asked: Returned) -> tuple[str, int]:
    """Opener: empties come back, their deposit is paid out; answers the id and the amount. Raises
    Invalid, KeyReused."""
    if asked.means not in ("account", "cash"):
        raise Invalid("Empties alone are paid in cash or to an account", field="means")
    with transaction():
        return take_back_in(asked, None)


@repeatable
def sell_with(asked: Buy, empties: Returned) -> tuple[Bought, int]:
    """Opener: a sale at a till, and empties that come off it, in one transaction; answers the sale
    and what is left to pay. Raises what `buy` and `take_back` raise."""
    with transaction():
        bought = buy_in(asked)
        if bought.repeated and _earlier(empties) is None:
            raise payment.KeyReused("The sale was made without these empties")
        _, amount = take_back_in(empties, bought.sale_id)
        total = select(Sale.total_minor).where(Sale.id == bought.sale_id)
        left = int(in_transaction().scalar(total) or 0) - amount
        if left < 0 and empties.means == "card":
            raise Invalid("A card takes money; give what is left in cash", field="means")
        return bought, left


def take_back_in(asked: Returned, sale_id: str | None) -> tuple[str, int]:
    """Joiner: the same, off a sale where one is said."""
    session = in_transaction()
    kinds = {each.item_id: each for each in catalogue.deposits(asked.currency)}
    if not asked.quantities or not all(1 <= many <= MOST for many in asked.quantities.values()):
        raise Invalid(f"Of each kind 1 to {MOST} come back", field="quantity")
    if not asked.quantities.keys() <= kinds.keys():
        raise Invalid("There is no such deposit", field="deposit")
    if not 1 <= len(asked.key) <= 64:
        raise Invalid("A key has 1 to 64 characters", field="key")
    if asked.means == "account" and asked.member_id is None:
        raise Invalid("Say whose account it goes to", field="member")
    before = _earlier(asked)
    if before is not None:
        return before
    empties_id = ids.new()
    totals = {each: kinds[each].amount_minor * many for each, many in asked.quantities.items()}
    total, at = sum(totals.values()), clock.now()
    turned = of_empties(asked.means, total, asked.currency, sale_id)
    session.connection().execute(
        insert(Empties),
        [{"id": empties_id, "key": asked.key, "location_id": asked.location_id,
          "member_id": asked.member_id, "means": asked.means, "sale_id": sale_id,
          "currency": asked.currency, "total_minor": total, "rounding_minor": turned,
          "made_by": asked.staff_id, "at": asked.at or at}],
    )  # fmt: skip
    rows = [
        {"empties_id": empties_id, "item_id": each, "quantity": asked.quantities[each],
         "total_minor": totals[each]}
        for each in sorted(totals)
    ]  # fmt: skip
    session.connection().execute(insert(EmptyLine), rows)
    payment.pay_empties(
        total, asked.currency, empties_id=empties_id, member_id=asked.member_id, means=asked.means
    )
    payment.book_rounding([payment.Rounded(empties_id, None, -turned)], asked.currency, at)
    return empties_id, total


def _earlier(asked: Returned) -> tuple[str, int] | None:
    """A page that was sent twice takes back once. Raises KeyReused."""
    session = in_transaction()
    found = session.execute(
        select(Empties.id, Empties.total_minor, Empties.means, Empties.member_id).where(
            Empties.made_by == asked.staff_id, Empties.key == asked.key
        )
    ).first()
    if found is None:
        return None
    lines = select(EmptyLine.item_id, EmptyLine.quantity).where(EmptyLine.empties_id == found.id)
    said = (dict(asked.quantities), asked.means, asked.member_id)
    if (dict(session.execute(lines).all()), found.means, found.member_id) != said:
        raise payment.KeyReused("The key was used for other empties")
    return found.id, found.total_minor


class Owed(NamedTuple):
    """A kind of deposit: how many were sold, how many came back with their goods or as empties."""

    deposit: catalogue.Deposit
    sold: int
    returned: int

    @property
    def owed_minor(self) -> int:
        return self.deposit.amount_minor * (self.sold - self.returned)


def owed(currency: str) -> list[Owed]:
    """Every kind of deposit with what is owed for it."""
    kinds = catalogue.deposits(currency)
    wanted = [each.item_id for each in kinds]
    sold = _sums(
        select(SaleLine.item_id, func.sum(SaleLine.quantity))
        .where(SaleLine.kind == "deposit", SaleLine.item_id.in_(wanted))
        .group_by(SaleLine.item_id)
    )
    given = _sums(
        select(RefundLine.item_id, func.sum(RefundLine.quantity))
        .join(Refund, Refund.id == RefundLine.refund_id)
        .where(RefundLine.item_id.in_(wanted))
        .group_by(RefundLine.item_id)
    )
    empties = _sums(
        select(EmptyLine.item_id, func.sum(EmptyLine.quantity))
        .where(EmptyLine.item_id.in_(wanted))
        .group_by(EmptyLine.item_id)
    )
    return [
        Owed(each, sold.get(each.item_id, 0),
             given.get(each.item_id, 0) + empties.get(each.item_id, 0))
        for each in kinds
    ]  # fmt: skip


def _sums(query: Any) -> dict[int, int]:
    return {row[0]: int(row[1]) for row in connection().execute(query)}
