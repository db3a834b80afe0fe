"""The owner's first page: today so far, against the same weekday last week, and what waits."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from .. import clock, identity
from ..db import connection
from . import act_views, figures, shown
from .attention import waiting
from .filters import read
from .stock import stock_views
from .views import blueprint, report_page

__all__ = ["act_views", "blueprint", "stock_views"]

KINDS = ("items", "channels", "locations", "means")
SHOWN = 5


@blueprint.get("/owner")
@identity.needs("see_sales")
def today() -> ResponseReturnValue:
    """Today at a glance; `location` and `currency` choose some of it. What asks for another time or
    for some goods is a question for the takings, whose page this was once."""
    asked: dict[str, Any] = request.args.to_dict()
    if asked.keys() - {"location", "currency", "lang"}:
        return redirect(url_for("reports.takings", **asked), 302)
    filters = read({**asked, "period": "today", "by": "hour"})
    report = figures.takings(filters, SHOWN, KINDS)
    who = identity.current()
    return report_page(
        "reports/today.html", filters, section="reports.today", report=report,
        series=shown.busy(report.series), time=shown.time_name(clock.now()),
        waits=waiting(connection(), lambda permission: identity.allows(who, permission)),
    )  # fmt: skip
