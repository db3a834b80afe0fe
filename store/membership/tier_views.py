"""Pages of tiers: the owner sets them, a member sees theirs and what is missing to the next."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from .. import forms, identity, money, web
from ..db import repeatable, transaction
from ..errors import Invalid
from . import point_rules, tier_plans, tiers
from .blueprint import blueprint
from .tier_models import BASES
from .tier_plans import LONGEST_NAME, MOST_DAYS, MOST_PERCENT, MOST_TIERS, Wanted
from .tiers import USUAL, Plan, Standing, Tier


@blueprint.app_template_global()
def my_tier() -> Standing | None:
    """Where the member who is signed in stands; None in a shop without tiers."""
    member, plan = identity.current(), tiers.now()
    return tiers.standing_of(member.id, plan) if member is not None and plan is not None else None


@blueprint.app_template_global()
def tier_missing(standing: Standing) -> str:
    """What is missing to the next tier, in words; empty in the highest."""
    if standing.following is None:
        return ""
    name = web.in_language(standing.following.names)
    return str(gettext("%(amount)s more to %(tier)s", tier=name,
                       amount=tier_amount(standing.plan, standing.missing)))  # fmt: skip


@blueprint.app_template_global()
def tier_amount(plan: Plan, value: int) -> str:
    """So much of what a plan goes by: money or points."""
    if plan.basis == "spending":
        return money.show(value, plan.currency, web.language())
    return str(ngettext("%(num)d point", "%(num)d points", value))


@blueprint.app_template_global()
def tier_keys() -> list[int]:
    """The tiers that an offer may be for."""
    return list(tiers.names_now())


@blueprint.app_template_global()
def tier_named(key: int) -> str:
    """Who has reached a tier, in words."""
    names = tiers.names_now().get(key)
    if names is None:
        return str(gettext("a tier that there is no more"))
    return str(gettext("from %(tier)s on", tier=web.in_language(names)))


@blueprint.get("/me/tier", endpoint="my_tier")
def show_mine() -> str:
    """Where a member stands, by which rule, and what each tier gives."""
    identity.signed_in()
    return render_template("membership/tier.html", standing=my_tier())


@blueprint.get("/owner/tiers", endpoint="tiers")
@identity.needs("manage_offers")
def show_tiers() -> str:
    return _page({})


@blueprint.post("/owner/tiers")
@identity.needs("manage_offers")
def save_tiers() -> ResponseReturnValue:
    """These tiers hold from now on; what was bought before keeps its prices and its points."""
    try:
        _save(_wanted())
    except Invalid as refusal:
        said = {"fault": _why(refusal), "field": refusal.field}
        return _page(request.form.to_dict() | said), refusal.status
    flash(gettext("The tiers hold from now on."), "good")
    return redirect(url_for("membership.tiers"), 303)


@repeatable
def _save(wanted: Wanted) -> None:
    with transaction():
        tier_plans.save(wanted, made_by=identity.signed_in().id)


def _page(said: dict[str, Any]) -> str:
    plan = tiers.now()
    form = said or (_form(plan) if plan else {"basis": "spending", "days": "365"})
    used = [at for at in range(1, MOST_TIERS + 1) if form.get(f"name_en-{at}")
            or form.get(f"name_zh-{at}")]  # fmt: skip
    return render_template(
        "membership/tiers.html", form=form, plan=plan, currency=current_app.config["CURRENCY"],
        lines=range(1, min(MOST_TIERS, max(used, default=0) + 2) + 1),
        has_rules=point_rules.now() is not None,
    )  # fmt: skip


def _form(plan: Plan) -> dict[str, str]:
    """What the form says of the tiers that there are."""
    found = {"basis": plan.basis, "days": str(plan.days)}
    for at, one in enumerate(plan.tiers, start=1):
        spending = plan.basis == "spending"
        found |= {
            f"key-{at}": str(one.key), f"name_en-{at}": one.names["en"],
            f"name_zh-{at}": one.names["zh"], f"percent-{at}": str(one.percent),
            f"least-{at}": money.text(one.least, plan.currency) if spending else str(one.least),
            f"off-{at}": str(one.off_percent or ""),
            f"free-{at}": "1" if one.free_delivery else "",
        }  # fmt: skip
    return found


def _wanted() -> Wanted:
    """The tiers that the form describes; a line without names is none. Raises Invalid."""
    currency, basis = str(current_app.config["CURRENCY"]), forms.choice("basis", BASES)
    found = []
    for at in range(1, MOST_TIERS + 1):
        en = forms.text(f"name_en-{at}", most=LONGEST_NAME)
        zh = forms.text(f"name_zh-{at}", most=LONGEST_NAME)
        if en or zh:
            names = {"en": en or zh, "zh": zh or en}
            found.append(_tier(at, names, basis, currency))
    return Wanted(basis, forms.whole("days", least=1, most=MOST_DAYS), currency, tuple(found))


def _tier(at: int, names: dict[str, str], basis: str, currency: str) -> Tier:
    least = (
        forms.amount(f"least-{at}", currency)
        if basis == "spending"
        else forms.whole(f"least-{at}", least=0, most=money.LARGEST_MINOR)
    )
    return Tier(
        forms.whole(f"key-{at}", least=0, most=10**6, default=0), names, least,
        forms.whole(f"percent-{at}", least=USUAL, most=MOST_PERCENT, default=USUAL),
        forms.whole(f"off-{at}", least=0, most=100, default=0),
        free_delivery=forms.flag(f"free-{at}"),
    )  # fmt: skip


def _why(refusal: Invalid) -> str:
    """What is wrong with the form, in the visitor's language."""
    field = (refusal.field or "").split("-")[0]
    says: dict[str, str] = {
        "points": gettext("Tiers follow from points: save the rules of points first."),
        "days": gettext("The period is 1 to %(most)d days.", most=MOST_DAYS),
        "least": gettext("A tier begins at 0 or more."),
        "percent": gettext("Points are %(least)d to %(most)d percent.", least=USUAL,
                           most=MOST_PERCENT),
        "off": gettext("Off are 0 to 100 percent."),
        "name": gettext("A name has at most %(most)d letters.", most=LONGEST_NAME),
        "name_en": gettext("A name has at most %(most)d letters.", most=LONGEST_NAME),
        "name_zh": gettext("A name has at most %(most)d letters.", most=LONGEST_NAME),
        "tiers": gettext("Each tier begins at an amount of its own. If somebody else changed them "
                         "meanwhile, look again."),
    }  # fmt: skip
    return str(says.get(field, gettext("Please look at what you have written.")))
