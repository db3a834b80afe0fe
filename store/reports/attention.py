"""What waits for the owner: everything that a person must decide, how many of it, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, column, func, select, table

from ..labels.models import BadSticker
from ..payment.bank.models import BankEntry
from ..payment.costs.differences import differing
from ..payment.escrow_models import Complaint
from ..payment.models import Dispute
from ..sales.refunds.approval_models import RefundRequest
from ..stock.models import Location
from ..stock.work_models import Task
from .stock.flow_models import OrderCount

__all__ = ["Waiting", "waiting"]

_MOST = 1000
"""So many of each are counted; more are as good as these."""


class Waiting(NamedTuple):
    """So many of a kind wait; at least so many, where it is `_MOST`. `endpoint` with `arguments` is
    the page that lists them; what waits at one place is listed there (`place_name`)."""

    kind: str
    count: int  # type: ignore[assignment]  # It hides tuple.count, which nobody asks this for.
    endpoint: str
    arguments: dict[str, str]
    place_name: str = ""


# The feeds' room stands beside this one: its table is read by name.
_entries = table("feed_entries", column("id"), column("state"))

# kind, the page that lists it, what it takes to open that, what is counted
_KINDS: tuple[tuple[str, str, str, Select[Any]], ...] = (
    ("disputes", "payment.gateways", "connect_systems",
     select(Dispute.id).where(Dispute.state == "open")),
    ("complaints", "sales.held", "see_sales",
     select(Complaint.sale_id).where(Complaint.decided_at.is_(None))),
    ("refunds", "sales.refund_requests", "refund",
     select(RefundRequest.id).where(RefundRequest.state == "waiting")),
    ("differences", "payment.settlement_differences", "see_sales",
     select(differing().subquery().c.id)),
    ("transfers", "payment.bank", "see_sales",
     select(BankEntry.id).where(BankEntry.state == "open")),
    ("conflicts", "integration.feeds", "receive_stock",
     select(_entries.c.id).where(_entries.c.state == "conflict")),
)  # fmt: skip

_AT_PLACES: tuple[tuple[str, str, str, Any, Any], ...] = (
    ("stickers", "labels.bad", "print_labels", BadSticker, BadSticker.ended_at),
    ("tasks", "stock.tasks", "receive_stock", Task, Task.closed_at),
)


def waiting(connection: Connection, may: Callable[[str], bool]) -> list[Waiting]:
    """What waits, of the kinds whose pages somebody may open; the most urgent first, and nothing of
    which there is none."""
    return [*_everywhere(connection, may), *_at_places(connection, may)]


def _everywhere(connection: Connection, may: Callable[[str], bool]) -> Iterator[Waiting]:
    for kind, endpoint, permission, query in _KINDS:
        if may(permission):
            some = query.limit(_MOST).subquery()
            count = connection.scalar(select(func.count()).select_from(some))
            if count:
                yield Waiting(kind, count, endpoint, {})
    if may("see_costs") and (items := connection.scalar(select(OrderCount.items))):
        yield Waiting("orders", items, "reports.stock_list", {"kind": "reorder"})


def _at_places(connection: Connection, may: Callable[[str], bool]) -> Iterator[Waiting]:
    for kind, endpoint, permission, model, ended_at in _AT_PLACES:
        if may(permission):
            many = func.count(model.id)
            query = (
                select(Location.code, Location.name, many)
                .join(model, model.location_id == Location.id)
                .where(ended_at.is_(None))
                .group_by(Location.code, Location.name)
                .order_by(many.desc(), Location.code)
            )
            for code, name, count in connection.execute(query):
                yield Waiting(kind, count, endpoint, {"at": code}, name)
