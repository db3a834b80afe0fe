"""The member code: a QR on a member's phone that says, for a moment, who stands at the till. A
picture of it is worthless within a minute. What a till saw it keeps as a proof, for the basket at
hand. Pure functions; the key is given.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from .. import ids, ticks
from ..errors import Refusal

__all__ = ["CodeStale", "CodeUnknown", "is_code", "proof", "proven", "read", "text_for"]

MAC_LENGTH = 16
PROOF_FOR = timedelta(minutes=15)
"""So long a till knows that it has seen the code: for one basket, not for the day."""

# Found anywhere in what was scanned: a hand scanner with another keyboard's layout mangles the
# address around the code, but neither letters, digits nor full stops.
_CODE = re.compile(
    rf"(?<![0-9A-Z])M([1-9][0-9]{{0,17}})\.([0-9]{{1,12}})\.([{ids.ALPHABET}]{{{MAC_LENGTH}}})"
    r"(?![0-9A-Z])",
    re.ASCII,
)
_PROOF = re.compile(rf"([0-9]{{1,12}})\.([{ids.ALPHABET}]{{{MAC_LENGTH}}})\Z", re.ASCII)
LONGEST = 1000


class CodeUnknown(Refusal):
    """Not a member's code of this shop: unreadable or made up."""

    code = "member_code_unknown"
    status = 422
    title = "This is not a member's code of this shop"


class CodeStale(Refusal):
    """A real code of another time: a screenshot, or a page that stood still. `data`: age_s."""

    code = "member_code_stale"
    status = 409
    title = "This member's code is not live"


def text_for(member_id: int, step: int, key: bytes) -> str:
    """A member's code for one step of time."""
    return f"M{member_id}.{step}.{_mac(member_id, step, key)}"


def is_code(text: str) -> bool:
    """Whether a scanned text has the shape of a member's code, whoever made it."""
    return len(text) <= LONGEST and _CODE.search(text.upper()) is not None


def read(text: str, at: datetime, key: bytes) -> int:
    """The member's id in a scanned text. Raises CodeUnknown, CodeStale."""
    found = _CODE.search(text.upper()) if len(text) <= LONGEST else None
    if found is None:
        raise CodeUnknown("There is no member's code in this")
    member_id, step = int(found[1]), int(found[2])
    if not ids.same(found[3], _mac(member_id, step, key)):
        raise CodeUnknown("The code was not made by this shop")
    age_s = ticks.age_s(step, at)
    if age_s is not None:
        raise CodeStale("The code was made for another time", age_s=age_s)
    return member_id


def proof(member_id: int, seller_id: int, at: datetime, key: bytes) -> str:
    """What a seller's till keeps once it has seen a member's code."""
    step = ticks.step_at(at)
    return f"{step}.{_proof_mac(member_id, seller_id, step, key)}"


def proven(text: str, member_id: int, seller_id: int, at: datetime, key: bytes) -> bool:
    """Whether this seller saw this member's code a little while ago."""
    found = _PROOF.match(text)
    if found is None:
        return False
    step = int(found[1])
    if not ids.same(found[2], _proof_mac(member_id, seller_id, step, key)):
        return False
    return timedelta(0) <= at - ticks.starts_at(step) < PROOF_FOR


def _mac(member_id: int, step: int, key: bytes) -> str:
    return ids.mac(key, "member", str(member_id), str(step), length=MAC_LENGTH)


def _proof_mac(member_id: int, seller_id: int, step: int, key: bytes) -> str:
    parts = (str(member_id), str(seller_id), str(step))
    return ids.mac(key, "member_seen", *parts, length=MAC_LENGTH)
