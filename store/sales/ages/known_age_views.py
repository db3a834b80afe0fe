"""The page on which a member lets the shop remember their age, or ends it."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import forms as fields
from ... import identity
from ..shown_views import blueprint
from . import known_ages

__all__ = ["my_age", "remembers_ages", "set_age"]


@blueprint.app_template_global()
def remembers_ages() -> bool:
    """Whether this shop remembers ages at all."""
    return known_ages.is_on()


@blueprint.app_template_global()
def may_remember_age() -> bool:
    """Whether a receipt offers it to whoever is signed in."""
    member = identity.current() if known_ages.is_on() else None
    return member is not None and known_ages.of(member.id) is None


@blueprint.get("/me/age")
def my_age() -> str:
    """What is remembered, and one tap for the other."""
    member = identity.signed_in()
    return render_template("sales/my_age.html", known=known_ages.of(member.id))


@blueprint.post("/me/age")
def set_age() -> ResponseReturnValue:
    member = identity.signed_in()
    if fields.flag("wanted"):
        known_ages.want(member.id)
        flash(gettext("Saved. The next time somebody looks at your ID, it is remembered."), "good")
    else:
        known_ages.forget(member.id)
        flash(gettext("Nothing of your age is remembered."), "good")
    sale = fields.text("sale", most=20)
    to = url_for("sales.receipt", sale_id=sale) if sale else url_for("sales.my_age")
    return redirect(to, 303)
