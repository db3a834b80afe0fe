"""Files of sellers: headings that never change, plain decimals, and no cell that a spreadsheet
would take for a formula."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from .. import money, web
from ..spreadsheets import guarded, written
from .figures import Entry, Listed

__all__ = ["of_entries", "of_sellers"]


def of_entries(entries: Iterable[Entry], language: str) -> Iterator[str]:
    """The lines of a settlement: sales, and what of them came back."""
    where = ZoneInfo(web.setting("TIME_ZONE"))
    yield from written(
        ("at", "sale", "refund", "item", "name", "quantity", "total", "commission", "fee", "share",
         "currency"),
        (
            [one.at.astimezone(where).isoformat(timespec="seconds"), one.sale_id, one.refund_id,
             guarded(one.item_code), guarded(web.in_language(one.names, language)), one.quantity,
             *(money.text(amount, one.currency) for amount in (
                 one.total_minor, one.commission_minor, one.fee_minor, one.share_minor)),
             one.currency]
            for one in entries
        ),
    )  # fmt: skip


def of_sellers(rows: Iterable[Listed], currency: str) -> Iterator[str]:
    """Sellers with what was sold for them, and what they are owed."""
    yield from written(
        ("code", "name_en", "name_zh", "items", "pieces", "sold", "returned", "commission", "fee",
         "share", "owed", "to_be_paid_out", "currency"),
        (
            [guarded(row.seller.code), guarded(row.seller.names.get("en", "")),
             guarded(row.seller.names.get("zh", "")), row.items, row.sums.pieces,
             *(money.text(amount, currency) for amount in (
                 *row.sums[1:], row.owed_minor, row.due_minor)),
             currency]
            for row in rows
        ),
    )  # fmt: skip
