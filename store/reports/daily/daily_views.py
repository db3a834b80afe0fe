"""The daily mail: the page on which somebody says that they want it, the mail itself, and the link
in it that ends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import (
    forms,
    identity,
    money,
    post,
    stock,
    web,
)
from ...db import connection
from ...post.speaking import link_to
from ...stock.counting import SoldOut, sold_out
from .. import figures, shown
from ..attention import waiting
from ..calendar import (
    date_of,
    day_number,
    midnight,
    today,
)
from ..figures import Report
from ..filters import Filters, read
from ..views import blueprint
from . import daily
from .daily import Subject

__all__ = ["blueprint"]

KINDS = ("items", "channels", "locations")
SHOWN = 5
STALE_DAYS = 3
"""A mail that could not be sent for so long is of no use any more."""

web.exempt_from_csrf("reports.daily_stopped")


@blueprint.get("/owner/mail", endpoint="daily")
@identity.needs("see_sales")
def show() -> str:
    """Whether one gets it, where it goes, when, and a test."""
    member = identity.signed_in()
    return render_template(
        "reports/daily.html", wanted=daily.wanted_by(member.id), to=daily.to_of(member.id),
        at=daily.at().strftime("%H:%M"), time_zone=current_app.config["TIME_ZONE"],
        can_mail=post.can_mail(current_app.config), has_address=bool(web.setting("BASE_URL")),
        is_practice=current_app.config["PRACTICE_POST"],
    )  # fmt: skip


@blueprint.post("/owner/mail", endpoint="set_daily")
@identity.needs("see_sales")
def save() -> ResponseReturnValue:
    wanted = forms.flag("wanted")
    daily.wish(identity.signed_in().id, wanted)
    flash(gettext("From tomorrow on you get a mail each day.") if wanted
          else gettext("You get no more daily mails."), "good")  # fmt: skip
    return redirect(url_for("reports.daily"), 303)


@blueprint.post("/owner/mail/test", endpoint="test_daily")
@identity.needs("see_sales")
def send_test() -> ResponseReturnValue:
    to = daily.test(identity.signed_in().id)
    flash(gettext("It is on its way to %(address)s.", address=to), "good")
    return redirect(url_for("reports.daily"), 303)


@blueprint.get("/stop/daily/<mark>", endpoint="daily_stop")
def show_stop(mark: str) -> str:
    """Whoever opens the link sees one button: programs that look at links press none."""
    daily.read_mark(mark)
    return render_template("reports/daily_stop.html", mark=mark, done=False)


@blueprint.post("/stop/daily/<mark>", endpoint="daily_stopped")
def do_stop(mark: str) -> str:
    """The button of the page, or of a mail program (RFC 8058, which wants no redirect)."""
    daily.stop(daily.read_mark(mark))
    return render_template("reports/daily_stop.html", mark=mark, done=True)


@post.writes(daily.KIND)
def write(subject: str, to: str, language: str) -> post.Mail | None:
    """The mail about a day. None where it is not wanted any more, its reader may not see the
    takings any more, its day is long over, or nothing was to be told: a day on which the shop was
    closed, as a week before, and on which nothing waits but goods to order."""
    about = Subject.read(subject)
    member = identity.by_id(about.member_id)
    late = day_number(today()) - about.day > STALE_DAYS
    if late or daily.to_of(member.id) != to or not identity.allows(member, "see_sales"):
        return None
    if not about.is_test and not daily.wanted_by(member.id):
        return None
    told = _told(about.day, lambda permission: identity.allows(member, permission))
    waits = any(one.kind != "orders" for one in told["waits"])
    if not (about.is_test or told["report"].figures.sales or waits or told["comparable"]):
        return None
    stop = link_to(daily.stop_path(member.id))
    page = told | {"link": link_to, "stop": stop, "name": member.name}
    return post.Mail(
        to, _subject(told), render_template("reports/daily_mail.txt", **page),
        render_template("reports/daily_mail.html", **page), language, unsubscribe=stop,
    )  # fmt: skip


def _told(day: int, may: Any) -> dict[str, Any]:
    """What the mail says of a day. Nothing in it names a shopper."""
    on = date_of(day)
    filters = read({"from": on.isoformat(), "to": on.isoformat(), "by": "hour"})
    report = figures.takings(filters, SHOWN, KINDS)
    waits = waiting(connection(), may)
    return {
        "filters": filters, "report": report, "links": shown.Links(filters), "shown": shown,
        "number": shown.number, "waits": waits, "sees_costs": may("see_costs"),
        "sold_out": _sold_out(day), "day": on,
        "shop": current_app.config["SHOP_NAME"], "best_hour": _best_hour(report),
        "comparable": bool(report.before.sales or report.before.refunds),
        "change": shown.change(report.figures.total_minor, report.before.total_minor),
        "time_zone": current_app.config["TIME_ZONE"],
        "several_places": len(stock.locations()) > 1,
    }  # fmt: skip


def _subject(told: dict[str, Any]) -> str:
    report: Report = told["report"]
    filters: Filters = told["filters"]
    amount = money.show(report.figures.total_minor, filters.currency, web.language())
    day = shown.day_name(told["day"])
    return str(
        gettext("%(shop)s: %(amount)s on %(day)s", shop=told["shop"], amount=amount, day=day)
    )


def _best_hour(report: Report) -> str:
    best = max(report.series, key=lambda line: line.figures.total_minor, default=None)
    if best is None or best.figures.total_minor <= 0:
        return ""
    return f"{int(best.code):02}:00–{int(best.code) + 1:02}:00"


def _sold_out(day: int) -> list[tuple[stock.Location, SoldOut]]:
    """What was sold until nothing was left, in the week until then, by place."""
    since = midnight(day) - timedelta(days=6)
    return [
        (place, item) for place in stock.locations() for item in sold_out(place.id, since, SHOWN)
    ]
