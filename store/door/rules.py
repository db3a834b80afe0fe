"""The rules of spot checks: who is looked at, how likely, and how. Open, and set by the owner.

A sale is decided by the rules of the moment at which it was paid, by an authentication code of the
sale's id: nobody at the door can choose whom, nobody can foresee it, and whoever decides again
decides the same. Pure functions, but for the two that read and add versions.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from .. import logbook
from ..db import connection, in_transaction
from ..errors import Invalid
from .models import ExitRules

WHOLE_BP = 10_000
MOST_PIECES = 99
MOST_DAYS = 730
MOST_MARKED = 200
SPELL = 5
"""So many letters of a sale's id name the spell of time whose dice are thrown alike."""

WHY = ("wary", "risk", "amount", "first", "random")
"""The rules in the order in which they are asked; the first that chooses the sale is named."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Chances are in hundredths of a percent of the sales that a rule is about.

    Every sale has `random_bp`; after so many checks in a row in which all was right, a member has
    `trusted_bp` instead, which is no more. Where something was missing within `wary_days`, the
    member has `wary_bp` besides, which is no less. Up to `sight_pieces` are looked at, of larger
    bags `rescan_pieces` are scanned."""

    random_bp: int = 0
    trusted_bp: int = 0
    trusted_after: int = 0
    wary_bp: int = 0
    wary_days: int = 180
    first_bp: int = 0
    amount_bp: int = 0
    amount_minor: int = 0
    risk_bp: int = 0
    risk_categories: tuple[int, ...] = ()
    risk_items: tuple[int, ...] = ()
    sight_pieces: int = 5
    rescan_pieces: int = 3

    def __post_init__(self) -> None:
        """Raises Invalid."""
        for name in ("random", "trusted", "wary", "first", "amount", "risk"):
            if not 0 <= getattr(self, f"{name}_bp") <= WHOLE_BP:
                raise Invalid("A chance is 0 to 100 percent", field=name)
        if self.trusted_after and self.trusted_bp > self.random_bp:
            raise Invalid("Who was right has no higher chance than others", field="trusted")
        if self.wary_bp and self.wary_bp < self.random_bp:
            raise Invalid("Who was wrong has no lower chance than others", field="wary")
        if not (0 <= self.sight_pieces <= MOST_PIECES and 1 <= self.rescan_pieces <= MOST_PIECES):
            raise Invalid(f"Pieces are 1 to {MOST_PIECES}", field="pieces")
        if len(self.risk_items) + len(self.risk_categories) > MOST_MARKED:
            raise Invalid(f"At most {MOST_MARKED} items and categories are marked", field="items")

    @property
    def hold(self) -> bool:
        """Whether anybody is looked at by them at all."""
        return any((self.random_bp, self.wary_bp, self.first_bp, self.amount_bp, self.risk_bp))


class Version(NamedTuple):
    """Rules as they were set."""

    id: int
    rules: Rules
    set_by: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules ask of a sale. `right_in_row` are the newest checks of this member in which
    all was right, one after another; `missed`: something was missing within `wary_days`."""

    total_minor: int
    pieces: int
    risky: bool = False
    newcomer: bool = False
    missed: bool = False
    right_in_row: int = 0


class Decision(NamedTuple):
    """Which rule chose the sale, by what chance, and what is to be done: "none", "sight" or
    "rescan" of `sample` pieces."""

    rule: str | None
    rate_bp: int
    kind: str
    sample: int = 0


def chances(rules: Rules, facts: Facts) -> list[tuple[str, int]]:
    """The rules that are about such a sale, with their chances, in the order of `WHY`."""
    trusted = 0 < rules.trusted_after <= facts.right_in_row
    about = {
        "wary": rules.wary_bp if facts.missed else 0,
        "risk": rules.risk_bp if facts.risky else 0,
        "amount": rules.amount_bp if facts.total_minor >= rules.amount_minor else 0,
        "first": rules.first_bp if facts.newcomer else 0,
        "random": rules.trusted_bp if trusted else rules.random_bp,
    }
    return [(rule, about[rule]) for rule in WHY if about[rule]]


def decide(rules: Rules, version: int, facts: Facts, sale_id: str, secret: bytes) -> Decision:
    """What is to be done with the bag of a sale. Each rule has a die of its own."""
    for rule, rate_bp in chances(rules, facts):
        if rolled(secret, sale_id, version, rule) * WHOLE_BP < rate_bp << 64:
            if facts.pieces <= rules.sight_pieces:
                return Decision(rule, rate_bp, "sight")
            return Decision(rule, rate_bp, "rescan", min(rules.rescan_pieces, facts.pieces))
    return Decision(None, 0, "none")


def rolled(secret: bytes, sale_id: str, version: int, rule: str) -> int:
    """The die of a rule for a sale: a number below 2 to the 64, the same whenever it is rolled."""
    die = die_of(secret, sale_id[:SPELL], version, rule)
    return int.from_bytes(hmac.digest(die, sale_id.encode(), "sha256")[:8])


def die_of(secret: bytes, spell: str, version: int, rule: str) -> bytes:
    """The key of a rule's die for the sales of a spell of time: all whose ids begin alike, which
    are those of 2 hours 20 minutes. An exit gets along those of its next hours, and no others."""
    message = "\x1f".join(("spot-check", spell, str(version), rule)).encode()
    return hmac.digest(secret, message, "sha256")


def in_force(at: datetime) -> Version | None:
    """The rules at a moment; None where none had been set."""
    found = versions(at, 1)
    return found[0] if found else None


def versions(until: datetime, limit: int = 12) -> list[Version]:
    """The newest versions, from a moment back."""
    query = (
        select(ExitRules.id, ExitRules.rules, ExitRules.set_by, ExitRules.at)
        .where(ExitRules.at <= until)
        .order_by(ExitRules.id.desc())
        .limit(limit)
    )
    return [
        Version(row.id, kept(row.rules), row.set_by, row.at) for row in connection().execute(query)
    ]


def kept(said: dict[str, object]) -> Rules:
    """Rules as they lie in the table."""
    return Rules(**{
        name: tuple(value) if isinstance(value, list) else value  # type: ignore[arg-type]
        for name, value in said.items()
    })  # fmt: skip


def set_rules(rules: Rules, *, by: int, at: datetime) -> None:
    """Joiner: these hold for what is paid from now on."""
    said = {
        name: list(value) if isinstance(value, Collection) else value
        for name, value in asdict(rules).items()
    }
    in_transaction().add(ExitRules(rules=said, set_by=by, at=at))
    logbook.note("exit_rules.set", "exit", after={"percent": rules.random_bp / 100})


__all__ = [
    "MOST_DAYS", "MOST_MARKED", "MOST_PIECES", "SPELL", "WHOLE_BP", "WHY", "Decision", "Facts",
    "Rules", "Version", "chances", "decide", "die_of", "in_force", "rolled", "set_rules",
    "versions",
]  # fmt: skip
