"""Basket codes: the way of a guest's basket from one browser to another.

A camera may open a browser of its own, with cookies of its own: what was scanned there would be
lost to the phone's usual browser, or to a second phone. The basket's page shows a short code and
its link; the browser that gives it holds the same basket from then on. A code works for one
browser, and for a quarter of an hour; a member's basket needs none, it is where they sign in.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError

from ... import clock, ids
from ...db import (
    db,
    in_transaction,
    repeatable,
    transaction,
)
from ...errors import NotFound, Refusal
from ..models import Basket, BasketLine
from .basket_rows import Holder, bring

__all__ = ["CodeUnknown", "Offer", "join", "offer", "offered"]

LENGTH = 6
"""30 bits: whoever guesses on at the limit of tries finds one of ten live codes in five years."""
GOOD_FOR = timedelta(minutes=15)


class CodeUnknown(Refusal):
    """No basket waits under this code: mistyped, used, or too old."""

    code = "basket_code_unknown"
    status = 404
    title = "No basket waits under this code"


class Offer(NamedTuple):
    code: str
    ends_at: datetime

    @property
    def shown(self) -> str:
        """As people read it aloud."""
        return f"{self.code[:3]}-{self.code[3:]}"


def offered(holder: Holder) -> Offer | None:
    """The code that waits for another browser, if one does."""
    query = select(Basket.code, Basket.code_ends_at).where(
        _guests(holder), Basket.code_ends_at > clock.now()
    )
    row = db.session.execute(query.limit(1)).first()
    return Offer(row[0] or "", row[1] or clock.now()) if row else None


def offer(holder: Holder) -> Offer:
    """Opener: a fresh code for what this guest has scanned. The last one is good no more.
    Raises NotFound: nothing was scanned, or by a member, who signs in instead."""
    for _ in range(5):
        try:
            return _offer(holder, ids.short_code(LENGTH))
        except IntegrityError:  # Another basket has just this one.
            continue
    raise AssertionError("five codes in a row were taken")


@repeatable
def _offer(holder: Holder, code: str) -> Offer:
    ends_at = clock.now() + GOOD_FOR
    with transaction() as session:
        lines = select(BasketLine.id).where(BasketLine.basket_id == Basket.id).exists()
        newest = select(Basket.id).where(_guests(holder), lines).order_by(Basket.updated_at.desc())
        basket_id = session.scalar(newest.limit(1))
        if basket_id is None:
            raise NotFound("There is no guest's basket here")
        mine, this = update(Basket).where(_guests(holder)), Basket.id == basket_id
        session.execute(mine.values(code=None, code_ends_at=None))
        session.execute(mine.where(this).values(code=code, code_ends_at=ends_at))
    return Offer(code, ends_at)


@repeatable
def join(typed: str, holder: Holder) -> str | None:
    """Opener: the basket with this code is this visitor's too, with what they have scanned in this
    browser. Answers the secret that a guest's browser keeps from now on; None for a member, whose
    basket it becomes. Raises CodeUnknown: nothing has changed."""
    with transaction() as session:
        waits = (Basket.code == ids.normalise(typed), Basket.code_ends_at > clock.now())
        found = session.scalar(select(Basket.id).where(*waits, Basket.member_id.is_(None)))
        used = update(Basket).where(Basket.id == (found or ""), *waits)
        taken = session.execute(used.values(code=None, code_ends_at=None))
        if taken.rowcount != 1:  # type: ignore[attr-defined]
            raise CodeUnknown()
        secret = session.scalars(select(Basket.secret).where(Basket.id == found)).one()
        assert secret is not None
        if holder.member_id is not None:
            in_transaction().expire_all()
            bring(secret, Holder(holder.member_id, None))
            return None
        if holder.secret is not None and holder.secret != secret:
            in_transaction().expire_all()
            bring(holder.secret, Holder(None, secret))
        return secret


def _guests(holder: Holder) -> ColumnElement[bool]:
    return (Basket.secret == (holder.secret or "")) & Basket.member_id.is_(None)
