"""Pages of a till's day: opening it, cash in and out, the X report now, the count, the close, and
the Z report of a closed day."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import func, select

from ... import forms as fields
from ... import (
    identity,
    ids,
    money,
    stock,
)
from ...db import db
from ...errors import Invalid, NotFound
from ...payment import tills as cash
from ...payment.gateways.offered import codes
from ...spreadsheets import guarded, written
from .. import forms
from ..shown_views import blueprint
from ..staff import place_here
from . import till_days, till_sums
from .till_days import (
    COUNTED,
    Closing,
    Moved,
    TillChanged,
)
from .till_models import (
    Till,
    TillCount,
    TillDay,
    TillTry,
)

NOTES = {"CNY": (10_000, 5_000, 2_000, 1_000, 500, 100, 50, 10)}
"""Notes and coins in minor units, by currency, for counting them one by one."""


@blueprint.get("/desk/till/day")
@identity.needs("sell")
def till_day() -> str:
    """The day of a till as it is now: the X report. Changes nothing."""
    place, seller = _whose()
    till = till_days.till_of(place.id, seller.id, forms.currency())
    day = till_days.open_day_of(till)
    found = till_sums.entries(till, day) if till is not None and day is not None else []
    mine = till_days.latest_try(day, found) if day is not None else None
    means = _countable(found, mine)
    return render_template(
        "sales/till_day.html", place=place, seller=seller, till=till, day=day, mine=mine,
        left=till_days.left_in(till), sums=_shown(found, mine), countable=means,
        currency=forms.currency(), key=ids.new(), notes=NOTES.get(forms.currency(), ()),
        shown=mine is not None or not _blind(), late=[one for one in found if one.late],
        plain=lambda minor: money.text(minor, forms.currency()), own=_is_own(seller),
    )  # fmt: skip


def _shown(found: list[till_sums.Entry], mine: TillTry | None) -> dict[str, till_sums.Sum]:
    """The sums by means, of those that were counted though nothing came, too."""
    sums = till_sums.sums(found)
    for means in mine.counted if mine is not None else ():
        sums.setdefault(means, till_sums.Sum(means, 0, 0, 0, 0, 0))
    return sums


def _whose() -> tuple[stock.Location, Any]:
    """Where, and whose drawer: one's own; an owner may ask for anybody's of the staff."""
    me, said = identity.signed_in(), request.values.get("seller", "")
    if not said or said == str(me.id):
        return place_here(), me
    if not identity.allows(me, "see_sales") or not (said.isascii() and said.isdigit()):
        raise NotFound("There is no such till")
    if len(said) > 15:
        raise NotFound("There is no such till")
    found = identity.by_id(int(said))
    if not identity.allows(found, "sell"):
        raise NotFound("There is no such till")
    return place_here(), found


def _is_own(seller: Any) -> bool:
    return bool(seller.id == identity.signed_in().id)


def _blind() -> bool:
    """Whether this person counts before they see what should be there."""
    blind = bool(current_app.config["TILL_BLIND"])
    return blind and not identity.allows(identity.signed_in(), "see_sales")


def _countable(found: list[till_sums.Entry], mine: TillTry | None) -> list[str]:
    """What is asked for: cash, the terminal, and the providers whose codes this till shows."""
    offered = [
        one.name for one in codes(current_app.config, amount_minor=1, currency=forms.currency())
    ]
    used = {one.means for one in found} | set(mine.counted if mine else ())
    return [one for one in COUNTED if one in ("cash", "card") or one in used or one in offered]


@blueprint.post("/desk/till/day")
@identity.needs("sell")
def open_till() -> ResponseReturnValue:
    place, seller = _whose()
    till_days.open_day(
        place.id, seller.id, forms.currency(), fields.amount("opening", forms.currency()),
        fields.text("reason", most=200), made_by=identity.signed_in().id,
    )  # fmt: skip
    flash(gettext("The till is open."), "good")
    return _back(seller)


@blueprint.post("/desk/till/day/moves")
@identity.needs("sell")
def move_cash() -> ResponseReturnValue:
    """Cash comes in from the safe, goes there, or is spent."""
    _, seller = _whose()
    way = fields.choice("way", ("in", "safe", "expenses"))
    minor = fields.amount("amount", forms.currency(), least=1)
    asked = Moved(
        _own_day(seller), minor if way == "in" else -minor,
        cash.EXPENSES if way == "expenses" else cash.SAFE,
        fields.text("reason", least=1, most=200), forms.purchase_key(),
    )  # fmt: skip
    till_days.move(asked, made_by=identity.signed_in().id)
    flash(gettext("Written down."), "good")
    return _back(seller)


@blueprint.post("/desk/till/day/counts")
@identity.needs("sell")
def count_till() -> ResponseReturnValue:
    """What was counted, before anybody says what should be there."""
    _, seller = _whose()
    counted = {"cash": _counted_cash()}
    for means in COUNTED[1:]:
        said = fields.text(f"counted-{means}", most=20)
        if said:
            counted[means] = money.parse(said, forms.currency(), field=f"counted-{means}")
    till_days.count(_own_day(seller), counted, made_by=identity.signed_in().id)
    return _back(seller)


def _counted_cash() -> int:
    """The amount, or the sum of the notes and coins. Raises Invalid."""
    pieces = {note: fields.whole(f"notes-{note}", least=0, most=100_000, default=0)
              for note in NOTES.get(forms.currency(), ())}  # fmt: skip
    total = sum(note * many for note, many in pieces.items())
    said = fields.text("counted-cash", most=20)
    if not said and not any(pieces.values()):
        raise Invalid("Count the cash", field="counted-cash")
    amount = money.parse(said, forms.currency(), field="counted-cash") if said else total
    if said and total and amount != total:
        raise Invalid("The notes are another sum than the amount", field="counted-cash")
    return amount


@blueprint.post("/desk/till/day/closings")
@identity.needs("sell")
def close_till() -> ResponseReturnValue:
    """Close the day, once."""
    _, seller = _whose()
    day_id = fields.text("day", least=1, most=20)
    if day_id not in _days_of(seller):
        raise NotFound("There is no such day of a till")
    reasons = {means: fields.text(f"reason-{means}", most=200) for means in COUNTED}
    asked = Closing(day_id, fields.text("count", least=1, most=20),
                    fields.amount("banked", forms.currency()), reasons)  # fmt: skip
    try:
        till_days.close_day(asked, made_by=identity.signed_in().id)
    except TillChanged:
        flash(gettext("Something was sold or given back since the count. Count again."), "warn")
        return _back(seller)
    return redirect(url_for("sales.till_report", day_id=day_id), 303)


def _own_day(seller: Any) -> str:
    """The day that the page was about. Raises NotFound where it is not of this drawer."""
    day_id = fields.text("day", least=1, most=20)
    if day_id not in _days_of(seller):
        raise NotFound("There is no such day of a till")
    return day_id


def _days_of(seller: Any) -> set[str]:
    query = select(TillDay.id).join(Till, Till.id == TillDay.till_id)
    mine = query.where(Till.seller_id == seller.id, Till.location_id == place_here().id)
    return set(db.session.scalars(mine.order_by(TillDay.opened_at.desc()).limit(2)))


def _back(seller: Any) -> ResponseReturnValue:
    own = _is_own(seller)
    return redirect(url_for("sales.till_day", seller=None if own else seller.id), 303)


@blueprint.get("/desk/till/days")
@identity.needs("sell")
def till_days_list() -> str:
    """Closed days: one's own, and for an owner those of everybody at this location."""
    me, place = identity.signed_in(), place_here()
    all_ = identity.allows(me, "see_sales")
    found = till_sums.days(place.id, None if all_ else me.id)
    open_ = _open_tills(place.id) if all_ else []
    people = {till.seller_id for _, till in (*found, *open_)}
    return render_template(
        "sales/till_days.html", place=place, days=found, opened=open_, differences=_differences(
            [day.id for day, _ in found]), who=identity.names_of(people),
        currency=forms.currency(),
    )  # fmt: skip


