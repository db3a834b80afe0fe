"""Feeds in: what other systems say, entry by entry, each taken once or listed with its reason.

A delivery is taken in the order of the senders' own times. An entry that was taken is known by its
id and does nothing again; what stands in doubt is never taken silently, a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update

from .. import clock, stock
from ..db import in_transaction, insert_new
from ..errors import Invalid
from .goods_entries import judge_goods
from .models import FeedEntry, FeedSource
from .reading import Entry, Verdict
from .stock_entries import StockBook

__all__ = ["MOST_ENTRIES", "Outcome", "take"]

MOST_ENTRIES = 500
"""So many entries are one delivery: one transaction, which others wait for."""


class Outcome(NamedTuple):
    """The answer to a sender. `state` is one of models.STATES, or `repeated`."""

    id: str
    state: str
    code: str
    reason: str


@dataclass
class _Case:
    """An entry that is to be judged: new, or in the list since an earlier delivery."""

    entry: Entry
    version: int
    row_id: int | None = None
    verdict: Verdict | None = None


class _Earlier(NamedTuple):
    id: int
    entry: str
    version: int
    digest: str
    state: str
    code: str
    reason: str


def take(source: str, entries: Sequence[Entry], member_id: int | None) -> list[Outcome]:
    """Joiner: take a delivery; one outcome for each entry, in their order. Raises Invalid where the
    source has no name or the delivery is too large; never because of an entry."""
    if len(entries) > MOST_ENTRIES:
        raise Invalid(f"A delivery has at most {MOST_ENTRIES} entries", field="entries")
    at = clock.now()
    source_ = _source_id(source, at)
    earlier = _earlier(source_, {entry.id for entry in entries})
    cases: list[_Case] = []
    seen: dict[str, _Case] = {}
    answers: list[Outcome | _Case] = []
    for entry in entries:
        answer = _known(entry, earlier.setdefault(entry.id, []), seen)
        if isinstance(answer, _Case) and answer not in cases:
            cases.append(answer)
        answers.append(answer)
    _judge([case for case in cases if case.verdict is None], source, member_id)
    _write(source_, cases, earlier, at)
    _ask_somebody(source, cases)
    return [
        answer if isinstance(answer, Outcome) else _outcome(answer, answers[:place])
        for place, answer in enumerate(answers)
    ]


def _source_id(name: str, at: datetime) -> int:
    """Joiner: the source by its name, made where it is new, and locked."""
    session, name = in_transaction(), name.strip()
    if not 1 <= len(name) <= 40 or not name.isprintable():
        raise Invalid("A source's name has 1 to 40 characters", field="source")
    session.connection().execute(insert_new(FeedSource), [{"name": name, "heard_at": at}])
    session.execute(update(FeedSource).where(FeedSource.name == name).values(heard_at=at))
    return int(session.scalar(select(FeedSource.id).where(FeedSource.name == name)) or 0)


def _judge(cases: Sequence[_Case], source: str, member_id: int | None) -> None:
    """Joiner: judge these in the order of their times, and do what is accepted."""
    due = sorted(cases, key=lambda case: case.entry.said_at or clock.now())
    book = StockBook.open([case.entry for case in due], source, member_id)
    for case in due:
        case.verdict = _refused_or_doubted(case.entry)
        if case.verdict is None:
            of_stock = case.entry.kind in ("count", "change")
            case.verdict = (
                book.judge(case.entry) if of_stock else judge_goods(case.entry, member_id)
            )
    book.close()


def _refused_or_doubted(entry: Entry) -> Verdict | None:
    if entry.code:
        return Verdict("refused", entry.code, entry.reason)
    if entry.doubt:
        return Verdict("conflict", *entry.doubt)
    if entry.ahead:
        reason = f"The sender's clock says {entry.said_at:%Y-%m-%d %H:%M} UTC: that is to come"
        return Verdict("conflict", "clock_ahead", reason)
    return None


def _known(entry: Entry, versions: list[_Earlier], seen: dict[str, _Case]) -> Outcome | _Case:
    """What is known of this entry before it is judged: it may be a repeat, or a changed one."""
    twin = seen.get(entry.id)
    if twin is not None and twin.entry.digest == entry.digest:
        return twin
    same = next((one for one in versions if one.digest == entry.digest), None)
    if same is not None and same.state in ("applied", "dismissed"):
        if same.state == "applied":
            return Outcome(entry.id, "repeated", "", "")
        return Outcome(entry.id, same.state, same.code, same.reason)
    newest = max((one.version for one in versions), default=0)
    case = _Case(entry, same.version if same else newest + 1, same.id if same else None)
    if twin is not None or any(one.state in ("applied", "dismissed") for one in versions):
        reason = "This id was used before, with other contents"
        case.verdict = Verdict("conflict", "entry_changed", reason)
        if twin is not None and same is None:
            case.version = max(case.version, twin.version + 1)
    seen.setdefault(entry.id, case)
    return case


def _outcome(case: _Case, before: Sequence[Outcome | _Case]) -> Outcome:
    assert case.verdict is not None
    state = case.verdict.state
    if state == "applied" and case in before:
        state = "repeated"
    return Outcome(case.entry.id, state, case.verdict.code, case.verdict.reason)


def _earlier(source_: int, names: Iterable[str]) -> dict[str, list[_Earlier]]:
    found: dict[str, list[_Earlier]] = {}
    query = select(
        FeedEntry.id, FeedEntry.entry, FeedEntry.version, FeedEntry.digest, FeedEntry.state,
        FeedEntry.code, FeedEntry.reason,
    ).where(FeedEntry.source_id == source_, FeedEntry.entry.in_(sorted(names)))  # fmt: skip
    for row in in_transaction().execute(query):
        found.setdefault(row.entry, []).append(_Earlier(*row))
    return found


def _write(
    source_: int, cases: Sequence[_Case], earlier: dict[str, list[_Earlier]], at: datetime
) -> None:
    session = in_transaction()
    overtaken = [
        one.id
        for case in cases
        if case.verdict and case.verdict.code != "entry_changed"
        for one in earlier.get(case.entry.id, ())
        if one.id != case.row_id and one.state in ("conflict", "refused")
    ]
    if overtaken:
        session.execute(
            update(FeedEntry).where(FeedEntry.id.in_(overtaken)).values(state="replaced")
        )
    new = [case for case in cases if case.row_id is None]
    if new:
        rows = [_row(source_, case, at) for case in new]
        session.connection().execute(insert(FeedEntry), rows)
    for case in cases:
        if case.row_id is not None and case.verdict is not None:
            verdict = case.verdict
            session.execute(
                update(FeedEntry)
                .where(FeedEntry.id == case.row_id)
                .values(
                    state=verdict.state, code=verdict.code, reason=verdict.reason,
                    item_id=verdict.item_id, location_id=verdict.location_id,
                )
            )  # fmt: skip


def _ask_somebody(source: str, cases: Sequence[_Case]) -> None:
    """A task for each place and item that an entry in doubt is about."""
    asked = set()
    for case in cases:
        verdict = case.verdict
        if verdict is None or verdict.state != "conflict" or verdict.location_id is None:
            continue
        place = (verdict.location_id, verdict.item_id)
        if case.row_id is None and place not in asked:
            asked.add(place)
            stock.open_task("feed_conflict", *place, note=f"{source}: {case.entry.id}")


def _row(source_: int, case: _Case, at: datetime) -> dict[str, Any]:
    entry, verdict = case.entry, case.verdict
    assert verdict is not None
    return {
        "source_id": source_, "entry": entry.id, "version": case.version, "kind": entry.kind,
        "digest": entry.digest, "contents": entry.contents, "item_id": verdict.item_id,
        "location_id": verdict.location_id, "said_at": entry.said_at, "state": verdict.state,
        "code": verdict.code, "reason": verdict.reason[:300], "received_at": at,
        "settled_at": None, "settled_by": None,
    }  # fmt: skip
