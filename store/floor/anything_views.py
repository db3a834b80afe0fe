"""The page of anything that was scanned: what it is, and what can be done with it."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .. import catalogue, identity, web
from ..door import passes
from ..errors import Invalid
from ..identity import member_cards, member_codes
from ..labels.judging import Shop
from ..stock.forms import here
from .anything import meant
from .blueprint import blueprint

SLIPS = {
    "purchase": "stock.purchase", "delivery": "stock.delivery", "count": "stock.shelf_count",
    "transfer": "stock.transfer_slip",
}  # fmt: skip


@blueprint.get("/desk/anything")
@identity.needs("desk")
def anything() -> ResponseReturnValue:
    """By the rights of whoever asks. A pass is only looked at here: the exit uses it."""
    text = request.args.get("code", "").strip()
    if not text:
        return redirect(url_for("door.desk"), 303)
    if len(text) > passes.LONGEST or any("\ud800" <= each <= "\udfff" for each in text):
        raise Invalid(f"code must have 1 to {passes.LONGEST} characters", field="code")
    if member_codes.is_code(text):
        return redirect(url_for("sales.till", code=text), 303)
    if passes.is_pass(text):
        return redirect(f"{url_for('door.exit')}?{urlencode({'pass': text})}", 303)
    place, config = here(), current_app.config
    shop = Shop(web.base_url(), str(config["SECRET_KEY"]), config["CURRENCY"])
    g.more_script = " 'wasm-unsafe-eval'"
    found = meant(text, place.id, shop)
    if found.is_nothing and (card := member_cards.held_by(text)) is not None:
        return redirect(url_for("sales.till", member=card.id), 303)
    page = render_template(
        "floor/anything.html", place=place, found=found, text=text[:80], slips=SLIPS,
        currency=config["CURRENCY"], item_path=catalogue.item_path,
    )  # fmt: skip
    return page, 404 if found.is_nothing else 200
