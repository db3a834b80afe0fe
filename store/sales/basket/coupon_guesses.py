"""Guesses at the codes of coupons: counted before anybody looks, so that a limit holds for them
over all processes and restarts. A code that there is costs its shopper no try;
another member's own does."""

from __future__ import annotations

from ... import identity, membership
from ...db import transaction

__all__ = ["guessed"]


def guessed(code: str, member_id: int | None, device: str = "") -> None:
    """Opener: a member, or the guest of a device, says a coupon's code. Raises TooMany."""
    tried = identity.count_tries(identity.caller().coupon_codes(member_id, device))
    found = membership.coupons_for({(code, member_id)}).get((code, member_id))
    if found is not None and found.is_theirs:
        with transaction():
            identity.forgive_tries(tried)
