"""The exit without a network: what it takes along while there is one, and how what it tells later
is read.

It takes the public key of the passes, the passes that were used or paid back in the last hours, the
rules with the dice of the next hours (by chance and by amount: what the others ask, only the shop
knows), and a ticket that says in whose name it checks where, from when on. What a browser tells is
a claim like any other: whose and where stands in the ticket, which only the shop can have made.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select

from .. import ids, sales, web
from ..catalogue import OLDEST
from ..db import connection
from ..errors import Invalid
from . import passes, rules, signing
from .checks import OLD_AFTER
from .models import PassUse

MOST_TOLD = 50
MOST_KNOWN = 20_000
OFFLINE_RULES = ("amount", "random")
OUTCOMES = (
    "accepted", "looked", "looked_refused", "pass_used", "pass_refunded", "pass_elsewhere",
    "pass_stale", "pass_old", "pass_invalid", "age_refused",
)  # fmt: skip
LEFT = ("accepted", "looked")
"""Outcomes after which the goods are gone."""

_TICKET = re.compile(r"([1-9]\d{0,14})\.([1-9]\d{0,14})\.([1-9]\d{0,12})\.[0-9A-Z]{26}\Z", re.ASCII)
_NAME = re.compile(r"[0-9a-f]{32}\Z")


class Ticket(NamedTuple):
    """Who checks, where, and since which millisecond the exit knows no more."""

    staff_id: int
    location_id: int
    millisecond: int

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.millisecond / 1000, UTC)

    def signed(self, secret: bytes) -> str:
        said = f"{self.staff_id}.{self.location_id}.{self.millisecond}"
        return f"{said}.{ids.mac(secret, 'exit-away', said, length=26)}"


class Told(NamedTuple):
    """A check as the exit tells it; `ahead` is how far its clock is ahead of the shop's."""

    scanner: str
    key: str
    ticket: Ticket
    text: str
    outcome: str
    at: datetime
    ahead: timedelta
    age: tuple[int, str] | None = None
    """About which age somebody was asked, and "yes" or "no"."""


def kit(
    ticket: Ticket, now: datetime, since: datetime | None, minutes: int, secret: bytes
) -> dict[str, Any]:
    """What an exit takes along. `since` is the moment of what it has already; None is all of the
    last hours. Moments are milliseconds since 1970."""
    until = now + timedelta(minutes=minutes)
    oldest = now - OLD_AFTER
    return {
        "now": _milliseconds(now), "until": _milliseconds(until),
        "ticket": ticket.signed(secret), "key": signing.public(secret),
        "old_s": int(OLD_AFTER.total_seconds()), "place": ticket.location_id,
        "zone": web.setting("TIME_ZONE"),
        "rules": _rules(now, until, secret), "used": _used(oldest, since or oldest),
        "refunded": sales.paid_back(oldest, MOST_KNOWN),
    }  # fmt: skip


def _rules(now: datetime, until: datetime, secret: bytes) -> list[dict[str, Any]]:
    """The versions by which sales are decided that may come until then, the newest first."""
    found = []
    for version in rules.versions(now):
        held = version.rules
        found.append({
            "id": version.id, "from": _milliseconds(version.at), "sight": held.sight_pieces,
            "amount_bp": held.amount_bp, "amount_minor": held.amount_minor,
            "random_bp": held.random_bp,
            "dice": {spell: {rule: rules.die_of(secret, spell, version.id, rule).hex()
                             for rule in OFFLINE_RULES} for spell in _spells(now, until)},
        })  # fmt: skip
        if version.at <= now - OLD_AFTER:
            break
    return found


def _spells(now: datetime, until: datetime) -> list[str]:
    """The spells of time whose sales may still leave, by the letters their ids begin with."""
    first, last = (_spell(at) for at in (now - OLD_AFTER, until))
    return [ids.encode(at, rules.SPELL) for at in range(first, last + 1)]


def _spell(at: datetime) -> int:
    return _milliseconds(at) << 2 >> 5 * (10 - rules.SPELL)


def _used(oldest: datetime, since: datetime) -> list[str]:
    """Passes that were used since then, of sales that are not too old to leave."""
    query = select(PassUse.sale_id).where(
        PassUse.sale_id >= ids.first_at(oldest), PassUse.used_at >= since
    )
    return list(connection().execute(query.limit(MOST_KNOWN)).scalars())


# What is told


def read(told: Any, scanner: str, ahead: timedelta, secret: bytes) -> Told:
    """A check as a browser tells it: `id`, `ticket`, `text`, `outcome` and `at` (milliseconds);
    `age` where somebody was asked for it. Raises Invalid."""
    if not isinstance(told, dict):
        raise Invalid("A check is an object", field="checks")
    key, text, at = told.get("id"), told.get("text"), told.get("at")
    if not isinstance(key, str) or not _NAME.match(key):
        raise Invalid("id must be 32 hexadecimal digits", field="id")
    if not isinstance(text, str) or not 1 <= len(text) <= passes.LONGEST:
        raise Invalid(f"text must have 1 to {passes.LONGEST} characters", field="text")
    if told.get("outcome") not in OUTCOMES:
        raise Invalid(f"outcome must be one of {', '.join(OUTCOMES)}", field="outcome")
    moment = milliseconds(at, "at")
    ticket = read_ticket(told.get("ticket"), secret)
    age = _age(told["age"]) if "age" in told else None
    return Told(scanner, key, ticket, text, told["outcome"], moment, ahead, age)


def _age(said: Any) -> tuple[int, str]:
    least = said.get("least") if isinstance(said, dict) else None
    if isinstance(least, bool) or not isinstance(least, int) or not 1 <= least <= OLDEST:
        raise Invalid("age says least, in years, and answer", field="age")
    if said.get("answer") not in ("yes", "no"):
        raise Invalid("answer must be yes or no", field="age")
    return least, said["answer"]


def read_ticket(text: object, secret: bytes) -> Ticket:
    """Raises Invalid for one that this shop has not made."""
    match = _TICKET.match(text) if isinstance(text, str) else None
    if match is None:
        raise Invalid("This is no ticket of an exit", field="ticket")
    ticket = Ticket(*(int(each) for each in match.groups()))
    if not ids.same(ticket.signed(secret), str(text)):
        raise Invalid("This is no ticket of an exit", field="ticket")
    return ticket


def read_scanner(name: object) -> str:
    if not isinstance(name, str) or not _NAME.match(name):
        raise Invalid("scanner must be 32 hexadecimal digits", field="scanner")
    return name


def milliseconds(value: object, name: str) -> datetime:
    """A moment in milliseconds since 1970, in this century. Raises Invalid."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 4_102_444_800_000:
        raise Invalid(f"{name} must be milliseconds since 1970", field=name)
    return datetime.fromtimestamp(value / 1000, UTC)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
