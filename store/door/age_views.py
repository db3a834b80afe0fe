"""Pages of the age at the exit: the question, and what a person who looked says."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import clock, forms, identity, sales
from ..catalogue import OLDEST
from ..errors import NotFound
from ..sales.refunds.refund_limits import ApprovalNeeded
from . import ages
from .blueprint import blueprint
from .page_views import verdict_page
from .place import here
from .uses import Check

__all__ = ["answer_age", "ask_age"]


@blueprint.get("/desk/exit/<sale_id>/age")
@identity.needs("check_exit")
def ask_age(sale_id: str) -> str:
    """The question about a bag, or how it was answered. Changes nothing."""
    found = ages.asked_of(sale_id)
    receipt = sales.receipt(sale_id) if found else None
    if receipt is None:
        raise NotFound("There is no such check")
    waits = next((each for each in found if each.state == "open"), None)
    if waits is not None:
        return verdict_page(outcome="age_first", receipt=receipt, data=_shown(waits))
    return verdict_page(outcome="age_over", receipt=receipt, answered=found[-1],
                        by=identity.names_of([found[-1].by]).get(found[-1].by, ""))  # fmt: skip


@blueprint.post("/desk/exit/<sale_id>/age")
@identity.needs("check_exit")
def answer_age(sale_id: str) -> ResponseReturnValue:
    """Old enough: the bag goes on. Not: what is from this age on stays here and is paid back."""
    answer = forms.choice("answer", ("yes", "no"))
    least_age = forms.whole("least_age", least=1, most=OLDEST)
    key = forms.text("key", least=8, most=64)
    asked = Check(identity.signed_in().id, here().id, clock.now(), key)
    say = ages.old_enough if answer == "yes" else ages.too_young
    try:
        left = say(sale_id, least_age, asked)
    except ages.AgeOver:
        flash(gettext("Somebody else was faster; this is how it stands now."), "warn")
        return _to("door.ask_age", sale_id)
    except ApprovalNeeded:
        words = gettext("Two people must agree to so much: refund it on the sale's page.")
        flash(words, "warn")
        return _to("door.ask_age", sale_id)
    except sales.NotSoManyLeft:
        flash(gettext("Some of it is announced as a return: settle it on the sale's page."), "warn")
        return _to("door.ask_age", sale_id)
    if left.outcome == "check_first":
        return _to("door.spot_check", sale_id)
    if left.outcome == "age_first":
        return _to("door.ask_age", sale_id)
    outcome = left.outcome if answer == "yes" else f"age_{left.outcome}"
    return verdict_page(outcome=outcome, receipt=left.receipt, left=left)


def _shown(waits: ages.Asked) -> dict[str, Any]:
    return {"least_age": waits.least_age, "born_by": waits.born_by.isoformat()}


def _to(page: str, sale_id: str) -> ResponseReturnValue:
    return redirect(url_for(page, sale_id=sale_id), 303)
