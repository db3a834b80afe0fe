"""The statement of a settlement for the seller, as PDF: what was sold, what came back, what the
house keeps, and what is paid out."""

from __future__ import annotations

import io
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Response
from flask_babel import format_datetime, gettext

from .. import identity, money, web
from ..paper import Column, Paper
from . import figures
from .blueprint import blueprint
from .figures import Settled, Sums

MOST_ITEMS = 300


@blueprint.get("/owner/settlements/<settlement_id>.pdf")
@identity.needs("manage_sellers")
def settlement_pdf(settlement_id: str) -> Response:
    """The statement, in the visitor's language."""
    found = figures.settlement(settlement_id)
    response = Response(_pdf(found), mimetype="application/pdf")
    name = f"{found.seller.code}-{found.settlement.number}.pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def masked(account: str) -> str:
    """An account as it is shown: its last four characters."""
    return f"**** {account[-4:]}" if account else ""


def _pdf(found: Settled) -> bytes:
    one, seller, output = found.settlement, found.seller, io.BytesIO()
    title = gettext("Statement %(number)s", number=one.number)
    paper = Paper(output, f"{web.setting('SHOP_NAME')} · {seller.code} · {title} · {one.id}")
    paper.line(web.setting("SHOP_NAME"))
    paper.space(3)
    paper.line(title, 7, bold=True)
    paper.line(web.in_language(seller.names), 4.5, bold=True)
    paper.space(4)
    _facts(paper, found)
    paper.space(6)
    _sums(paper, found)
    paper.space(6)
    _items(paper, found)
    paper.close()
    return output.getvalue()


def _facts(paper: Paper, found: Settled) -> None:
    one, seller = found.settlement, found.seller
    account = (seller.bank_holder, seller.bank_name, masked(seller.bank_account))
    for name, value in (
        (gettext("Seller"), seller.code),
        (gettext("Tax number"), seller.tax_number),
        (gettext("Sold before"), _when(one.until)),
        (gettext("Made on"), _when(one.closed_at) if one.closed_at else ""),
        (gettext("Account"), " · ".join(filter(None, account))),
    ):
        if value:
            paper.pair(name, value)


def _sums(paper: Paper, found: Settled) -> None:
    one = found.settlement
    rows = [
        (gettext("Sold"), one.total_minor), (gettext("Came back"), -one.returned_minor),
        (gettext("Commission of the house"), -one.commission_minor),
        (gettext("Payment fees"), -one.fee_minor),
    ]  # fmt: skip
    paper.rule()
    for name, amount in rows:
        paper.pair(name, _amount(amount, one.currency))
    paper.rule()
    paper.pair(gettext("Your share"), _amount(one.share_minor, one.currency))
    if one.carried_minor:
        paper.pair(gettext("Carried over from the last statement"),
                   _amount(one.carried_minor, one.currency))  # fmt: skip
    paper.pair(gettext("To be paid out"), _amount(one.payout_minor, one.currency), 4.5, bold=True)
    if one.left_minor:
        paper.pair(gettext("Carried on to the next statement"),
                   _amount(one.left_minor, one.currency))  # fmt: skip


def _items(paper: Paper, found: Settled) -> None:
    """A line for each item, what brought most first; many small ones are one line at the end."""
    one = found.settlement
    listed = figures.sums_by_item(one, MOST_ITEMS)
    paper.table(
        Column(gettext("Item"), 62), Column(gettext("Pieces"), 14, True),
        Column(gettext("Sold"), 25, True), Column(gettext("Came back"), 22, True),
        Column(gettext("The house keeps"), 23, True), Column(gettext("Your share"), 24, True),
    )  # fmt: skip
    for code, names, sums in listed:
        _row(paper, f"{web.in_language(names)} · {code}", sums, one.currency)
    if len(listed) == MOST_ITEMS:
        shown = [sum(values) for values in zip(*(sums for *_, sums in listed))]
        whole = (one.total_minor, one.returned_minor, one.commission_minor, one.fee_minor,
                 one.share_minor)  # fmt: skip
        rest = Sums(0, *(all_ - some for all_, some in zip(whole, shown[1:])))
        _row(paper, gettext("All others"), rest, one.currency)
    paper.end_table()


def _row(paper: Paper, name: str, sums: Sums, currency: str) -> None:
    amounts = (sums.total_minor, -sums.returned_minor, -sums.commission_minor - sums.fee_minor,
               sums.share_minor)  # fmt: skip
    pieces = str(sums.pieces) if sums.pieces else ""
    paper.row(name, pieces, *(_amount(amount, currency) for amount in amounts))


def _amount(minor: int, currency: str) -> str:
    return money.show(minor, currency, web.language())


def _when(at: datetime) -> str:
    local = at.astimezone(ZoneInfo(web.setting("TIME_ZONE"))).replace(tzinfo=None)
    form = "d MMM y, HH:mm" if web.language() == "en" else "short"
    return str(format_datetime(local, form, rebase=False))
