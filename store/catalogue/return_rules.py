"""Return rules: for how many days an item is taken back, whether opened goods are, and for how many
months there is a guarantee.

A rule is of one item, of a category, or of the shop (its settings); the nearest counts. Rules are
history like prices: a sale keeps the rule of its day, whatever the owner decides afterwards.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, func, or_, select

from .. import clock, logbook, web
from ..db import connection, db, in_transaction
from ..errors import Invalid
from .models import Category, Item, ReturnRule

LONGEST_DAYS = 3_650
LONGEST_MONTHS = 600
_DAYS = 10_000


class Rule(NamedTuple):
    """`days` after the sale an item is taken back, 0 is never; `opened` says opened goods, too.
    There is a guarantee of `warranty_months`, 0 is none."""

    days: int
    opened: bool
    warranty_months: int = 0

    @property
    def number(self) -> int:
        """The rule as one number, for queries that have room for one column."""
        return (self.warranty_months * _DAYS + self.days) * 2 + self.opened


def rule_of(number: int | None) -> Rule:
    """The rule that a query answered with; the shop's own where it found none."""
    if number is None:
        return Rule(
            min(int(web.setting("RETURN_DAYS")), LONGEST_DAYS), bool(web.setting("RETURN_OPENED")),
            min(int(web.setting("WARRANTY_MONTHS")), LONGEST_MONTHS),
        )  # fmt: skip
    return Rule(number // 2 % _DAYS, bool(number % 2), number // 2 // _DAYS)


def warranty_until(sold_at: datetime, months: int) -> date | None:
    """The last day of a guarantee of so many months, in the shop's own days; None where there is
    none. What was sold on the 31st ends with a shorter month."""
    if not months:
        return None
    sold = clock.day_of(sold_at, web.setting("TIME_ZONE"))
    year, month = divmod(sold.year * 12 + sold.month - 1 + months, 12)
    return date(year, month + 1, min(sold.day, monthrange(year, month + 1)[1]))


def return_rule(
    item_id: ColumnElement[int] | Any, category_id: Any, at: Any | None = None
) -> ColumnElement[int]:
    """An expression for any query over items: the number of the rule in force (at a moment), for
    `rule_of`; NULL where the shop's own counts."""
    return func.coalesce(
        _newest(ReturnRule.item_id == item_id, at),
        _newest(ReturnRule.category_id == category_id, at),
    )


def _newest(whose: ColumnElement[bool], at: Any | None) -> ScalarSelect[int]:
    number = (ReturnRule.warranty_months * _DAYS + ReturnRule.days) * 2 + ReturnRule.opened
    query = select(number).where(whose, *([] if at is None else [ReturnRule.starts_at <= at]))
    newest = query.order_by(ReturnRule.id.desc()).limit(1)
    return newest.correlate_except(ReturnRule).scalar_subquery()


def rules_at(item_ids: Iterable[int], at: datetime) -> dict[int, Rule]:
    """The rules that were in force for these items at a moment."""
    number = return_rule(Item.id, Item.category_id, at)
    rows = connection().execute(select(Item.id, number).where(Item.id.in_(set(item_ids))))
    return {row[0]: rule_of(row[1]) for row in rows}


def set_return_rule(
    days: int, opened: bool, *, item_id: int | None = None, category_id: int | None = None,
    warranty_months: int = 0, made_by: int | None = None,
) -> None:  # fmt: skip
    """Joiner: from now on this rule, for one item or for a category. Raises Invalid."""
    session = in_transaction()
    if (item_id is None) == (category_id is None):
        raise Invalid("A rule is of one item or of one category", field="code")
    if not 0 <= days <= LONGEST_DAYS:
        raise Invalid(f"Days are 0 to {LONGEST_DAYS}", field="days")
    if not 0 <= warranty_months <= LONGEST_MONTHS:
        raise Invalid(f"Months are 0 to {LONGEST_MONTHS}", field="warranty")
    session.add(
        ReturnRule(item_id=item_id, category_id=category_id, days=days, opened=int(opened),
                   warranty_months=warranty_months, starts_at=clock.now(), made_by=made_by)
    )  # fmt: skip
    session.flush()
    of = f"item {item_id}" if item_id else f"category {category_id}" if category_id else "all"
    said = {"days": days, "opened": opened, "warranty_months": warranty_months}
    logbook.note("return_rule.set", of, after=said)


class Ruled(NamedTuple):
    """A rule as the owner sees it; `code` is the item's or the category's."""

    of_item: bool
    code: str
    names: dict[str, str]
    rule: Rule
    starts_at: datetime


def rules_in_force(limit: int = 200) -> list[Ruled]:
    """The newest rule of each item and category that has one, the newest first."""
    newest = select(func.max(ReturnRule.id)).group_by(ReturnRule.item_id, ReturnRule.category_id)
    query = (
        select(ReturnRule, Item.code, Item.names, Category.code, Category.names)
        .outerjoin(Item, Item.id == ReturnRule.item_id)
        .outerjoin(Category, Category.id == ReturnRule.category_id)
        .where(ReturnRule.id.in_(newest), or_(Item.id.is_not(None), Category.id.is_not(None)))
        .order_by(ReturnRule.id.desc())
        .limit(limit)
    )
    return [
        Ruled(
            rule.item_id is not None, item_code or category_code, item_names or category_names,
            Rule(rule.days, bool(rule.opened), rule.warranty_months), rule.starts_at,
        )
        for rule, item_code, item_names, category_code, category_names in
        db.session.execute(query)
    ]  # fmt: skip
