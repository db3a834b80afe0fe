"""A receipt on paper, as PDF: what was sold, its tax by rate, how it was paid, what went back; and
a note of its own for each refund."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from io import BytesIO

from flask import current_app, url_for
from flask_babel import gettext, ngettext

from ... import (
    fonts,
    identity,
    money,
    stock,
    web,
)
from ...labels import qr
from ...paper import Column, Paper
from ..returns.return_views import receipt_rules
from ..rounding import tendered
from ..shown_views import contents_of, full_date, means_name
from .receipts import (
    Receipt,
    ReceiptLine,
    ReceiptRefund,
    TaxLine,
    tax_lines,
)

__all__ = ["guarantee_words", "receipt_pdf", "refund_pdf"]

CODE_MM = 30.0


def receipt_pdf(found: Receipt) -> bytes:
    """The receipt of a sale, in the visitor's language: one page, or as many as it needs."""
    output = BytesIO()
    paper = Paper(output, _foot(found))
    _head(paper, found, gettext("Receipt"), found.number)
    paper.pair(gettext("When"), web.when(found.created_at))
    if found.member_id:
        paper.pair(gettext("Member"), identity.names_of([found.member_id]).get(found.member_id, ""))
    _lines(paper, found)
    _sums(paper, found)
    _taxes(paper, found.taxes, found.currency)
    _returns(paper, found)
    _close(paper)
    return output.getvalue()


def refund_pdf(found: Receipt, refund: ReceiptRefund) -> bytes:
    """What went back at once, with its tax: it takes this much off the receipt."""
    output, by_position = BytesIO(), {line.position: line for line in found.lines}
    paper = Paper(output, _foot(found))
    _head(paper, found, gettext("Refund"), _grouped(refund.id))
    paper.pair(gettext("When"), web.when(refund.created_at))
    paper.pair(gettext("For the receipt"), found.number)
    if refund.reason:
        paper.pair(gettext("Reason"), refund.reason)
    paper.space(4)
    paper.table(
        Column(gettext("Item"), 96), Column(gettext("Quantity"), 24, True),
        Column(gettext("Amount"), 50, True),
    )  # fmt: skip
    for position, quantity, total, _ in refund.units:
        name = _name(by_position[position])
        paper.row(name, str(quantity), "−" + _money(total, found.currency))
    paper.end_table()
    back = gettext("Not to be paid") if found.means == "delivery" else gettext("Given back")
    paper.pair(back, "−" + _money(refund.total_minor, found.currency), 4.6, bold=True)
    _told(paper, refund, found.currency)
    sold = [
        (by_position[position].tax_rate_bp, -total, -tax)
        for position, _, total, tax in refund.units
    ]
    _taxes(paper, tax_lines(sold), found.currency)
    _close(paper)
    return output.getvalue()


def _head(paper: Paper, found: Receipt, what: str, number: str) -> None:
    shop = current_app.config
    paper.line(shop["SHOP_NAME"], 6.4, bold=True)
    for line in str(shop["SHOP_ADDRESS"]).split(";"):
        if line.strip():
            paper.line(line.strip())
    if shop["TAX_NUMBER"]:
        paper.line(gettext("Tax number: %(number)s", number=shop["TAX_NUMBER"]))
    place = stock.location_by_id(found.location_id)
    paper.line(" · ".join(text for text in (found.location_name, place.address) if text))
    paper.space(7)
    paper.pair(what, number, 4.6, bold=True)
    paper.space(2)


def _lines(paper: Paper, found: Receipt) -> None:
    paper.space(4)
    paper.table(
        Column(gettext("Item"), 82), Column(gettext("Quantity"), 20, True),
        Column(gettext("Price"), 26, True), Column(gettext("Tax"), 16, True),
        Column(gettext("Amount"), 26, True),
    )  # fmt: skip
    inside = contents_of(found)
    for line in found.lines:
        if line.kind == "part":
            continue
        rate = TaxLine(line.tax_rate_bp, 0, 0, 0).rate_text
        paper.row(
            _name(line), str(line.quantity), _money(line.unit_minor, found.currency), rate,
            _money(line.priced_minor, found.currency),
        )  # fmt: skip
        for names, off in line.off:
            paper.row(f"  {web.in_language(names)}", "", "", "", "−" + _money(off, found.currency))
        for name, many, back in inside.get(line.position, ()):
            gone = " · " + gettext("%(num)d given back", num=back) if back else ""
            paper.row(f"{many} × {name}{gone}", "", "", "", "")
    paper.end_table()