def _open_tills(location_id: int) -> list[tuple[TillDay, Till]]:
    query = select(TillDay, Till).join(Till, Till.id == TillDay.till_id).where(
        Till.location_id == location_id, TillDay.closed_at.is_(None)
    )  # fmt: skip
    return [(row[0], row[1]) for row in db.session.execute(query.order_by(TillDay.opened_at))]


def _differences(day_ids: list[str]) -> dict[str, int]:
    """By how much the cash of each day differed."""
    query = select(
        TillCount.day_id, func.sum(TillCount.counted_minor - TillCount.expected_minor)
    ).where(TillCount.day_id.in_(day_ids), TillCount.means == "cash")
    rows = db.session.execute(query.group_by(TillCount.day_id))
    return {row[0]: int(row[1] or 0) for row in rows}


@blueprint.get("/desk/till/days/<day_id>")
@identity.needs("sell")
def till_report(day_id: str) -> str:
    """The Z report of a closed day, for the screen and for paper."""
    return render_template("sales/till_report.html", **_report(day_id))


@blueprint.get("/desk/till/days/<day_id>/csv")
@identity.needs("sell")
def till_report_csv(day_id: str) -> Response:
    """Everything that a closed day was made of."""
    found = _report(day_id)
    head = ("number", "kind", "id", "means", "amount", "at", "late", "currency")
    currency = found["till"].currency
    rows = (
        (found["day"].number, one.kind, guarded(one.source_id), one.means,
         money.text(one.amount_minor, currency), one.at.isoformat(),
         "late" if one.late else "", currency)
        for one in found["entries"]
    )  # fmt: skip
    response = Response(written(head, rows), mimetype="text/csv")
    name = f"till-{found['till'].id}-{found['day'].number}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _report(day_id: str) -> dict[str, Any]:
    """A closed day: one's own; an owner sees all. Raises NotFound."""
    me, day = identity.signed_in(), db.session.get(TillDay, day_id)
    till = db.session.get(Till, day.till_id) if day is not None else None
    if day is None or till is None or day.closed_at is None:
        raise NotFound("There is no such day of a till")
    if till.seller_id != me.id and not identity.allows(me, "see_sales"):
        raise NotFound("There is no such day of a till")
    counts = db.session.scalars(select(TillCount).where(TillCount.day_id == day_id))
    tries = db.session.scalars(select(TillTry).where(TillTry.day_id == day_id).order_by(TillTry.id))
    found = till_sums.of_day(day_id)
    people = {till.seller_id, day.opened_by, day.closed_by or 0}
    return {
        "day": day, "till": till, "entries": found, "sums": till_sums.sums(found),
        "counts": sorted(counts, key=lambda one: (one.means != "cash", one.means)),
        "tries": list(tries), "place": stock.location_by_id(till.location_id),
        "who": identity.names_of(people - {0}),
        "moves": [one for one in found if one.kind == "move"],
        "late": [one for one in found if one.late],
    }  # fmt: skip
