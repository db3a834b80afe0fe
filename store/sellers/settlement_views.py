"""The owner's pages of settlements: what each holds down to the lines of sales, and paying it
out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import (
    Response,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import forms as fields
from .. import identity, web
from ..errors import Invalid
from . import figures, forms, payouts, sheets
from .blueprint import blueprint
from .statement_views import masked

PAGE = 100
MOST_STEPS = 10_000


@blueprint.get("/owner/settlements/<settlement_id>")
@identity.needs("manage_sellers")
def settlement(settlement_id: str) -> str:
    return _page(settlement_id, {})


@blueprint.get("/owner/settlements/<settlement_id>.csv")
@identity.needs("manage_sellers")
def settlement_csv(settlement_id: str) -> Response:
    """Every line of it."""
    found = figures.settlement(settlement_id)
    lines = figures.all_entries(found.settlement.seller_id, settlement_id)
    text = sheets.of_entries(lines, web.language())
    return csv_answer(text, f"{found.seller.code}-{found.settlement.number}")


@blueprint.post("/owner/settlements/<settlement_id>/payments")
@identity.needs("manage_sellers")
def pay_out(settlement_id: str) -> ResponseReturnValue:
    """The bank has paid it."""
    try:
        reference = fields.text("reference", least=1, most=payouts.LONGEST_REFERENCE)
        payouts.pay(settlement_id, reference, steps=_steps(), made_by=identity.signed_in().id)
    except Invalid as refusal:
        return _again(settlement_id, refusal)
    flash(gettext("Paid out."), "good")
    return redirect(url_for("sellers.settlement", settlement_id=settlement_id), 303)


@blueprint.post("/owner/settlements/<settlement_id>/failures")
@identity.needs("manage_sellers")
def payout_failed(settlement_id: str) -> ResponseReturnValue:
    """It came back from the bank."""
    try:
        reason = fields.text("reason", least=1, most=payouts.LONGEST_REASON)
        payouts.fail(settlement_id, reason, steps=_steps(), made_by=identity.signed_in().id)
    except Invalid as refusal:
        return _again(settlement_id, refusal)
    flash(gettext("It is to be paid out again."), "good")
    return redirect(url_for("sellers.settlement", settlement_id=settlement_id), 303)


def _steps() -> int:
    return fields.whole("steps", least=0, most=MOST_STEPS)


def _again(settlement_id: str, refusal: Invalid) -> ResponseReturnValue:
    said = request.form.to_dict() | {"fault": forms.why(refusal)}
    return _page(settlement_id, said), refusal.status


def _page(settlement_id: str, said: dict[str, str]) -> str:
    found: Any = figures.settlement(settlement_id)
    one = found.settlement
    after = request.args.get("after", "")
    begin = int(after) if after.isascii() and after.isdigit() and len(after) < 16 else 0
    lines = figures.entries(one.seller_id, one.id, after=begin, limit=PAGE + 1)
    steps = payouts.steps_of(one.id)
    return render_template(
        "sellers/settlement.html", found=found, one=one, seller=found.seller, payout=found.payout,
        lines=lines[:PAGE], next=lines[PAGE - 1].id if len(lines) > PAGE else None, first=not begin,
        steps=steps, said=said, account=masked(found.seller.bank_account),
        names=identity.names_of({step.made_by for step in steps if step.made_by}),
    )  # fmt: skip


def csv_answer(text: Iterable[str], name: str) -> Response:
    """A file of these pages, written as it is read."""
    response = Response(stream_with_context(iter(text)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