def _sums(paper: Paper, found: Receipt) -> None:
    of = found.currency
    pieces = ngettext("%(num)d piece", "%(num)d pieces", found.pieces)
    if found.on_top_minor:
        paper.pair(gettext("Tax"), _money(found.on_top_minor, of))
    paper.pair(f"{gettext('Total')} · {pieces}", _money(found.total_minor, of), 4.6, bold=True)
    how = tendered(found)
    if how.empties_minor:
        paper.pair(gettext("Empties taken back"), "−" + _money(how.empties_minor, of))
    if how.rounding_minor:
        paper.pair(gettext("Rounding"), _signed(how.rounding_minor, of))
    if found.account_minor:
        paper.pair(means_name("account"), _money(found.account_minor, of))
    paper.pair(means_name(found.means), _money(how.paid_minor, of))
    for refund in found.refunds:
        unpaid = found.state in ("due", "cancelled")
        name = gettext("Not to be paid") if unpaid else gettext("Given back")
        at = web.when(refund.created_at, "short")
        paper.pair(f"{name} · {at}", "−" + _money(refund.total_minor, of))
        _told(paper, refund, of)


def _told(paper: Paper, refund: ReceiptRefund, of: str) -> None:
    """Where a refund went, if not all of it as it was paid."""
    if refund.account_minor:
        told = _money(refund.account_minor, of)
        paper.line(gettext("%(amount)s of it to the shop account", amount=told))
    if refund.rounding_minor:
        told = _money(refund.given_minor, of)
        paper.line(gettext("rounded in cash: %(amount)s", amount=told))


def _taxes(paper: Paper, taxes: Sequence[TaxLine], of: str) -> None:
    """Tax by rate; the last row is the sum of all, and of the whole sale."""
    if not any(tax.tax_minor for tax in taxes):
        return
    paper.space(4)
    paper.table(
        Column(gettext("Tax"), 44), Column(gettext("Net"), 42, True),
        Column(gettext("Tax"), 42, True), Column(gettext("With tax"), 42, True),
    )  # fmt: skip
    for tax in taxes:
        amounts = (_money(each, of) for each in tax[1:])
        paper.row(tax.rate_text, *amounts)
    if len(taxes) > 1:
        sums = (_money(sum(tax[at] for tax in taxes), of) for at in (1, 2, 3))
        paper.row(gettext("Total"), *sums, bold=True)
    paper.end_table()


def _returns(paper: Paper, found: Receipt) -> None:
    """What is taken back until when, and the code that a shop scans for it."""
    rules, comma = receipt_rules(found), gettext(", ")
    said = []
    if rules["until"]:
        day = web.when(rules["until"], gettext("d MMM y"))
        said.append(gettext("Returns until %(day)s.", day=day))
        if rules["differ"]:
            said.append(gettext("Some of it longer."))
    if rules["unopened"]:
        said.append(gettext("Only unopened: %(names)s.", names=_few(rules["unopened"], comma)))
    if rules["never"]:
        said.append(gettext("Not taken back: %(names)s.", names=_few(rules["never"], comma)))
    said += guarantee_words(rules["warranties"])
    address = f"{web.base_url()}{url_for('sales.receipt', sale_id=found.id)}"
    paper.space(5)
    beside = [gettext("Scan this to see the receipt or to return something."), " ".join(said)]
    paper.code(qr.matrix(address), CODE_MM, [*beside, address])


def guarantee_words(warranties: Sequence[tuple[date, Sequence[str]]]) -> list[str]:
    """Until when which goods have a guarantee, in the reader's language."""
    comma = gettext(", ")
    return [
        str(gettext("Guarantee until %(day)s: %(names)s.", day=full_date(day),
                    names=_few(names, comma)))
        for day, names in warranties
    ]  # fmt: skip


def _few(names: Sequence[str], comma: str) -> str:
    """Names for a line of small type: the first of them, where there are many."""
    return comma.join(names[:5]) + (" …" if len(names) > 5 else "")


def _close(paper: Paper) -> None:
    lacking = paper.named_missing()
    if lacking:
        paper.space(2)
        paper.line(gettext("〓 stands for: %(names)s", names=lacking), 2.6)
    paper.close()


def _name(line: ReceiptLine) -> str:
    """The name in the visitor's language, else in one that can be printed; beside a name that
    cannot, the item's code."""
    wanted = web.in_language(line.names)
    for name in (wanted, *line.names.values()):
        if not fonts.missing_glyphs(name):
            return name
    return f"{wanted} ({line.item_code})"


def _foot(found: Receipt) -> str:
    return f"{current_app.config['SHOP_NAME']} · {found.number}"


def _grouped(number: str) -> str:
    return "-".join(number[at : at + 5] for at in range(0, len(number), 5))


def _signed(minor: int, currency: str) -> str:
    return ("−" if minor < 0 else "+") + _money(abs(minor), currency)


def _money(minor: int, currency: str) -> str:
    return money.show(minor, currency, web.language())
