"""Deciding: what becomes of each line of a provider's file, from what our ledger says and what
other lines have settled. Nothing is written here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from ...db import connection, in_transaction
from ..models import Attempt
from . import postings
from .models import BOOKED, GONE, SettlementFile, SettlementLine
from .postings import Posting
from .terms import Agreed, all_terms

__all__ = ["Decision", "Desk"]

NEAR = timedelta(minutes=30)
"""A terminal's clock and the till's may differ by so much."""


@dataclass
class Decision:
    """What becomes of a line."""

    line: SettlementLine
    event: str
    problem: str = ""
    posting: Posting | None = None
    agreed_minor: int | None = None
    replaced: list[SettlementLine] = field(default_factory=list)


class Desk:
    """All that these lines need to know, read in a few statements; and who settles what, as it is
    decided line by line."""

    def __init__(
        self, means: str, currency: str, account: int, lines: Sequence[SettlementLine],
        zone: ZoneInfo,
    ) -> None:  # fmt: skip
        self.means, self.account, self.zone = means, account, zone
        self.terms: Agreed = all_terms(currency)[means]
        self.known = _known(means, lines)
        named = {(line.order_id, line.reference) for line in lines}
        self.postings = postings.of_orders(means, account, named)
        ids = {one.id for found in self.postings.values() for one in found}
        self.settled, self.fees = _settled(ids)
        self.layouts = _layouts({line.file_id for line in (*lines, *self.settled.values())})

    def decide(self, line: SettlementLine) -> Decision:
        earlier = self.known.get(line.key)
        replaced: list[SettlementLine] = []
        if earlier is not None and earlier.id != line.id:
            if _content(earlier) == _content(line):
                return Decision(line, "told_before")
            if earlier.file_id == line.file_id:
                return Decision(line, "differs", "told_twice")
            replaced.append(earlier)
            self._forget(earlier)
        decision = self._decide(line)
        decision.replaced = [*replaced, *decision.replaced]
        if decision.event in ("fits", "tells_nothing"):
            self.known[line.key] = line
        return decision

    def _decide(self, line: SettlementLine) -> Decision:
        if line.kind == "payout":
            return Decision(line, "tells_nothing")
        if line.kind == "fee":
            return self._fee(line)
        named = self._named(line)
        free = [one for one in named if self._is_free(one)]
        fitting = [one for one in free if one.amount_minor == line.gross_minor]
        if not fitting and not named and self.means == "card":
            fitting = self._by_amount(line)
        if fitting:
            return self._fits(line, fitting[0])
        told = [self.settled[one.id] for one in named if one.id in self.settled]
        same = [one for one in told if one.gross_minor == line.gross_minor]
        if same:
            return self._told(line, same[0])
        if free and len(free) == 1:
            return Decision(line, "differs", "other_amount", free[0])
        problem = "told_twice" if told else "unknown"
        if not named and _in_other_currency(self.means, line):
            problem = "other_currency"
        return Decision(line, "differs", problem)

    def _is_free(self, posting: Posting) -> bool:
        """No line settles it; or somebody wrote it off, and here it is told of all the same."""
        by = self.settled.get(posting.id)
        return by is None or (by.file_id is None and by.state == "accepted")

    def _named(self, line: SettlementLine) -> list[Posting]:
        """Postings that the line names, in its direction and of its kind."""
        names = (line.order_id, line.reference)
        found = next((self.postings[name] for name in names if name in self.postings), [])
        disputes = line.kind == "dispute"
        return [
            one for one in found
            if (one.amount_minor > 0) is (line.gross_minor > 0)
            and one.reason.startswith("dispute") is disputes
        ]  # fmt: skip

    def _by_amount(self, line: SettlementLine) -> list[Posting]:
        """The card payment of this amount nearest to this time; on this day, where the file tells
        no time."""
        if line.at is None:
            return []
        local = line.at.astimezone(self.zone)
        if local.time() == time():
            ends = (local, datetime.combine(local.date() + timedelta(1), time(), self.zone))
        else:
            ends = (local - NEAR, local + NEAR)
        since, until = (at.astimezone(UTC) for at in ends)
        found = postings.equal_card_payments(self.account, line.gross_minor, since, until)
        free = [one for one in found if one.id not in self.settled]
        at = line.at
        return sorted(free, key=lambda one: (abs(one.at - at), one.id))

    def _fits(self, line: SettlementLine, posting: Posting) -> Decision:
        agreed = self._agreed(posting)
        other = None not in (agreed, line.fee_minor) and agreed != line.fee_minor
        replaced = [self.settled[posting.id]] if posting.id in self.settled else []
        if line.fee_minor is not None:  # It tells more than fees that stand alone.
            replaced += self.fees.pop(posting.id, [])
        self.settled[posting.id] = line
        return Decision(
            line, "fits", "other_fee" if other else "", posting, agreed, replaced=replaced
        )

    def _agreed(self, posting: Posting) -> int | None:
        terms = self.terms.on(posting.at.astimezone(self.zone).date())
        if terms is None or posting.reason.startswith("dispute"):
            return None
        return terms.fee_of(posting.amount_minor)

    def _told(self, line: SettlementLine, by: SettlementLine) -> Decision:
        """Another line settles this already: in a file of another kind of the same provider it is
        told again; who tells of the fee, too, tells more."""
        if self.layouts.get(line.file_id) == self.layouts.get(by.file_id):
            return Decision(line, "differs", "told_twice")
        if line.fee_minor is None or line.fee_minor == by.fee_minor:
            return Decision(line, "told_before")
        if by.fee_minor is not None:
            return Decision(line, "differs", "other_fee")
        posting = next(one for one in self._named(line) if one.id == by.transfer_id)
        return self._fits(line, posting)

    def _fee(self, line: SettlementLine) -> Decision:
        """A fee that stands alone: of a payment that its number names, or of none at all."""
        back = (line.fee_minor or 0) < 0
        names = (line.order_id, line.reference)
        found = next((self.postings[name] for name in names if name in self.postings), [])
        for posting in found:
            if (posting.amount_minor < 0) is not back or posting.reason.startswith("dispute"):
                continue
            by = self.settled.get(posting.id)
            if by is not None and by.fee_minor is not None:
                same = by.fee_minor == line.fee_minor
                return Decision(line, "told_before" if same else "differs",
                                 "" if same else "other_fee")  # fmt: skip
            if posting.id in self.fees:
                continue
            agreed = self._agreed(posting)
            self.fees[posting.id] = [line]
            other = agreed is not None and agreed != line.fee_minor
            return Decision(line, "fits", "other_fee" if other else "", posting, agreed)
        if found:
            return Decision(line, "differs", "told_twice")
        if line.order_id:
            return Decision(line, "differs", "unknown")
        return Decision(line, "fits")

    def _forget(self, line: SettlementLine) -> None:
        """What this line settles is free again."""
        if line.transfer_id is None:
            return
        if line.kind == "fee":
            self.fees.pop(line.transfer_id, None)
        elif self.settled.get(line.transfer_id) is line:
            self.settled.pop(line.transfer_id)


def _content(line: SettlementLine) -> tuple[object, ...]:
    return (line.kind, line.gross_minor, line.fee_minor, line.currency, line.order_id)


def _known(means: str, lines: Sequence[SettlementLine]) -> dict[str, SettlementLine]:
    """The lines that stand for these keys; of those that are still open the newest."""
    query = select(SettlementLine).where(
        SettlementLine.means == means, SettlementLine.key.in_({line.key for line in lines}),
        SettlementLine.state.notin_(GONE), SettlementLine.id.notin_({line.id for line in lines}),
    )  # fmt: skip
    found = in_transaction().scalars(query.order_by(SettlementLine.id)).all()
    # What is decided stands before what is open.
    return {line.key: line for line in sorted(found, key=lambda one: one.state != "open")}


def _in_other_currency(means: str, line: SettlementLine) -> bool:
    query = select(Attempt.id).where(
        Attempt.id == line.order_id, Attempt.gateway == means, Attempt.currency != line.currency
    )
    return in_transaction().scalar(query) is not None


def _settled(
    ids: set[int],
) -> tuple[dict[int, SettlementLine], dict[int, list[SettlementLine]]]:
    """By posting: the line that settles it, and the fees of it that stand alone."""
    query = select(SettlementLine).where(
        SettlementLine.transfer_id.in_(ids), SettlementLine.state.in_(BOOKED)
    )
    lines: dict[int, SettlementLine] = {}
    fees: dict[int, list[SettlementLine]] = {}
    for line in in_transaction().scalars(query):
        assert line.transfer_id is not None
        if line.kind == "fee":
            fees.setdefault(line.transfer_id, []).append(line)
        else:
            lines[line.transfer_id] = line
    return lines, fees


def _layouts(files: set[str | None]) -> dict[str | None, str]:
    query = select(SettlementFile.id, SettlementFile.layout)
    rows = connection().execute(query.where(SettlementFile.id.in_([one for one in files if one])))
    return {row[0]: row[1] for row in rows}
