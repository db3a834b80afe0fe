"""Membership: why they come back. Offers and coupons: what they take off which line, and why;
points, and tiers."""

from __future__ import annotations

from .coupons import (
    Coupon,
    CouponRefused,
    code_of,
    coupons_for,
    give,
    has_had_first,
    is_kept,
    own_uses,
    read_code,
    release,
    settle,
    use,
)
from .point_uses import PointsRefused, spendable
from .pricing import Case, priced, would_hold
from .reductions import points_on, reduced_by, write_reductions
from .rules import NONE, Rule, Rules, any_open, held, rules_at
from .tiers import keys_of as tiers_of

__all__ = [
    "NONE",
    "Case",
    "Coupon",
    "CouponRefused",
    "PointsRefused",
    "Rule",
    "Rules",
    "any_open",
    "code_of",
    "coupons_for",
    "give",
    "has_had_first",
    "held",
    "is_kept",
    "own_uses",
    "points_on",
    "priced",
    "read_code",
    "reduced_by",
    "release",
    "rules_at",
    "settle",
    "spendable",
    "tiers_of",
    "use",
    "would_hold",
    "write_reductions",
]
