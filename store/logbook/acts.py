"""Acts: writing down what staff did. The views say who acts, the act itself says what it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click
from sqlalchemy import insert

from .. import clock, ids
from ..db import in_transaction, repeatable, transaction
from .models import Act

__all__ = ["VERBS", "acting", "done_at", "listed", "note", "seen", "told_late"]

# What can be done, and to what kind of thing. The codes are permanent: the log keeps them.
VERBS: dict[str, str] = {
    "item.added": "item", "item.changed": "item", "item.archived": "item",
    "item.brought_back": "item", "items.imported": "item", "price.set": "item", "cost.set": "item",
    "group.added": "group", "group.changed": "group", "variant.put_in": "group",
    "variant.taken_out": "group", "deposit.added": "deposit",
    "goods.received": "item", "stock.counted": "item", "goods.written_off": "item",
    "goods.moved": "item",
    "batch.called_back": "batch", "batch.sold_again": "batch", "quarantine.decided": "item",
    "transfer.sent": "slip", "transfer.arrived": "slip", "delivery.booked": "slip",
    "count.approved": "slip", "purchase.sent": "slip", "purchase.closed": "slip",
    "labels.printed": "print_job", "labels.handed_over": "print_job",
    "labels.stopped": "print_job", "labels.discarded": "print_job", "label.revoked": "label",
    "label.seen_to": "bad_sticker", "labels.asked_about": "list",
    "walk.begun": "walk", "walk.ended": "walk",
    "refund.asked": "refund_request", "refund.approved": "refund_request",
    "refund.refused": "refund_request", "refund.withdrawn": "refund_request",
    "refund.made": "sale", "return.received": "sale", "return.cancelled": "return",
    "order.cancelled": "sale",
    "points.set": "rule", "tiers.set": "rule", "markdown.set": "rule", "return_rule.set": "rule",
    "check.passed": "sale", "check.asked": "sale", "check.refused": "sale",
    "exit_rules.set": "rule",
    "age.checked": "sale", "age.refused": "sale",
    "exit.flag_seen": "sale",
    "till.opened": "till_day", "till.cash_moved": "till_day", "till.counted": "till_day",
    "till.closed": "till_day", "courier.counted": "member",
    "complaint.decided": "sale", "complaint.answered": "dispute",
    "offer.added": "offer", "offer.ended": "offer", "coupons.added": "offer",
    "segment.added": "segment", "segment.ended": "segment",
    "campaign.added": "campaign", "campaign.changed": "campaign", "campaign.started": "campaign",
    "campaign.paused": "campaign", "campaign.resumed": "campaign", "campaign.ended": "campaign",
    "campaign.dropped": "campaign",
    "zone.added": "zone", "zone.removed": "zone", "rate.set": "zone", "rate.removed": "zone",
    "place.added": "place", "place.described": "place", "weights.set": "rule",
    "settings.changed": "settings",
    "seller.added": "seller", "seller.changed": "seller", "seller.closed": "seller",
    "seller.opened": "seller", "contract.begun": "seller", "seller.settled": "seller",
    "payout.paid": "settlement", "payout.failed": "settlement",
    "terms.set": "means", "settlement.taken": "settlement_file",
    "difference.accepted": "settlement_line", "payment.written_off": "transfer",
    "card.given": "member", "card.ended": "member", "cards.listed": "cards",
    "account.topped_up": "member", "account.paid_out": "member",
    "feed.applied": "feed_entry", "feed.dismissed": "feed_entry",
    "webhook.added": "webhook", "webhook.switched": "webhook", "webhook.ended": "webhook",
    "webhook.replayed": "webhook",
    "person.added": "member", "role.set": "member", "rights.set": "member",
    "person.closed": "member",
    "person.opened": "member", "person.erased": "member", "person.merged": "member",
    "password.reset": "member", "second.reset": "member",
    "token.issued": "member", "person.seen": "member", "persons.listed": "list",
}  # fmt: skip


class _Actor:
    """Whoever acts now, and the request by which they do, named when something is written."""

    def __init__(self, member_id: int | None, via: str, request: str = "") -> None:
        self.member_id, self.via, self._request = member_id, via, request

    @property
    def request(self) -> str:
        self._request = self._request or ids.new()
        return self._request


_actor: ContextVar[_Actor | None] = ContextVar("actor", default=None)
_done_at: ContextVar[datetime | None] = ContextVar("done_at", default=None)


@contextmanager
def acting(member_id: int, via: str) -> Iterator[None]:
    """What is noted inside is this member's act, who came by a `page` or with a `key`."""
    token = _actor.set(_Actor(member_id, via))
    try:
        yield
    finally:
        _actor.reset(token)


@contextmanager
def told_late(at: datetime | None) -> Iterator[None]:
    """What is noted inside was done at this moment and is told only now; None: it is done now."""
    token = _done_at.set(at)
    try:
        yield
    finally:
        _done_at.reset(token)


def done_at() -> datetime | None:
    """When what is told now was done; None where it is done now."""
    return _done_at.get()


def note(
    verb: str, of: object, *, place_id: int | None = None,
    before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Joiner: write down that this was done to the thing with this id. Where both sides are told,
    what is the same on both is left out; where all is the same, nothing was done and nothing is
    written. What no member of staff and no command did is nobody's act, and is not written.

    Neither side may name a person: an account's number is all that is kept of one.
    """
    kind, actor = VERBS[verb], _actor.get() or _command()
    session = in_transaction()
    if actor is None:
        return
    said_before, said_after = _plain(before), _plain(after)
    if said_before is not None and said_after is not None:
        same = {key for key, value in said_after.items() if said_before.get(key, ...) == value}
        said_before = {key: value for key, value in said_before.items() if key not in same}
        said_after = {key: value for key, value in said_after.items() if key not in same}
        if not said_before and not said_after:
            return
    row = {
        "at": clock.now(), "member_id": actor.member_id, "via": actor.via,
        "request": actor.request, "verb": verb, "kind": kind, "object": str(of)[:64],
        "place_id": place_id, "before": said_before, "after": said_after,
        "done_at": done_at(),
    }  # fmt: skip
    session.connection().execute(insert(Act), [row])


@repeatable
def seen(member_id: int | None, page: str) -> None:
    """Opener: somebody of the staff looks at what is known of this person; None is nobody. Called
    before anything of it is shown, so that nothing is seen without a trace."""
    if member_id is not None and _actor.get() is not None:
        with transaction():
            note("person.seen", member_id, after={"page": page})


@repeatable
def listed(what: str, **asked: Any) -> None:
    """Opener: somebody of the staff gets a list in which persons are named."""
    with transaction():
        note("persons.listed", what, after=asked or None)


def _command() -> _Actor | None:
    """The command that runs, if one does: `flask stock receive` is `stock receive`."""
    context = click.get_current_context(silent=True)
    if context is None:
        return None
    words = context.command_path.split(" ")[1:] or [context.command_path]
    return _Actor(None, "command", " ".join(words)[:64])


def _plain(side: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if side is None else {key: _plain_value(value) for key, value in side.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain_value(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_value(each) for each in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    return value
