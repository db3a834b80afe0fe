"""Pages for staff who take goods back: find the return by any code, check each unit, decide."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import (
    catalogue,
    identity,
    ids,
    money,
    stock,
    web,
)
from ... import forms as fields
from ...errors import Invalid, NotFound
from .. import forms
from ..buying import Line
from ..receipts.receipts import Receipt, receipt
from ..refunds import approvals
from ..refunds.approval_views import told
from ..refunds.refund_limits import ApprovalNeeded
from ..shown_views import blueprint, shown_receipt
from . import hand_ins, returnable
from .return_models import REASONS
from .return_views import shown_lines
from .returns import Override
from .returns import cancel as returns_cancel
from .returns import fetch as returns_fetch

PLACE_COOKIE = "place"
"""Where the staff of this browser stand; the desk's start page sets it."""


@blueprint.get("/desk/returns", endpoint="hand_ins")
@identity.needs("refund")
def find() -> ResponseReturnValue:
    """Scan or type a return's code, a receipt or a pass; below it what is on its way."""
    text = request.args.get("code", "")[:1000]
    found = returnable.find(text) if text else None
    if found is not None:
        return redirect(url_for("sales.hand_in", sale_id=found[0], of=found[1]), 303)
    waiting = returnable.awaited()
    names = identity.names_of({one.member_id for one in waiting if one.member_id is not None})
    return render_template(
        "sales/hand_ins.html", code=text[:100], names=names,
        doors=[one for one in waiting if one.to_fetch],
        waiting=[one for one in waiting if not one.to_fetch],
    )  # fmt: skip


@blueprint.get("/desk/returns/<sale_id>", endpoint="hand_in")
@identity.needs("refund")
def show(sale_id: str) -> str:
    """A sale, or one of its returns, to be checked unit by unit."""
    sale = _sale(sale_id)
    known = returnable.of_sale(sale.id)
    chosen = next((one for one in known if one.id == request.args.get("of") and one.is_open), None)
    lines = shown_lines(sale)
    awaited = {line.position: line.awaited for line in chosen.lines} if chosen else None
    for line in lines:
        line["expected"] = awaited.get(line["position"], 0) if awaited is not None else line["left"]
    names = identity.names_of([sale.member_id]) if sale.member_id is not None else {}
    return render_template(
        "sales/hand_in.html", sale=shown_receipt(sale), who=names.get(sale.member_id or 0, ""),
        lines=lines, known=known, chosen=chosen, key=ids.new(), place=_place(),
        places=stock.locations(), late=any(line["why_not"] in ("late", "never") for line in lines),
    )  # fmt: skip


@blueprint.post("/desk/returns/<sale_id>")
@identity.needs("refund")
def take_back(sale_id: str) -> ResponseReturnValue:
    """Units are here: each for sale again, in quarantine or scrapped; or exchanged for another.
    Above the limit it waits, and the goods lie aside; nothing is exchanged."""
    sale, place = _sale(sale_id), stock.selling_location(fields.text("at", least=1, most=32))
    asked = hand_ins.HandIn(
        sale.id, place.id, identity.signed_in().id, _decisions(sale), forms.purchase_key(),
        note=fields.text("note", most=200), return_id=fields.text("of", most=20) or None,
        override=_override(), to_account=forms.to_account(),
        why=fields.choice("reason", ("", *REASONS), ""),
    )  # fmt: skip
    code = fields.text("take", most=100)
    if code:
        line = Line(forms.item_id(code), fields.whole("many", least=1, most=99, default=1))
        exchanged = hand_ins.exchange(asked, (line,), forms.age_checked())
        taken = receipt(exchanged.sale_id)
        assert taken is not None
        difference = exchanged.received.total_minor - taken.total_minor
        amount = money.show(abs(difference), sale.currency, web.language())
        flash(
            gettext("Exchanged. %(amount)s went back to the account.", amount=amount)
            if difference >= 0
            else gettext("Exchanged. %(amount)s more was paid from the account.", amount=amount),
            "good",
        )
        return redirect(url_for("sales.desk_sale", sale_id=taken.id), 303)
    try:
        with approvals.asking(approvals.handed_in(asked)):
            received = hand_ins.hand_in(asked)
    except ApprovalNeeded as needed:
        return told(needed)
    amount = money.show(received.total_minor, sale.currency, web.language())
    flash(
        gettext("Taken back. %(amount)s went to the account.", amount=amount)
        if received.to_account
        else gettext("Taken back. %(amount)s went back to where it came from.", amount=amount),
        "good",
    )
    return redirect(url_for("sales.hand_in", sale_id=sale.id), 303)


@blueprint.post("/desk/returns/<sale_id>/cancellation")
@identity.needs("refund")
def cancel_awaited(sale_id: str) -> ResponseReturnValue:
    """What has not arrived is not coming."""
    returns_cancel(fields.text("of", least=1, most=20))
    return redirect(url_for("sales.hand_in", sale_id=sale_id), 303)


@blueprint.post("/desk/returns/<sale_id>/fetchings")
@identity.needs("refund")
def fetched(sale_id: str) -> ResponseReturnValue:
    """It is no longer at the shopper's door: it is on its way to a shop."""
    returns_fetch(fields.text("of", least=1, most=20), made_by=identity.signed_in().id)
    flash(gettext("Collected. It is on its way to the shop."), "good")
    return redirect(url_for("sales.hand_ins"), 303)


def _sale(sale_id: str) -> Receipt:
    found = receipt(sale_id)
    if found is None:
        raise NotFound("There is no such sale")
    return found


def _place() -> stock.Location:
    """Where the staff of this browser stand; the first place where that is not known (any more)."""
    for code in (request.args.get("at"), web.cookie(PLACE_COOKIE)):
        if code:
            try:
                return stock.selling_location(code)
            except NotFound:
                continue
    return stock.location(stock.MAIN)


def _decisions(sale: Receipt) -> list[hand_ins.Decision]:
    """Fields `resell-1`, `quarantine-1`, `scrap-1` and so on, for each line of the sale; and
    `resell-1-7` for the item 7 out of the bundle on that line."""
    contents = catalogue.parts_of({line.item_id for line in sale.lines if line.is_bundle})
    return [
        hand_ins.Decision(line.position, many, decision, item_id)
        for line in sale.lines
        for item_id in (None, *(part.item_id for part in contents.get(line.item_id, ())))
        for decision in hand_ins.DECISIONS
        if (many := fields.whole(
            f"{decision}-{line.position}" + (f"-{item_id}" if item_id else ""), least=0,
            most=stock.LARGEST, default=0))
    ]  # fmt: skip


def _override() -> Override | None:
    """Staff take back what the rules would not, and say why. Raises Invalid without a reason."""
    if not fields.flag("although"):
        return None
    reason = fields.text("why", most=200)
    if not reason:
        raise Invalid("Say why it is taken back all the same", field="why")
    return Override(identity.signed_in().id, reason)
