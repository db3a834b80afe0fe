"""Joining: points, and what may be had so many times, of two accounts of one person."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import aliased

from ..db import in_transaction
from . import point_ages
from .models import OfferUse
from .point_models import PointAccount

__all__ = ["join"]


def join(gone_id: int, kept_id: int) -> int:
    """Joiner: the points are the kept account's, each as long as it lived; what one of the two has
    had is had. Answers how many points. Again moves what came since."""
    _move_uses(gone_id, kept_id)
    has = PointAccount.spendable + PointAccount.owed > 0
    query = select(PointAccount.member_id).where(PointAccount.member_id == gone_id, has)
    if in_transaction().scalar(query) is None:
        return 0
    return point_ages.move(gone_id, kept_id)


def _move_uses(gone_id: int, kept_id: int) -> None:
    """The uses of both are the person's. Where each had the first use of a coupon, there is one
    number for both: one of them stays under the account that has gone, and nobody uses more than
    the offer gives."""
    session, theirs = in_transaction(), aliased(OfferUse)
    same = select(theirs.id).where(
        theirs.member_id == kept_id, theirs.coupon_id == OfferUse.coupon_id,
        theirs.nth == OfferUse.nth,
    )  # fmt: skip
    coupons = (OfferUse.member_id == gone_id, OfferUse.coupon_id.is_not(None), ~same.exists())
    first = select(theirs.id).where(theirs.first_of == kept_id)
    firsts = (OfferUse.first_of == gone_id, ~first.exists())
    session.execute(update(OfferUse).where(*coupons).values(member_id=kept_id))
    session.execute(update(OfferUse).where(*firsts).values(member_id=kept_id, first_of=kept_id))
