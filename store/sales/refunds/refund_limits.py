"""The limit above which a second person approves a refund by staff.

What one person gave back of one sale without a second counts together: a refund that is cut into
small ones waits like a large one. The sale is locked meanwhile, so of two at once the second counts
the first.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import func, select

from ... import identity, money, web
from ...db import in_transaction
from ...errors import Refusal
from ..models import Refund, Sale
from .approval_models import RefundRequest

__all__ = ["ApprovalNeeded", "limit_of", "of_shop"]


class ApprovalNeeded(Refusal):
    """A refund by staff above the shop's limit: nothing was given back. `data`: total_minor,
    limit_minor, currency; request, where it is written down and waits."""

    code = "approval_needed"
    status = 409
    title = "A second person must approve this refund"


def of_shop(currency: str) -> int:
    """The shop's limit in minor units; 0 is none."""
    return _minor(web.setting("REFUND_APPROVAL_ABOVE"), currency)


def limit_of(sale: Sale, total_minor: int, made_by: int) -> int | None:
    """Joiner, the sale is locked: the limit that holds for this refund; None where there is none,
    or nobody else may refund, who could approve it. Raises ApprovalNeeded."""
    limit = of_shop(sale.currency)
    if not limit:
        return None
    if total_minor and _alone_given(sale.id, made_by) + total_minor > limit:
        if not identity.others_who_may("refund", made_by):
            return None
        raise ApprovalNeeded(total_minor=total_minor, limit_minor=limit, currency=sale.currency)
    return limit


def _alone_given(sale_id: str, made_by: int) -> int:
    """What this person gave back of the sale, and nobody approved."""
    approved = select(RefundRequest.refund_id).where(RefundRequest.refund_id == Refund.id)
    query = select(func.coalesce(func.sum(Refund.total_minor), 0)).where(
        Refund.sale_id == sale_id,
        Refund.made_by == made_by,
        Refund.limit_minor.is_not(None),
        ~approved.exists(),
    )
    return int(in_transaction().scalar(query) or 0)


_minor = cache(money.parse)
