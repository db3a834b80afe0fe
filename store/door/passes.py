"""The pass: a sale's id, a step of time, and an authentication code that binds both to the place.

With a signature behind it (`signing`) an exit without a network can tell that it is real; the shop
itself needs no more than the code. Pure functions; the key is given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from .. import ids, ticks
from ..errors import Refusal
from ..sales import Receipt

MAC_LENGTH = 16
"""80 bits: a code cannot be guessed, and the address still fits a small QR code."""

# Found anywhere in what was scanned: a hand scanner with another keyboard's layout mangles the
# address around the pass (slashes, colons), but neither letters, digits nor full stops.
_PASS = re.compile(
    rf"(?<![0-9A-Z])([{ids.ALPHABET}]{{20}})\.([0-9]{{1,12}})\.([{ids.ALPHABET}]{{{MAC_LENGTH}}})"
    r"(?![0-9A-Z])",
    re.ASCII,
)
LONGEST = 1000


class PassRefused(Refusal):
    """The door says no to a pass. Every refusal of this room is one of these; `receipt` is the sale
    that it is about, where the pass is known to be real."""

    code = "pass_refused"
    receipt: Receipt | None = None


class PassInvalid(PassRefused):
    """Not a pass of this shop: unreadable, made up, or of a sale that does not exist."""

    code = "pass_invalid"
    status = 422
    title = "This is not a pass of this shop"


class PassStale(PassRefused):
    """A real code of another time: a screenshot, or a page that stood still. `data`: age_s."""

    code = "pass_stale"
    title = "This code is not live"


@dataclass(frozen=True, slots=True)
class Pass:
    """What stands in a code. Nothing of it is believed before `verify`."""

    sale_id: str
    step: int
    mac: str


def text_for(sale_id: str, location_id: int, step: int, key: bytes) -> str:
    """The pass of a sale for one step of time."""
    return f"{sale_id}.{step}.{_mac(sale_id, location_id, step, key)}"


def is_pass(text: str) -> bool:
    """Whether a scanned text has the shape of a pass, whoever made it."""
    return len(text) <= LONGEST and _PASS.search(text.upper()) is not None


def read(text: str) -> Pass:
    """The pass in a scanned text, be it the whole address or the pass alone. Raises PassInvalid."""
    found = _PASS.search(text.upper()) if len(text) <= LONGEST else None
    if found is None:
        raise PassInvalid("There is no pass in this code")
    return Pass(found[1], int(found[2]), found[3])


def verify(shown: Pass, location_id: int, at: datetime, key: bytes) -> None:
    """Whether this shop made the pass, for a sale of this location, for now.
    Raises PassInvalid, PassStale."""
    if not is_ours(shown, location_id, key):
        raise PassInvalid("The pass was not made by this shop")
    age_s = ticks.age_s(shown.step, at)
    if age_s is not None:
        raise PassStale("The code was made for another time", age_s=age_s)


def is_ours(shown: Pass, location_id: int, key: bytes) -> bool:
    """Whether this shop made the pass, for a sale of this location, whenever that was."""
    return ids.same(shown.mac, _mac(shown.sale_id, location_id, shown.step, key))


def _mac(sale_id: str, location_id: int, step: int, key: bytes) -> str:
    return ids.mac(key, "pass", sale_id, str(location_id), str(step), length=MAC_LENGTH)
