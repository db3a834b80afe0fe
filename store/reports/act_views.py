"""The owner's page of the logbook: what staff did, searched, and as CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, tzinfo

from flask import Response, render_template, request, stream_with_context

from .. import identity, logbook, web
from ..identity import members
from ..spreadsheets import guarded, written
from . import acts
from .calendar import zone
from .customers import customer_views
from .daily import daily_views
from .funnel import funnel_views
from .returned import returned_views
from .views import blueprint

__all__ = ["blueprint", "customer_views", "daily_views", "funnel_views", "returned_views"]

PAGE = 50
HEAD = ("id", "at", "member", "name", "via", "request", "act", "kind", "object", "place", "before",
        "after", "done_at")  # fmt: skip


@blueprint.get("/owner/log", endpoint="acts")
@identity.needs("see_log")
def log() -> str:
    """The newest acts of staff."""
    asked = acts.read(request.args)
    before = acts.read_place(request.args.get("before", ""))
    found = acts.newest(asked, before, PAGE + 1)
    shown = found[:PAGE]
    people = {one.member_id for one in shown if one.member_id}
    people |= {int(one.object) for one in shown if one.kind == "member" and one.object.isdigit()}
    return render_template(
        "reports/acts.html", asked=asked, entries=shown, who=identity.names_of(people),
        items=acts.item_names(shown), verbs=logbook.VERBS,
        staff=[(member.id, member.name or known_by) for member, known_by in members.staff()],
        older=shown[-1].place if len(found) > PAGE else None, later=before is not None,
        currency=web.setting("CURRENCY"),
    )  # fmt: skip


@blueprint.get("/owner/log.csv", endpoint="acts_csv")
@identity.needs("see_log")
def log_csv() -> Response:
    """All that the page would list."""
    asked = acts.read(request.args)
    text = written(HEAD, _rows(asked))
    answer = Response(stream_with_context(text), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="log.csv"'
    return answer


def _rows(asked: acts.Asked) -> Iterator[list[object]]:
    where, names = zone(), dict[int, str]()
    for one in acts.every(asked):
        who = one.member_id
        if who is not None and who not in names:
            names |= {who: ""} | identity.names_of([who])
        sides = ("" if side is None else json.dumps(side, ensure_ascii=False, sort_keys=True)
                 for side in (one.before, one.after))  # fmt: skip
        yield [
            one.id, _at(one.at, where), who or "",
            guarded(names.get(who or 0, "")), one.via, guarded(one.request), one.verb, one.kind,
            guarded(one.object), guarded(one.place_name or ""), *map(guarded, sides),
            _at(one.done_at, where),
        ]  # fmt: skip


def _at(moment: datetime | None, where: tzinfo) -> str:
    return moment.astimezone(where).isoformat(timespec="seconds") if moment else ""
