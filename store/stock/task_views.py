"""Pages of tasks: a place's queue at the desk, and a shopper's word that a shelf is empty."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_timedelta, gettext

from .. import catalogue, clock, identity, web
from ..db import transaction
from . import forms as asked
from . import tasks
from .blueprint import blueprint
from .locations import QUARANTINE, locations


@blueprint.get("/desk/tasks", endpoint="tasks")
@identity.needs("receive_stock")
def queue() -> str:
    """What is to be done at this place, who took it, and what was done lately."""
    place = asked.here()
    waiting, done = tasks.open_tasks(place.id), tasks.done_tasks(place.id)
    people = {task.taken_by for task in waiting} | {task.closed_by for task in done}
    return render_template(
        "stock/tasks.html", place=place, places=locations(), tasks=waiting, done=done,
        who=identity.names_of({one for one in people if one}), me=identity.signed_in().id,
        ago=lambda at: format_timedelta(clock.now() - at, threshold=1.2),
    )  # fmt: skip


@blueprint.post("/desk/tasks/<number:task_id>/takings")
@identity.needs("receive_stock")
def take_task(task_id: int) -> ResponseReturnValue:
    return _changed(tasks.take_task, task_id, gettext("You see to it."))


@blueprint.post("/desk/tasks/<number:task_id>/returns")
@identity.needs("receive_stock")
def give_back_task(task_id: int) -> ResponseReturnValue:
    return _changed(tasks.give_back_task, task_id, gettext("Somebody else can take it."))


@blueprint.post("/desk/tasks/<number:task_id>/ends")
@identity.needs("receive_stock")
def end_task(task_id: int) -> ResponseReturnValue:
    return _changed(tasks.close_task, task_id, gettext("Done."))


def _changed(change: Callable[[int, int], None], task_id: int, said: str) -> ResponseReturnValue:
    member = identity.signed_in()
    with transaction():
        change(task_id, member.id)
    flash(said, "good")
    return redirect(url_for("stock.tasks", at=request.args.get("at")), 303)


@blueprint.app_template_global("open_tasks")
def open_tasks() -> int:
    """How many tasks wait where this browser's staff stand, for the desk's navigation."""
    return tasks.count_open(asked.here_code())


@blueprint.app_template_global()
def shown_place(name: str) -> str:
    """A place's name in the visitor's language: that of a quarantine is made of its neighbour's."""
    beside = name.removesuffix(QUARANTINE)
    return name if beside == name else gettext("%(place)s · quarantine", place=beside)


# What a shopper tells


@blueprint.post("/shelf-reports")
def report_empty() -> ResponseReturnValue:
    """A visitor stands before an empty shelf that the book says is full: staff go and look. The
    stock stays what the book says until they have counted."""
    item, place = asked.item(), asked.place()
    back = identity.safe_next(request.form.get("next") or catalogue.item_path(item))
    identity.count_tries(identity.caller().reports(web.visit()))
    member = identity.current()
    with transaction():
        tasks.open_task(
            "shelf_empty", place.id, item.id, member_id=member.id if member else None
        )  # fmt: skip
    return redirect(url_for("stock.reported", next=back), 303)


@blueprint.get("/shelf-reports")
def reported() -> str:
    """The thanks: a page of its own, because item pages are kept for everybody."""
    return render_template("stock/reported.html", back=identity.safe_next(request.args.get("next")))
