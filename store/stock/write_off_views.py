"""Pages of write-offs: staff say what is gone and why; the owner sees what was written off."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from .. import clock, forms, identity, logbook, web
from ..catalogue import quotes
from ..db import transaction
from . import afterwards
from . import forms as asked
from .blueprint import blueprint
from .levels import LARGEST
from .write_offs import CHOICES, REASONS, sums, write_off, write_offs

PAGE = 60


@blueprint.post("/desk/stock/write-offs", endpoint="write_off")
@identity.needs("receive_stock")
def write_off_goods() -> ResponseReturnValue:
    member, item, place = identity.signed_in(), asked.item(), asked.place()
    quantity = forms.whole("quantity", least=1, most=LARGEST)
    why, note = forms.choice("why", CHOICES), forms.text("note", most=200)
    done_at = logbook.done_at()
    with transaction():
        if not forms.flag("again"):
            afterwards.refuse_counted(item.id, place.id, done_at)
        write_off(
            item.id, place.id, quantity, why, member_id=member.id, note=note,
            key=forms.text("key", least=8, most=64), at=done_at,
        )  # fmt: skip
    flash(ngettext("%(num)d was written off.", "%(num)d were written off.", quantity), "good")
    return redirect(url_for("stock.desk", code=item.code, at=place.code), 303)


@blueprint.get("/owner/write-offs", endpoint="written_off")
@identity.needs("see_sales")
def written_off() -> str:
    """What is gone without a sale, why, and what it would have sold for today."""
    why = request.args.get("why", "")
    why = why if why in REASONS else ""
    found = write_offs(why=why, before=asked.before(), limit=PAGE + 1)
    rows = found[:PAGE]
    place_id = asked.here().id
    prices = quotes(sorted({row.item_id for row in rows}), place_id, web.setting("CURRENCY"))
    return render_template(
        "stock/write_offs.html", rows=rows, why=why, prices=prices,
        currency=web.setting("CURRENCY"),
        month=sums(clock.now() - timedelta(days=30)),
        next_before=rows[-1].id if len(found) > PAGE else None,
        who=identity.names_of({row.member_id for row in rows if row.member_id}),
    )  # fmt: skip
