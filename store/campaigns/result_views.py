"""The people behind the figures of a campaign, as a page and as files."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from flask import Response, current_app, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from .. import identity, logbook, money
from ..errors import Invalid
from ..reports.calendar import zone
from ..spreadsheets import XLSX, guarded, workbook, written
from . import plans, results
from .blueprint import blueprint
from .models import Campaign
from .results import Entry

__all__ = ["blueprint"]

SHOWN = 200
STATES = ("", "drawn", "passed", "queued", "told", "bounced", "skipped")
HEAD = ("member", "name", "group", "state", "why", "turn", "told", "sales", "takings", "currency")


@blueprint.get("/owner/campaigns/<number:campaign_id>/members", endpoint="people")
@identity.needs("run_campaigns")
def people(campaign_id: int) -> str:
    """The first of them. That they were listed is in the log."""
    plan, asked = plans.known(campaign_id), _asked()
    logbook.listed("campaign", campaign=campaign_id, **asked)
    found = _entries(plan, asked)
    return render_template(
        "campaigns/people.html", plan=plan, asked=asked, many=len(found), entries=found[:SHOWN],
        names=_names(found[:SHOWN]), currency=current_app.config["CURRENCY"],
    )  # fmt: skip


@blueprint.get("/owner/campaigns/<number:campaign_id>/members.csv", endpoint="people_csv")
@identity.needs("run_campaigns")
def people_csv(campaign_id: int) -> ResponseReturnValue:
    """All of them."""
    plan, asked = plans.known(campaign_id), _asked()
    logbook.listed("campaign", campaign=campaign_id, file="csv", **asked)
    body = written(HEAD, _rows(_entries(plan, asked)))
    return _file(stream_with_context(body), "text/csv", f"campaign-{campaign_id}.csv")


@blueprint.get("/owner/campaigns/<number:campaign_id>/members.xlsx", endpoint="people_xlsx")
@identity.needs("run_campaigns")
def people_xlsx(campaign_id: int) -> ResponseReturnValue:
    plan, asked = plans.known(campaign_id), _asked()
    logbook.listed("campaign", campaign=campaign_id, file="xlsx", **asked)
    body = workbook(HEAD, _rows(_entries(plan, asked)))
    return _file(stream_with_context(body), XLSX, f"campaign-{campaign_id}.xlsx")


def _file(body: Any, mimetype: str, name: str) -> Response:
    answer = Response(body, mimetype=mimetype)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _asked() -> dict[str, str]:
    """Which of them, as the address says it. Raises Invalid."""
    group, state = request.args.get("group", ""), request.args.get("state", "")
    if group not in ("", *results.GROUPS):
        raise Invalid(f"group must be one of: {', '.join(results.GROUPS)}", field="group")
    if state not in STATES:
        raise Invalid(f"state must be one of: {', '.join(STATES[1:])}", field="state")
    bought = "1" if request.args.get("bought") else ""
    asked = {"group": group, "state": state, "bought": bought}
    return {key: value for key, value in asked.items() if value}


def _entries(plan: Campaign, asked: dict[str, str]) -> list[Entry]:
    return results.entries(
        plan, str(current_app.config["CURRENCY"]), group=asked.get("group", ""),
        state=asked.get("state", ""), bought="bought" in asked,
    )  # fmt: skip


def _names(entries: list[Entry]) -> dict[int, str]:
    return identity.names_of([one.member_id for one in entries])


def _rows(entries: list[Entry]) -> Iterator[list[object]]:
    where, currency = zone(), str(current_app.config["CURRENCY"])
    for at in range(0, len(entries), 500):
        bite = entries[at : at + 500]
        names = _names(bite)
        for one in bite:
            moments = [
                moment.astimezone(where).isoformat(timespec="seconds") if moment else ""
                for moment in (one.turn_at, one.told_at)
            ]
            yield [
                one.member_id, guarded(names.get(one.member_id, "")),
                "held" if one.held else "told", one.state, one.why, *moments, one.sales,
                Decimal(money.text(one.net_minor, currency)), currency,
            ]  # fmt: skip
