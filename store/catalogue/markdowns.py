"""Markdown rules: so many days before its date, an item costs so many percent less.

A rule is of one item, of a category, or of everything that is tracked by batch; the nearest counts.
Rules are history like prices; one of 0 percent ends what was before it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ScalarSelect, and_, func, select

from .. import clock, logbook
from ..db import connection, db, in_transaction
from ..errors import Invalid
from .models import Category, Item, MarkdownRule

__all__ = [
    "LONGEST_DAYS", "Markdown", "markdowns_in_force", "markdowns_of", "reduced_minor",
    "set_markdown",
]  # fmt: skip

LONGEST_DAYS = 3_650


class Markdown(NamedTuple):
    """From `days` before its last day on, that day included, an item costs `percent` less."""

    days: int
    percent: int


def reduced_minor(amount_minor: int, percent: int) -> int:
    """What is left of a price; never below zero, and rounded in the shopper's favour."""
    return amount_minor * (100 - percent) // 100


def markdowns_of(item_ids: Collection[int]) -> dict[int, Markdown]:
    """The rules in force for these items, in one statement; an item without one is left out."""
    number = func.coalesce(
        _newest(MarkdownRule.item_id == Item.id),
        _newest(MarkdownRule.category_id == Item.category_id),
        _newest(and_(MarkdownRule.item_id.is_(None), MarkdownRule.category_id.is_(None))),
    )
    rows = connection().execute(select(Item.id, number).where(Item.id.in_(set(item_ids))))
    found = {row[0]: Markdown(row[1] // 128, row[1] % 128) for row in rows if row[1] is not None}
    return {item: rule for item, rule in found.items() if rule.percent}


def _newest(whose: Any) -> ScalarSelect[int]:
    """Both figures as one number: a subquery has room for one column."""
    number = MarkdownRule.days * 128 + MarkdownRule.percent
    newest = select(number).where(whose).order_by(MarkdownRule.id.desc()).limit(1)
    return newest.correlate_except(MarkdownRule).scalar_subquery()


def set_markdown(
    days: int, percent: int, *, item_id: int | None = None, category_id: int | None = None,
    made_by: int | None = None,
) -> None:  # fmt: skip
    """Joiner: from now on this rule, for one item, for a category or for all. Raises Invalid."""
    session = in_transaction()
    if item_id is not None and category_id is not None:
        raise Invalid("A rule is of one item or of one category", field="code")
    if not 0 <= days <= LONGEST_DAYS:
        raise Invalid(f"Days are 0 to {LONGEST_DAYS}", field="days")
    if not 0 <= percent <= 100:
        raise Invalid("Percent are 0 to 100", field="percent")
    session.add(
        MarkdownRule(item_id=item_id, category_id=category_id, days=days, percent=percent,
                     starts_at=clock.now(), made_by=made_by)
    )  # fmt: skip
    session.flush()
    of = f"item {item_id}" if item_id else f"category {category_id}" if category_id else "all"
    logbook.note("markdown.set", of, after={"days": days, "percent": percent})


class Ruled(NamedTuple):
    """A rule as the owner sees it; `names` are the item's or the category's, None for all."""

    code: str
    names: dict[str, str] | None
    rule: Markdown
    starts_at: datetime


def markdowns_in_force(limit: int = 200) -> list[Ruled]:
    """The newest rule of each item, of each category and of all, the newest first."""
    newest = select(func.max(MarkdownRule.id)).group_by(
        MarkdownRule.item_id, MarkdownRule.category_id
    )
    query = (
        select(MarkdownRule, Item.code, Item.names, Category.names)
        .outerjoin(Item, Item.id == MarkdownRule.item_id)
        .outerjoin(Category, Category.id == MarkdownRule.category_id)
        .where(MarkdownRule.id.in_(newest), MarkdownRule.percent > 0)
        .order_by(MarkdownRule.id.desc())
        .limit(limit)
    )
    return [
        Ruled(code or "", names or category, Markdown(rule.days, rule.percent), rule.starts_at)
        for rule, code, names, category in db.session.execute(query)
    ]
