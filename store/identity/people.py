"""The owner's page about people: who works here, what they may do, and closing an account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from .. import forms as fields
from .. import logbook
from ..db import transaction
from ..errors import Invalid
from . import (
    admitting,
    confirm_views,
    factors,
    forms,
    identifiers,
    members,
    passwords,
    pins,
    rights,
)
from .login import needs
from .models import ROLES

__all__ = ["register"]


def register(blueprint: Blueprint) -> None:
    """Add these pages to the room's."""
    page = "/owner/people"
    one = f"{page}/<number:member_id>"
    blueprint.add_url_rule(page, "people", people)
    blueprint.add_url_rule(page, "add_person", add_person, methods=["POST"])
    blueprint.add_url_rule(f"{one}/role", "set_role", set_role, methods=["POST"])
    blueprint.add_url_rule(f"{one}/rights", "set_rights", set_rights, methods=["POST"])
    blueprint.add_url_rule(f"{one}/disable", "disable", disable, methods=["POST"])
    blueprint.add_url_rule(f"{one}/enable", "enable", enable, methods=["POST"])
    blueprint.add_url_rule(f"{one}/password", "reset_password", reset_password, methods=["POST"])
    blueprint.add_url_rule(f"{one}/second", "reset_second", reset_second, methods=["POST"])


@needs("manage_staff")
def people() -> ResponseReturnValue:
    """Staff and owners; and whoever is looked for by e-mail or phone."""
    wanted = request.args.get("who", "")[:254]
    found = identifiers.find(wanted) if wanted else None
    if found:
        logbook.seen(found.id, "people")
    known_by = identifiers.first_of(found.id) if found else ""
    return _page(wanted=wanted, found=found, known_by=known_by)


@needs("manage_staff")
def add_person() -> ResponseReturnValue:
    """Somebody new gets a generated password; somebody who shops here keeps their own."""
    role = fields.choice("role", ("staff", "owner"))
    typed = ""
    try:
        typed, name = forms.identifier(), forms.name()
        known = identifiers.find(typed)
        if known is None:
            password = passwords.generate()
            kept = passwords.hashed(password)
            with transaction():
                added = members.new_member(typed, kept, role=role, name=name)
    except (Invalid, identifiers.IdentifierTaken) as refusal:
        return _page(typed=typed, said=forms.fault(refusal)[1], status=refusal.status)
    if known is None:
        return _page(shown=(added.id, typed, password))
    members.set_role(known.id, role)
    flash(_("They had an account already; their role is changed and their password kept."), "good")
    return redirect(url_for("identity.people"), 303)


@needs("manage_staff")
def set_role(member_id: int) -> ResponseReturnValue:
    members.set_role(members.by_id(member_id).id, fields.choice("role", ROLES))
    flash(_("The role is changed."), "good")
    return redirect(url_for("identity.people"), 303)


@needs("manage_staff")
def set_rights(member_id: int) -> ResponseReturnValue:
    """What this person may: one of the usual sets, or what is ticked."""
    preset = fields.choice("preset", ("", *rights.PRESETS), default="")
    wanted = rights.PRESETS[preset] if preset else request.form.getlist("right")[:100]
    rights.give(members.by_id(member_id).id, wanted)
    flash(_("The rights are changed."), "good")
    return redirect(url_for("identity.people"), 303)


@needs("manage_staff")
def disable(member_id: int) -> ResponseReturnValue:
    members.disable(members.by_id(member_id).id)
    flash(_("The account is closed, and signed out everywhere."), "good")
    return redirect(url_for("identity.people"), 303)


@needs("manage_staff")
def enable(member_id: int) -> ResponseReturnValue:
    members.enable(members.by_id(member_id).id)
    flash(_("The account is open again."), "good")
    return redirect(url_for("identity.people"), 303)


@needs("manage_staff")
def reset_password(member_id: int) -> ResponseReturnValue:
    """For somebody who forgot theirs: another one, shown this once."""
    member = members.by_id(member_id)
    known_by = identifiers.first_of(member.id)
    password = passwords.generate()
    members.set_password(member.id, passwords.hashed(password))
    return _page(shown=(member.id, known_by, password))


@needs("manage_staff")
def reset_second(member_id: int) -> ResponseReturnValue:
    """For somebody who lost phone and paper. Whoever finds the owner's phone must not do it."""
    if not confirm_views.signed_in_anew():
        raise pins.SignInAgain()
    factors.reset(members.by_id(member_id).id)
    flash(_("The second step is reset, and they are signed out everywhere. They set up another "
            "when they sign in."), "good")  # fmt: skip
    return redirect(url_for("identity.people"), 303)


def _page(status: int = 200, **values: Any) -> ResponseReturnValue:
    staff, found = members.staff(), values.get("found")
    shown = [member.id for member, _known_by in staff] + ([found.id] if found else [])
    page = render_template(
        "identity/people.html",
        staff=staff,
        two_steps=admitting.having(shown),
        rights_of=rights.of_staff,
        presets=rights.PRESETS,
        **values,
    )
    response = make_response(page, status)
    # A password that is shown once must not be found by going back.
    response.headers["Cache-Control"] = "no-store"
    return response
