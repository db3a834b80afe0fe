"""Labels for a delivery: as many of each as came, on a sheet that is chosen."""

from __future__ import annotations

from flask import current_app, render_template
from sqlalchemy import select

from .. import catalogue, identity, ids, stock
from ..db import connection
from . import forms, sheets
from .blueprint import blueprint


@blueprint.get("/desk/labels/deliveries/<number:slip_id>", endpoint="delivery")
@identity.needs("print_labels")
def delivery(slip_id: int) -> str:
    place_id, came = stock.delivered(slip_id)
    item = catalogue.Item
    query = select(item.id, item.code, item.names, item.picture).where(item.id.in_(came))
    rows = connection().execute(query.order_by(item.id)).all()
    priced = catalogue.quotes(sorted(came), place_id, current_app.config["CURRENCY"])
    return render_template(
        "labels/delivery.html", slip_id=slip_id, location=stock.location_by_id(place_id),
        items=rows, came=came, priced=priced, sheets=sheets.SHEETS.values(),
        sheet=forms.sheet_named(), key=ids.new(), address=forms.address(),
        lasting=forms.is_lasting(),
    )  # fmt: skip
