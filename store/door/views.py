"""Pages of door: the desk where staff begin, and the check at the exit."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .. import clock, forms, identity, ids, stock
from ..errors import Forbidden
from ..identity import member_codes
from . import (
    age_views,
    away_views,
    checks,
    passes,
    report_views,
    rule_views,
    seen,
    spot_views,
)
from .blueprint import blueprint
from .page_views import ago, verdict_page
from .pass_views import exit_pass
from .passes import PassRefused
from .place import choose, here
from .uses import Check

__all__ = [
    "age_views", "away_views", "blueprint", "exit_pass", "report_views", "rule_views", "spot_views",
]  # fmt: skip

_KEY = re.compile(r"[0-9A-Za-z_-]{8,64}\Z")


# The desk


@blueprint.get("/desk")
@identity.needs("desk")
def desk() -> ResponseReturnValue:
    g.more_script = " 'wasm-unsafe-eval'"
    place = here()
    return render_template(
        "door/desk.html",
        place=place,
        places=stock.locations(),
        history=checks.history(place.id),
        ago=ago,
        tally=checks.tally(place.id, _midnight()),
        key=ids.new(),
    )


@blueprint.post("/desk")
@identity.needs("desk")
def scan() -> ResponseReturnValue:
    """The field that always listens: a pass is checked at once, a member's code opens the till;
    of anything else the floor says what can be done with it."""
    text = forms.scanned("code")
    if passes.is_pass(text):
        if not identity.allows(identity.current(), "check_exit"):
            raise Forbidden(permission="check_exit")
        return _answer(text)
    if member_codes.is_code(text):
        return redirect(url_for("sales.till", code=text), 303)
    return redirect(url_for("floor.anything", code=text), 303)


@blueprint.post("/desk/place")
@identity.needs("desk")
def choose_place() -> ResponseReturnValue:
    response = make_response(redirect(url_for("door.desk"), 303))
    choose(response, stock.location(forms.text("place", least=1, most=32)))
    return response


# The exit


@blueprint.get("/desk/exit", endpoint="exit")
@identity.needs("check_exit")
def exit_page() -> ResponseReturnValue:
    """The scanner; with ?pass= what a staff phone's own camera found. A GET uses nothing up."""
    text = request.args.get("pass", "")
    if not text:
        return verdict_page()
    asked = _asked(text)
    try:
        receipt = checks.look(text, asked, _secret())
    except PassRefused as refusal:
        return verdict_page(**_refused(refusal, text, asked)), refusal.status
    return verdict_page(outcome="look", receipt=receipt, text=text, seen=_proof(text, asked))


@blueprint.post("/desk/exit")
@identity.needs("check_exit")
def check() -> ResponseReturnValue:
    return _answer(forms.scanned("code"))


def _answer(text: str) -> ResponseReturnValue:
    asked = _asked(text)
    try:
        receipt = checks.check(text, asked, _secret())
    except PassRefused as refusal:
        return verdict_page(**_refused(refusal, text, asked)), refusal.status
    return verdict_page(outcome="accepted", receipt=receipt)


def _refused(refusal: PassRefused, text: str, asked: Check) -> dict[str, Any]:
    verdict = {"outcome": refusal.code, "data": refusal.data, "receipt": refusal.receipt}
    if refusal.code == "pass_old":
        verdict |= {"text": text, "seen": _proof(text, asked)}
    return verdict


def _asked(text: str) -> Check:
    """Who asks, where and when; what a form may add is read from it."""
    key, member_id, now = request.form.get("key", ""), identity.signed_in().id, clock.now()
    return Check(
        staff_id=member_id,
        location_id=here().id,
        at=now,
        key=key if _KEY.match(key) else ids.new(),
        seen_at=seen.seen_at(request.form.get("seen", ""), text, member_id, now, _secret()),
        although_old=forms.flag("although_old"),
    )


def _proof(text: str, asked: Check) -> str:
    return seen.proof(text, asked.staff_id, asked.seen_at or asked.at, _secret())


def _midnight() -> datetime:
    """When the shop's day began."""
    now = clock.now().astimezone(ZoneInfo(current_app.config["TIME_ZONE"]))
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _secret() -> bytes:
    return str(current_app.config["SECRET_KEY"]).encode()
