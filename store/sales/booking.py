"""Booking: what was decided is written in a handful of set-based statements, or not at all.

    accounts debited, transfers            locked in order of member
    sales, lines, outbox rows              one row each
    movements, levels                      last, in order of item: the rows most fought over

The guards in these statements, and the CHECKs behind them, decide in the end.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert

from .. import logbook, membership, outbox, payment, stock
from ..prepared import Prepared
from .ages.ages import age_of, wrote
from .deciding import Accepted, Till
from .goods import Parts, deposit_rows, leaving
from .models import Sale, SaleLine
from .offers import off_rows
from .rounding import of_sale


class Overtaken(Exception):
    """Another process changed a balance, a level or a key between our reading and writing."""


_insert_sales = Prepared(
    lambda dialect: insert(Sale),
    (
        "id", "member_id", "key", "contents", "location_id", "channel", "means", "state",
        "currency", "total_minor", "tax_minor", "account_minor", "rounding_minor", "sold_by",
        "guest_id", "created_at",
    ),
)  # fmt: skip
_insert_lines = Prepared(
    lambda dialect: insert(SaleLine),
    (
        "sale_id", "position", "item_id", "names", "quantity", "unit_minor", "total_minor",
        "tax_minor", "tax_rate_bp", "label_id", "off_minor", "least_age",
    ),
)  # fmt: skip

_insert_deposits = Prepared(
    lambda dialect: insert(SaleLine),
    (
        "sale_id", "position", "item_id", "names", "quantity", "unit_minor", "total_minor",
        "tax_minor", "tax_rate_bp", "label_id", "kind", "of_position",
    ),
)  # fmt: skip


def write(till: Till) -> None:
    """Write the accepted buys. Raises Overtaken when a guard says that things changed."""
    accepted, at = till.accepted, till.at
    for currency, accounts in till.accounts.items():
        payments = [
            paid
            for sale in accepted
            if sale.asked.currency == currency
            for paid in _payments(sale)
        ]  # fmt: skip
        if not payment.charge(payments, accounts, at):
            raise Overtaken
    sales = [_sale_row(sale, at) for sale in accepted]
    _insert_sales.run(sales)
    for row in sales:
        if row["rounding_minor"]:
            _round(row, at)
    _insert_lines.run([row for sale in accepted for row in _line_rows(sale, till.parts)])
    deposits = [
        row
        for sale in accepted
        for row in deposit_rows(sale.sale_id, sale.deposits, len(sale.quotes))
    ]
    if deposits:
        _insert_deposits.run(deposits)
    for sale in accepted:
        if any(quote.off for quote in sale.quotes):
            _reduce(sale)
        if sale.asked.sold_by is not None:
            _seen(sale, till.parts, at)
    outbox.put_many("sale.paid", [sale.sale_id for sale in accepted], at)
    wants = [
        stock.Want(line.item_id, sale.asked.location_id, line.quantity, sale.sale_id,
                   sale.asked.member_id or sale.asked.sold_by)
        for sale in accepted
        for line in sale.asked.lines
    ]  # fmt: skip
    for sale in accepted:
        if sale.found:
            lost = [stock.Want(*place, many) for place, many in sale.found.items()]
            stock.find(lost, at, note=sale.sale_id)
    try:
        quotes = [quote for sale in accepted for quote in sale.quotes]
        wants = leaving(wants, quotes, till.parts)
    except stock.OutOfStock as error:
        raise Overtaken from error
    if not stock.take(wants, at):
        raise Overtaken


def _payments(sale: Accepted) -> list[payment.Payment]:
    asked, owed = sale.asked, sum(each.total_minor for each in sale.deposits)
    paid = payment.Payment(asked.member_id, sale.total_minor, sale.sale_id, asked.means,
                           asked.attempt_id, owed)  # fmt: skip
    return [paid] if not asked.account_minor else paid.split(asked.account_minor)


def _reduce(sale: Accepted) -> None:
    """Why its lines cost less; and what may be had so many times is counted. What stood for an
    attempt to pay was counted with it. Raises Overtaken where somebody was faster."""
    membership.write_reductions(sale.sale_id, off_rows(sale.quotes))
    asked, off = sale.asked, [each for quote in sale.quotes for each in quote.off]
    if asked.attempt_id is not None:
        membership.settle(asked.attempt_id, sale.sale_id)
    elif not membership.use(off, asked.member_id, sale_id=sale.sale_id):
        raise Overtaken


def _seen(sale: Accepted, parts: Parts, at: datetime) -> None:
    """Staff sold it: they have looked at whoever takes it along, or it would have been refused."""
    least, asked = max(age_of(quote, parts) for quote in sale.quotes), sale.asked
    if least and asked.sold_by is not None:
        wrote(sale.sale_id, least, asked.location_id, "till", "yes", asked.sold_by, at)
        said = {"least_age": least}
        logbook.note("age.checked", sale.sale_id, place_id=asked.location_id, after=said)


def _round(row: dict[str, Any], at: datetime) -> None:
    turned = payment.Rounded(row["id"], row["id"], row["rounding_minor"])
    payment.book_rounding([turned], row["currency"], at)


def _sale_row(sale: Accepted, at: datetime) -> dict[str, Any]:
    asked = sale.asked
    return {
        "id": sale.sale_id, "member_id": asked.member_id, "key": asked.key,
        "contents": asked.contents, "location_id": asked.location_id, "channel": asked.channel,
        "means": asked.means, "state": "paid", "currency": asked.currency,
        "total_minor": sale.total_minor, "tax_minor": sale.tax_minor,
        "account_minor": asked.account_minor,
        "rounding_minor": of_sale(asked.means, sale.total_minor, asked.currency),
        "sold_by": asked.sold_by, "guest_id": asked.guest_id, "created_at": at,
    }  # fmt: skip


def _line_rows(sale: Accepted, parts: Parts) -> list[dict[str, object]]:
    rows = []
    priced = zip(sale.asked.lines, sale.quotes, sale.amounts)
    for position, (line, quote, (total, tax)) in enumerate(priced, start=1):
        rows.append({
            "sale_id": sale.sale_id, "position": position, "item_id": line.item_id,
            "names": quote.names, "quantity": line.quantity, "unit_minor": quote.amount_minor,
            "total_minor": total, "tax_minor": tax,
            "tax_rate_bp": quote.tax_rate_bp, "label_id": line.label_id,
            "off_minor": quote.off_minor if quote.off else 0,
            "least_age": age_of(quote, parts),
        })  # fmt: skip
    return rows
