"""The owner's pages of campaigns: drafted, looked at, started, paused, ended."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import clock, identity, money, web
from .. import forms as fields
from ..db import repeatable, transaction
from ..errors import Invalid
from ..membership.consents import CHANNELS
from ..reports import shown
from . import campaign_form_views, drawing, effects, letter_views, plans, results, saved, states
from .blueprint import blueprint
from .models import Campaign
from .segment_views import words

__all__ = ["blueprint"]


@blueprint.get("/owner/campaigns", endpoint="campaigns")
@identity.needs("run_campaigns")
def list_campaigns() -> str:
    found = plans.listed()
    names = {one.segment_id: saved.known(one.segment_id).name for one in found}
    return render_template("campaigns/campaigns.html", found=found, names=names, now=clock.now())


@blueprint.get("/owner/campaigns/new", endpoint="new_campaign")
@identity.needs("run_campaigns")
def new() -> str:
    said = {"held": "20", "days": "14", "channel": "mail", "own": "1"}
    return _form(said | {"segment": request.args.get("segment", "")})


@blueprint.post("/owner/campaigns", endpoint="add_campaign")
@identity.needs("run_campaigns")
def add() -> ResponseReturnValue:
    """A new draft. Nothing is sent before it is started from its own page."""
    try:
        campaign_id = _add()
    except Invalid as refusal:
        return _form(_said(refusal)), refusal.status
    return redirect(url_for("campaigns.campaign", campaign_id=campaign_id), 303)


@blueprint.get("/owner/campaigns/<number:campaign_id>", endpoint="campaign")
@identity.needs("run_campaigns")
def show(campaign_id: int) -> str:
    """A draft with its counts and words as they will be read; then how far it is and what it
    brought."""
    plan = plans.known(campaign_id)
    return _page(plan)


@blueprint.get("/owner/campaigns/<number:campaign_id>/change", endpoint="change_campaign")
@identity.needs("run_campaigns")
def change(campaign_id: int) -> str:
    plan = plans.known(campaign_id)
    if plan.state != "draft":
        raise states.CampaignMoved(state=plan.state)
    return _form(_as_form(plan), plan)


@blueprint.post("/owner/campaigns/<number:campaign_id>", endpoint="save_campaign")
@identity.needs("run_campaigns")
def save(campaign_id: int) -> ResponseReturnValue:
    plan = plans.known(campaign_id)
    try:
        _save(campaign_id)
    except Invalid as refusal:
        return _form(_said(refusal), plan), refusal.status
    return redirect(url_for("campaigns.campaign", campaign_id=campaign_id), 303)


@blueprint.post("/owner/campaigns/<number:campaign_id>/steps", endpoint="step_campaign")
@identity.needs("run_campaigns")
def step(campaign_id: int) -> ResponseReturnValue:
    """Start, pause, resume, end, drop. Raises CampaignMoved."""
    event = fields.choice("step", states.EVENTS[:4] + ("drop",))
    plan = plans.known(campaign_id)
    if event == "start" and letter_views.why_not(plan):
        raise Invalid("Something is missing to start it: its page says what", field="channel")
    state = _step(campaign_id, event)
    says = {
        "start": gettext("It is started."), "pause": gettext("It pauses: nothing more is sent."),
        "resume": gettext("It goes on."), "end": gettext("It is ended."),
        "drop": gettext("The draft is dropped."),
    }  # fmt: skip
    flash(says[event], "good")
    if state == "dropped":
        return redirect(url_for("campaigns.campaigns"), 303)
    return redirect(url_for("campaigns.campaign", campaign_id=campaign_id), 303)


@repeatable
def _add() -> int:
    wanted = campaign_form_views.wanted()
    with transaction():
        return plans.add(wanted, made_by=identity.signed_in().id)


@repeatable
def _save(campaign_id: int) -> None:
    wanted = campaign_form_views.wanted()
    with transaction():
        plans.change(campaign_id, wanted)


@repeatable
def _step(campaign_id: int, event: str) -> str:
    with transaction():
        return states.move(campaign_id, event)


def _said(refusal: Invalid) -> dict[str, Any]:
    said: dict[str, Any] = dict(request.form.to_dict())
    return said | {"fault": campaign_form_views.why(refusal), "field": refusal.field}


def _as_form(plan: Campaign) -> dict[str, Any]:
    zone = ZoneInfo(web.setting("TIME_ZONE"))
    due = plan.due_at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if plan.due_at else ""
    said = {"name": plan.name, "segment": str(plan.segment_id), "channel": plan.channel,
            "coupon": plan.coupon or "", "held": str(plan.held_percent), "days": str(plan.days),
            "due": due, "own": plan.own_codes or not plan.coupon}  # fmt: skip
    for language, texts in plan.texts.items():
        said |= {f"subject_{language}": texts["subject"], f"words_{language}": texts["words"]}
    return said


def _form(said: dict[str, Any], plan: Campaign | None = None) -> str:
    return render_template(
        "campaigns/campaign_form.html", said=said, plan=plan, segments=saved.listed(),
        channels=CHANNELS, zone=web.setting("TIME_ZONE"), quiet=web.setting("QUIET_HOURS"),
        most_held=plans.MOST_HELD, most_days=plans.MOST_DAYS,
    )  # fmt: skip


def _page(plan: Campaign) -> str:
    segment, now = saved.known(plan.segment_id), clock.now()
    found, held = None, 0
    if plan.drawn_at is None and plan.state in ("draft", "running"):
        found = drawing.find(plan.segment_id, plan.channel)
        held = sum(drawing.is_held(plan.id, one, plan.held_percent) for one in found.members)
    currency = str(current_app.config["CURRENCY"])
    return render_template(
        "campaigns/campaign.html", plan=plan, segment=segment, segment_words=words(segment.segment),
        steps=states.steps_of(plan.state), found=found, held=held, now=now, currency=currency,
        cap=(int(current_app.config["CAMPAIGN_LETTERS"]), int(current_app.config["CAMPAIGN_DAYS"])),
        previews=letter_views.previews(plan, now), why_not=letter_views.why_not(plan),
        result=results.result(plan, currency) if plan.drawn_at else None, shown=shown,
        own_codes=results.own_codes(plan.id) if plan.drawn_at and plan.own_codes else None,
        number=shown.number, signed=_signed, points=_points,
        fewest=(effects.FEWEST, effects.FEWEST_BUYERS),
    )  # fmt: skip


def _signed(minor: float) -> str:
    """A difference of money, with its sign."""
    amount = round(minor)
    text = money.show(abs(amount), str(current_app.config["CURRENCY"]), web.language())
    # A word joiner, so that no line ends after the sign.
    return f"−\u2060{text}" if amount < 0 else f"+\u2060{text}" if amount else text


def _points(part: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{part * 100:+.1f}".replace("-", "−")
