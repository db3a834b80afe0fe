"""Pages of what was told late, and the way in for all that may be told late.

A form that may be kept is a form like any other. Where the device has put a key into it, the view
of its endpoint is wrapped: the key is taken in the transaction of the act itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    flash,
    get_flashed_messages,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup

from .. import assets, clock, identity, logbook, web
from ..db import before_all, begun
from . import acts
from .keepable import KEEPABLE

blueprint = Blueprint("late", __name__)

View = Callable[..., Any]
SHOWN = 30


def wrap(app: Flask) -> None:
    """Let what is keepable be told late."""
    for endpoint in KEEPABLE:
        app.view_functions[endpoint] = _once(endpoint, app.view_functions[endpoint])


def _once(endpoint: str, view: View) -> View:
    @functools.wraps(view)
    def once(**arguments: Any) -> ResponseReturnValue:
        member = identity.current()
        if "late_key" not in request.form or member is None:
            return view(**arguments)  # type: ignore[no-any-return]
        told = acts.read(request.form, _hours())
        if told.person != acts.mark_of(_secret(), member.id):
            raise acts.KeptByAnother()
        digest = acts.digest_of(endpoint, arguments, request.form.items(multi=True))
        done_at = None if told.age is None else clock.now() - told.age
        arrival = acts.Arrival(member.id, told.key, endpoint, digest, done_at)
        before_all(functools.partial(acts.take, arrival))
        try:
            with logbook.told_late(done_at):
                answer = current_app.make_response(view(**arguments))
            is_done = begun()
        except acts.Done as done:
            return _done_already(told.ask, done)
        finally:
            before_all(None)
        return _answer(told.ask, "done" if is_done else "undone", answer)

    return once


def _answer(ask: str, outcome: str, answer: Response) -> Response:
    """As the device wants to be told: the view's own page, or what came of it. What the page would
    have said waits for the next page, unless the device tells later, when nobody looks at one."""
    if not ask or answer.status_code >= 400:
        return answer
    said = get_flashed_messages(with_categories=True) if ask == "later" else []
    return jsonify(outcome=outcome, next=answer.headers.get("Location"), said=said)


def _done_already(ask: str, done: acts.Done) -> ResponseReturnValue:
    when = web.when(done.arrived_at, "short")
    said = gettext("This was booked already: %(when)s.", when=when)
    if ask == "later":
        return jsonify(outcome="known", next=None, said=[["info", said]])
    flash(said, "info")
    own, host = request.referrer or "", request.host_url
    back = own[len(host) - 1 :] if own.startswith(host) else url_for("door.desk")
    back = identity.safe_next(back)
    if ask == "now":
        return jsonify(outcome="known", next=back, said=[])
    return redirect(back, 303)


@blueprint.get("/desk/kept", endpoint="kept")
@identity.needs("desk")
def kept() -> str:
    """What this device keeps, which its script fills in, and what came late before."""
    lately = acts.lately(identity.signed_in().id, SHOWN)
    return render_template("late/kept.html", lately=lately, hours=_hours())


@blueprint.get("/desk/kept/start")
@identity.needs("desk")
def start() -> Response:
    """Before anything is told: whether the shop is there, who is signed in, and the token of the
    forms of now."""
    answer = jsonify(person=kept_person(), csrf=web.csrf_token())
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/desk/worker.js")
def worker() -> Response:
    """The script that answers for the shop at /desk when the shop cannot be reached. It holds
    nothing of anybody's."""
    return assets.worker("/desk", "js/late/worker.js")


@blueprint.app_template_global()
def kept_person() -> str:
    """Whose what this device keeps is; empty for who has no desk, and where nothing is kept."""
    member = identity.current()
    if member is None or not identity.allows(member, "desk") or not _hours():
        return ""
    return acts.mark_of(_secret(), member.id)


@blueprint.app_template_global()
def keeps(endpoint: str, what: str, thing: str = "") -> Markup:
    """The attributes of a form that may be kept: what it does, in the reader's words, and of which
    thing it is: what waits for a decision holds up what follows on the same thing."""
    if endpoint not in KEEPABLE:
        raise KeyError(endpoint)
    return Markup(' data-keep="{}" data-keep-what="{}" data-keep-thing="{}"').format(
        endpoint, what, thing
    )


@blueprint.app_template_global()
def kept_page() -> str:
    return url_for("late.kept")


def _hours() -> int:
    return min(int(current_app.config["DESK_OFFLINE_HOURS"]), acts.LONGEST_HOURS)


def _secret() -> bytes:
    return str(current_app.config["SECRET_KEY"]).encode()
