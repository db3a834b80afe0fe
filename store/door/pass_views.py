"""The live pass of a receipt, for the shopper whose sale it is."""

from __future__ import annotations

from flask import Response, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import clock, web
from ..errors import NotFound
from ..labels.live import as_json, read_ahead
from ..sales.guests.guest_views import visible
from . import ages, live, rules, signing
from .blueprint import blueprint
from .live import Sold


@blueprint.get("/sales/<sale_id>/pass.svg")
def pass_image(sale_id: str) -> ResponseReturnValue:
    """The code of this moment; with ?ahead=N the codes of the next steps too, as JSON."""
    receipt = visible(sale_id)
    if receipt.fulfilment != "taken":
        raise NotFound("There is no such sale")
    least = ages.waits_for(receipt)
    age, _ = ages.still_asked(receipt.id, least)
    sold = Sold(receipt.id, receipt.location_id, receipt.state, receipt.kept_pieces,
                receipt.total_minor, signing.marks_of(receipt, age), least)  # fmt: skip
    ahead = request.args.get("ahead")
    answer = _picture(sold) if ahead is None else _codes(sold, ahead)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.app_template_global()
def exit_pass(
    sale_id: str, location_id: int, state: str, least_age: int = 0
) -> live.ExitPass | None:
    """For the receipt's template, its head and its body: sales stand below the door and do not know
    it."""
    if "exit_pass" not in g:
        g.exit_pass = _pass(Sold(sale_id, location_id, state, least_age=least_age))
    found: live.ExitPass | None = g.exit_pass
    return found


@blueprint.app_template_global()
def age_reason() -> str:
    """How a refund says that something stayed at the exit."""
    return ages.REASON


@blueprint.app_template_global()
def chance(rate_bp: int) -> str:
    """A chance in words: "1 in 20", or "every one"."""
    if rate_bp >= rules.WHOLE_BP:
        return str(gettext("every one"))
    return str(gettext("1 in %(many)s", many=f"{rules.WHOLE_BP / rate_bp:.3g}"))


def _pass(sold: Sold) -> live.ExitPass | None:
    return live.exit_pass(sold, clock.now(), web.base_url(), _secret())


def _picture(sold: Sold) -> Response:
    found = _pass(sold)
    if found is None or found.code is None:
        state = found.state if found else sold.state
        raise live.NoPass(f"The pass of this sale is {state}", state=state)
    return Response(found.code.svg, mimetype="image/svg+xml")


def _codes(sold: Sold, ahead: str) -> Response:
    steps = read_ahead(ahead)
    found = _pass(sold)
    if found is None or found.state != "live":
        state = found.state if found else sold.state
        return jsonify(as_json(state, found.at if found else clock.now(), []))
    signed = bool(current_app.config["EXIT_OFFLINE_MINUTES"])
    codes = live.codes(sold, found.at, web.base_url(), _secret(), steps, signed=signed)
    return jsonify(as_json("live", found.at, codes))


def _secret() -> bytes:
    return str(current_app.config["SECRET_KEY"]).encode()
