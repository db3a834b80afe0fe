"""What offers do to the item of a page: what is taken off, and what would be."""

from __future__ import annotations

from typing import Any

from ... import (
    catalogue,
    clock,
    membership,
    web,
)
from ...catalogue.markdowns import reduced_minor
from ..offers import newcomers

__all__ = ["item_offers"]

Words = tuple[tuple[str, int], ...]
MOST_HINTS = 3


def item_offers(row: Any, quantity: int, near_percent: int) -> tuple[Words, tuple[str, ...]]:
    """What is taken off so many of the item of an item page's row, by name; and the names of offers
    that take nothing off as it is: for more of it, or for members. Nothing is asked where no offer
    concerns the item."""
    rules = membership.rules_at(row.rules_mark)
    if not rules.concern(row.id, row.category_id, row.member_id is not None):
        return (), ()
    unit = reduced_minor(row.price_minor, near_percent)
    quote = catalogue.Quote(row.id, row.code, {}, row.tax_rate_bp, unit,
                            category_id=row.category_id)  # fmt: skip
    first = rules.asks_for_first and row.member_id is not None and newcomers({row.member_id})
    tiers = frozenset[int]()
    if rules.asks_for_tier and row.member_id is not None:
        tiers = membership.tiers_of({row.member_id}, rules.plan)[row.member_id]
    case = membership.Case(
        row.location_id, "shelf", web.setting("CURRENCY"), clock.now(), web.setting("TIME_ZONE"),
        row.member_id is not None, bool(first), tiers=tiers,
    )  # fmt: skip
    off = membership.priced([quote], [quantity], case, rules)[0].off
    taken = {each.offer_id for each in off}
    hints = [
        web.in_language(rule.names)
        for rule in membership.would_hold(quote, case, rules)
        if rule.id not in taken
    ]
    words = tuple((web.in_language(each.names), each.amount_minor) for each in off)
    return words, tuple(hints[:MOST_HINTS])
