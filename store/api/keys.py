"""Keys: a POST that is sent again does nothing again, and answers what it answered.

A sale keeps its key itself (the purchase key). For all other acts the key stands in a table of the
API, written in the act's own transaction, together with the answer.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from flask import g
from sqlalchemy import and_, select, update

from .. import clock, sweeping
from ..db import in_transaction, insert_new, repeatable, transaction
from ..errors import Refusal
from ..payment import KeyReused
from .models import KeptAnswer

__all__ = ["KEPT_DAYS", "KeyInvalid", "KeyMissing", "key", "once", "read", "sweep"]

KEPT_DAYS = 90
_KEY = re.compile(r"[!-~]{1,64}\Z", re.ASCII)


class KeyMissing(Refusal):
    """Without a key a repeat could not be told from a second act."""

    code = "idempotency_key_missing"
    status = 400
    title = "Send an Idempotency-Key header"


class KeyInvalid(Refusal):
    code = "idempotency_key_invalid"
    status = 400
    title = "An Idempotency-Key has 1 to 64 visible ASCII characters"


def read(header: str | None) -> str:
    """The key as it was sent. Raises KeyMissing, KeyInvalid."""
    value = (header or "").strip(" ")
    if not value:
        raise KeyMissing()
    if not _KEY.match(value):
        raise KeyInvalid()
    return value


def key() -> str:
    """The key of this POST."""
    return g.api_key  # type: ignore[no-any-return]


@repeatable
def once(
    member_id: int, route: str, contents: Mapping[str, Any], act: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """Opener: `act`, which joins, and what it answered; or, where the member's key was used on this
    route before, the answer of then and True. Raises KeyReused for other contents."""
    digest = hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()
    mine = {"member_id": member_id, "route": route, "key": key()}
    is_mine = and_(*(getattr(KeptAnswer, name) == value for name, value in mine.items()))
    with transaction() as session:
        row = mine | {"digest": digest, "answer": {}, "at": clock.now()}
        # Whoever comes second with the same key waits here until the first is through.
        new = insert_new(KeptAnswer).execution_options(preserve_rowcount=True)
        if session.connection().execute(new, row).rowcount != 1:
            known = session.execute(
                select(KeptAnswer.digest, KeptAnswer.answer).where(is_mine)
            ).one()
            if known.digest != digest:
                raise KeyReused("The key was used for something else")
            return known.answer, True
        answer = act()
        in_transaction().execute(update(KeptAnswer).where(is_mine).values(answer=answer))
        return answer, False


def sweep() -> int:
    """Opener: remove answers of long ago, which nobody will ask for again; answers how many. The
    keys of sales stand in the sales and stay."""
    return sweeping.remove(KeptAnswer, KeptAnswer.at < clock.now() - timedelta(days=KEPT_DAYS))
