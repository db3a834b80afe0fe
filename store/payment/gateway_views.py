"""The owner's page of the ways in which money comes: what is set up, whether it works, what waits,
and what was not believed."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import forms, identity, web
from ..errors import NotFound
from . import attempts, disputes, events, paybacks
from .blueprint import blueprint
from .calls import BREAKER, GatewayAway, call
from .gateways import Approved, Declined, Gateway, GatewayTimeout, Hears
from .gateways.offered import set_up


@blueprint.get("/owner/payments")
@identity.needs("connect_systems")
def gateways() -> str:
    names = list(set_up(current_app.config))
    return render_template(
        "payment/gateways.html",
        gateways=[
            (
                name,
                attempts.open_count(name),
                paybacks.waiting(name),
                events.last_notice(name),
                BREAKER.rests(name),
            )
            for name in names
        ],
        disputes=disputes.shown(),
        refused=sorted(events.refused(days=7).items()),
        newest=events.newest_refused(),
        notices=f"{web.base_url()}/payments/notices",
    )


@blueprint.post("/owner/payments/checks")
@identity.needs("connect_systems")
def check_gateway() -> ResponseReturnValue:
    """Ask a provider whether its set-up works, and say what is wrong. One that must be told where
    it tells of complaints is told."""
    name = forms.text("gateway", least=1, most=16)
    found = set_up(current_app.config).get(name)
    if found is None:
        raise NotFound("This shop has no such gateway")
    said, tone = _tested(found)
    flash(said, tone)
    return redirect(url_for("payment.gateways"), 303)


def _tested(gateway: Gateway) -> tuple[str, str]:
    """What to tell the owner, and in which tone."""
    try:
        answer = call(gateway, lambda: gateway.check(web.base_url()) or Approved("works"))
    except (GatewayTimeout, GatewayAway):
        return gettext("It does not answer. Try again in a minute."), "warn"
    if not isinstance(answer, Declined):
        if not _listens(gateway):
            return gettext("Its keys are right, but it will not tell of complaints."), "warn"
        return gettext("It answers, and its keys are right."), "good"
    words = {
        "api_key": gettext("The APIv3 key has not 32 characters: no notice can be opened."),
        "set_up": gettext("It does not know our key. Copy the key anew from its console."),
        "key": gettext("One of the keys is no key: something was lost when it was copied."),
        "bank_account": gettext("The account or the BIC is mistyped: its check digits are wrong."),
        "webhook_id": gettext("The id of the webhook is missing: no notice can be believed."),
        "webhook_secret": gettext("The signing secret is missing: no notice can be believed."),
    }
    other = gettext("It answers with the error %(code)s.", code=answer.reason)
    return words.get(answer.reason, other), "warn"


def _listens(gateway: Gateway) -> bool:
    """Whether the shop hears of complaints there; asked of who can hear any."""
    if not isinstance(gateway, Hears):
        return True
    hears, url = gateway, f"{web.base_url()}/payments/notices/{gateway.name}"
    try:
        said = call(gateway, lambda: hears.listen(url) or Approved("listens"))
    except (GatewayTimeout, GatewayAway):
        return False
    return not isinstance(said, Declined)
