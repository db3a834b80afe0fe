"""Costing of what was sold, before it is summed up: in the same commit as the sums.

The house's goods cost what was known when they were sold. Of a seller's goods the shop keeps the
commission and the fee; the rest of what they brought is what they cost it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from ... import catalogue, outbox
from ...catalogue.costs import has_costs
from ...prepared import Many, Prepared, one_of
from ...sales import costing
from ...sales.costing import Costed
from ...sales.models import Refund
from ...sellers import shares as booked_before
from ...sellers.models import Share
from ..events import PAID

__all__ = ["book"]

# The shares of sellers are booked by the same events: handlers run in the order in which they
# register, and an import that is named here is one that nobody takes away.
BEFORE = booked_before.on_events

_shares = Prepared(
    lambda dialect: select(
        Share.sale_id, Share.refund_id, Share.position, Share.item_id, Share.seller_id,
        Share.total_minor, Share.commission_minor, Share.fee_minor,
    ).where(one_of(Share.sale_id, "sales", dialect))
)  # fmt: skip
_waiting_of = Prepared(
    lambda dialect: (
        select(Refund.sale_id)
        .join(outbox.Outbox, outbox.Outbox.subject == Refund.sale_id)
        .where(one_of(Refund.id, "refunds", dialect), outbox.Outbox.topic == PAID)
    )
)
_sales_of = Prepared(
    lambda dialect: select(Refund.sale_id).where(one_of(Refund.id, "refunds", dialect))
)


def book(paid: Sequence[str], refunded: Sequence[str]) -> None:
    """Joiner: cost the lines of these sales and refunds, as far as it is known what they cost. A
    refund may come before its sale's own event; then its sale is costed now. A sale whose event is
    done is never costed again: its sums would not know."""
    sellers = catalogue.has_sellers()
    if not sellers and not has_costs():
        return
    early = {row[0] for row in _waiting_of.all(refunds=Many(refunded))} if refunded else set()
    _book_sales({*paid, *early}, sellers=sellers)
    if refunded:
        _book_refunds(refunded, sellers=sellers)


def _book_sales(sale_ids: Iterable[str], *, sellers: bool) -> None:
    ids = set(sale_ids)
    shared: dict[tuple[str, int], list[Any]] = {}
    for row in _shares.all(sales=Many(ids)) if sellers else ():
        if not row.refund_id:
            shared.setdefault((row.sale_id, row.position), []).append(row)
    found = {}
    for line in costing.costed(ids):
        shares = shared.get((line.sale_id, line.position))
        cost = _of_shares(line, shares) if shares else line.cost_minor
        if cost is not None:
            found[line.sale_id, line.position] = cost
    costing.keep_costs(found)


def _of_shares(line: Costed, shares: Sequence[Any]) -> int | None:
    """What a line with goods of sellers costs: of theirs, what they get without the tax; of the
    house's parts of a bundle, their own cost."""
    own, cost, net_left, total_left = dict(line.parts), 0, line.net_minor, line.total_minor
    for row in shares:
        # The tax of a line lies on its parts by what they brought; the last one has the rest.
        net = net_left * row.total_minor // total_left if total_left else 0
        net_left, total_left = net_left - net, total_left - row.total_minor
        part = own.get(row.item_id) if row.seller_id is None else net - _kept(row)
        if part is None:
            return None
        cost += part
    return cost


def _kept(row: Any) -> int:
    return int(row.commission_minor + row.fee_minor)


def _book_refunds(refund_ids: Sequence[str], *, sellers: bool) -> None:
    back = _sellers_back(refund_ids) if sellers else {}
    found = {}
    for line in costing.given_back(refund_ids):
        key = (line.refund_id, line.position)
        found[key] = line.net_minor - back[key] if key in back else line.cost_minor
    costing.keep_back(found)


def _sellers_back(refund_ids: Sequence[str]) -> dict[tuple[str, int], int]:
    """What of the commission came back, by the contract, with lines that are all of a seller's."""
    of = {row[0] for row in _sales_of.all(refunds=Many(refund_ids))}
    rows = [row for row in _shares.all(sales=Many(of)) if row.refund_id]
    mixed = {(row.refund_id, row.position) for row in rows if row.seller_id is None}
    back: dict[tuple[str, int], int] = {}
    for row in rows:
        key = (row.refund_id, row.position)
        if key not in mixed:
            back[key] = back.get(key, 0) - _kept(row)
    return back
