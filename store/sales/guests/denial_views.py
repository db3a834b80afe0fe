"""The page behind "this was not me" in a letter with a guest's receipt. The link alone changes
nothing: programs that look at mail follow links."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from ... import forms as fields
from ...errors import NotFound
from .. import forms
from ..receipts.receipts import receipt
from ..shown_views import blueprint, shown_receipt
from . import denials


@blueprint.get("/sales/<sale_id>/not-mine", endpoint="not_mine")
def ask(sale_id: str) -> str:
    """Which purchase it is, and what saying so does. Raises NotFound."""
    return _page(sale_id, (request.args.get("k") or "")[:32])


@blueprint.post("/sales/<sale_id>/not-mine", endpoint="deny")
def deny(sale_id: str) -> ResponseReturnValue:
    """It never comes into the account of who reads this address. Raises NotFound."""
    said = fields.text("k", most=32)
    address = denials.address_of(sale_id, said, forms.key())
    if address is None:
        raise NotFound("There is no such receipt")
    denials.deny(sale_id, address)
    return _page(sale_id, said, done=True)


def _page(sale_id: str, said: str, done: bool = False) -> str:
    address = denials.address_of(sale_id, said, forms.key())
    found = receipt(sale_id) if address is not None else None
    if found is None:
        raise NotFound("There is no such receipt")
    return render_template(
        "sales/not_mine.html", sale=shown_receipt(found), k=said, done=done, address=address
    )


def link_of(sale_id: str, address: str) -> str:
    """The path that stands in the letter to this address."""
    k = denials.key_of(forms.key(), sale_id, address)
    return url_for("sales.not_mine", sale_id=sale_id, k=k, _external=False)
