"""The owner's pages of sellers: who they are, what was sold for them, what they are owed, and on
which terms."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from .. import catalogue, clock, identity, logbook, web
from ..catalogue import owners
from ..catalogue.exporting import rate_text
from ..catalogue.models import Seller
from ..db import repeatable, transaction
from ..errors import Invalid
from ..payment.shares import owed_to
from . import contracts, figures, forms, settling, sheets
from . import shares as shares
from .blueprint import blueprint
from .settlement_views import csv_answer
from .statement_views import masked

__all__ = ["blueprint"]


@blueprint.get("/owner/sellers", endpoint="sellers")
@identity.needs("manage_sellers")
def list_sellers() -> str:
    return _list({})


@blueprint.get("/owner/sellers.csv")
@identity.needs("manage_sellers")
def sellers_csv() -> Response:
    """What was sold for each seller in a month, and what they are owed now."""
    first = forms.month()
    rows = figures.list_sellers(*_month(first), _currency())
    return csv_answer(sheets.of_sellers(rows, _currency()), f"sellers-{first:%Y-%m}")


@blueprint.post("/owner/sellers")
@identity.needs("manage_sellers")
def add_seller() -> ResponseReturnValue:
    """A new seller, with the contract of today."""
    try:
        code = request.form.get("code", "")
        made = contracts.add(code, forms.agreed(), made_by=identity.signed_in().id,
                             **forms.seller())  # fmt: skip
    except Invalid as refusal:
        said = request.form.to_dict() | {"fault": forms.why(refusal), "field": refusal.field}
        return _list(said), refusal.status
    flash(gettext("Now say on the items' pages which of them are theirs."), "good")
    return redirect(url_for("sellers.seller", code=made.code), 303)


@blueprint.get("/owner/sellers/<code>")
@identity.needs("manage_sellers")
def seller(code: str) -> str:
    return _page(catalogue.seller_with(code), {})


@blueprint.post("/owner/sellers/<code>")
@identity.needs("manage_sellers")
def change_seller(code: str) -> ResponseReturnValue:
    found = catalogue.seller_with(code)
    try:
        _change(found.id, forms.seller())
    except Invalid as refusal:
        return _again(found, refusal, "change")
    flash(gettext("Saved."), "good")
    return redirect(url_for("sellers.seller", code=found.code), 303)


@blueprint.post("/owner/sellers/<code>/contracts")
@identity.needs("manage_sellers")
def begin_contract(code: str) -> ResponseReturnValue:
    """From a day on other terms; what was sold before stays under the old ones."""
    found = catalogue.seller_with(code)
    try:
        at = contracts.begin(
            found.id, forms.agreed(), forms.starts_on(), made_by=identity.signed_in().id
        )
    except Invalid as refusal:
        return _again(found, refusal, "contract")
    flash(gettext("The contract holds for what is sold from %(when)s on.",
                  when=_when(at)), "good")  # fmt: skip
    return redirect(url_for("sellers.seller", code=found.code), 303)


@blueprint.post("/owner/sellers/<code>/settlements")
@identity.needs("manage_sellers")
def settle_seller(code: str) -> ResponseReturnValue:
    """Settle what the calendar says is to be settled today, at once."""
    found = catalogue.seller_with(code)
    made = settling.settle([found.code])
    if not made:
        flash(gettext("There is nothing to settle yet."), "info")
        return redirect(url_for("sellers.seller", code=found.code), 303)
    return redirect(url_for("sellers.settlement", settlement_id=made[-1]), 303)


@blueprint.post("/owner/sellers/<code>/close")
@identity.needs("manage_sellers")
def close_seller(code: str) -> ResponseReturnValue:
    return _set_open(code, is_open=False)


@blueprint.post("/owner/sellers/<code>/open")
@identity.needs("manage_sellers")
def open_seller(code: str) -> ResponseReturnValue:
    return _set_open(code, is_open=True)


def _set_open(code: str, *, is_open: bool) -> ResponseReturnValue:
    found = catalogue.seller_with(code)
    try:
        _open_or_close(found.id, is_open=is_open)
    except owners.SellerHasItems as refusal:
        many = refusal.data["items"]
        text = ngettext("%(num)d item is still theirs: give it to the house or to another first.",
                        "%(num)d items are still theirs: give them to the house or to another "
                        "first.", many)  # fmt: skip
        flash(text, "warn")
    else:
        flash(gettext("Open again.") if is_open else gettext("Closed. What is owed is settled."),
              "good")  # fmt: skip
    return redirect(url_for("sellers.seller", code=found.code), 303)


@repeatable
def _open_or_close(seller_id: int, *, is_open: bool) -> None:
    with transaction():
        owners.open_seller(seller_id) if is_open else owners.close_seller(seller_id)
        logbook.note("seller.opened" if is_open else "seller.closed", seller_id)


@repeatable
def _change(seller_id: int, fields: dict[str, Any]) -> None:
    with transaction():
        owners.edit_seller(seller_id, **fields)
        # Which fields were sent is enough: a seller's bank and contact may be a person's.
        logbook.note("seller.changed", seller_id, after={"fields": sorted(fields)})


def _list(said: dict[str, str]) -> str:
    first = forms.month()
    last = first - timedelta(days=1)
    after = (first + timedelta(days=31)).replace(day=1)
    today = clock.day_of(clock.now(), web.setting("TIME_ZONE"))
    return render_template(
        "sellers/sellers.html", rows=figures.list_sellers(*_month(first), _currency()),
        currency=_currency(), month=first, before=last.replace(day=1),
        after=after if after <= today else None, said=said,
        due=figures.settlements(due=True, limit=50), rate=_rate,
    )  # fmt: skip


def _again(found: Seller, refusal: Invalid, form: str) -> ResponseReturnValue:
    said = request.form.to_dict() | {"fault": forms.why(refusal), "field": refusal.field,
                                     "form": form}  # fmt: skip
    return _page(found, said), refusal.status


def _page(found: Seller, said: dict[str, str]) -> str:
    currency = _currency()
    kept = contracts.contracts_of(found.id)
    return render_template(
        "sellers/seller.html", seller=found, said=said, currency=currency, rate=_rate,
        contracts=kept, now=clock.now(), in_force=contracts.in_force().get(found.id),
        items=owners.item_counts().get(found.id, 0),
        owed_minor=owed_to([found.code], currency).get(found.code, 0),
        waiting=figures.waiting_sums(found.id), entries=figures.entries(found.id, None, limit=20),
        settlements=figures.settlements(found.id, limit=24),
        names=identity.names_of({one.made_by for one in kept if one.made_by}),
        account=masked(found.bank_account),
    )  # fmt: skip


def _month(first: date) -> tuple[datetime, datetime]:
    """From the first moment of a month to that of the next, in the shop's time zone."""
    zone = ZoneInfo(web.setting("TIME_ZONE"))
    after = (first + timedelta(days=31)).replace(day=1)
    since, until = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, after))
    return since, until


def _rate(basis_points: int) -> str:
    return rate_text(basis_points)


def _when(at: datetime) -> str:
    return str(current_app.jinja_env.globals["when"](at, "short"))  # type: ignore[operator]


def _currency() -> str:
    return web.setting("CURRENCY")
