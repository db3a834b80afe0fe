"""The exit without a network, in the browser: the page that comes when none is reached, what it
takes along, where it tells what it checked meanwhile, and what of that a person is to look at."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import gettext

from .. import assets, clock, identity, strict
from ..errors import Invalid, Refusal
from . import away, told
from .blueprint import blueprint
from .place import here, words


@blueprint.get("/desk/exit/away")
@identity.needs("check_exit")
def exit_away() -> str:
    """The exit as it goes on without a network. A browser that may keeps this page for then."""
    g.more_script = " 'wasm-unsafe-eval'"
    return render_template("door/exit.html", place=here(), alone=True, key="", **words())


@blueprint.get("/desk/exit/kit")
@identity.needs("check_exit")
def exit_kit() -> Response:
    """What the exit takes along; ?since= (milliseconds) is the moment of what it has already."""
    minutes, now = _minutes(), clock.now()
    if not minutes:
        return jsonify(now=int(now.timestamp() * 1000), until=0)
    raw = request.args.get("since", "")
    since = away.milliseconds(int(raw), "since") if raw.isascii() and raw.isdigit() else None
    ticket = away.Ticket(identity.signed_in().id, here().id, int(now.timestamp() * 1000))
    answer = jsonify(away.kit(ticket, now, since, minutes, _secret()))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/desk/exit/away")
@identity.needs("check_exit")
def exit_told() -> Response:
    """What was checked without a network, in the field `told`: an answer for each check, in order.
    One that is known already stays as it stands, so telling it again loses and doubles nothing."""
    try:
        said = strict.read(request.form.get("told", ""))
    except ValueError as fault:
        raise Invalid(f"told is not JSON: {fault}", field="told") from None
    checks = said.get("checks") if isinstance(said, dict) else None
    if not isinstance(checks, list) or not 1 <= len(checks) <= away.MOST_TOLD:
        raise Invalid(f"1 to {away.MOST_TOLD} checks are told at once", field="told")
    now = clock.now()
    scanner = away.read_scanner(said.get("scanner"))
    ahead = away.milliseconds(said.get("now"), "now") - now
    return jsonify(outcomes=[_outcome(each, scanner, ahead) for each in checks])


def _outcome(said: Any, scanner: str, ahead: Any) -> dict[str, Any]:
    try:
        read = away.read(said, scanner, ahead, _secret())
    except Refusal as refusal:
        return {"outcome": "refused", "why": refusal.message}
    known, flag = told.take_in(read, clock.now(), _minutes(), _secret())
    return {"outcome": "known" if known else "kept", "flag": flag}


@blueprint.get("/desk/exit/worker.js")
def exit_worker() -> Response:
    return assets.worker("/desk/exit")


@blueprint.get("/desk/exit/flagged")
@identity.needs("check_exit")
def flagged() -> str:
    """Checks without a network that a person is to look at."""
    place = here()
    return render_template("door/flagged.html", place=place, flagged=told.flagged(place.id))


@blueprint.post("/desk/exit/flagged/<int:number>")
@identity.needs("check_exit")
def see_flagged(number: int) -> ResponseReturnValue:
    told.see(number, identity.signed_in().id, clock.now())
    flash(gettext("Noted. It stays in the history."), "good")
    return redirect(url_for("door.flagged"), 303)


def _minutes() -> int:
    return int(current_app.config["EXIT_OFFLINE_MINUTES"])


def _secret() -> bytes:
    return str(current_app.config["SECRET_KEY"]).encode()
