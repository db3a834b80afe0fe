"""The owner's pages of offers and coupons: what there is, a new one, what it would do, its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import catalogue, clock, identity, stock, web
from ..catalogue.models import Item
from ..db import db, repeatable, transaction
from ..errors import Invalid
from . import consent_views, forms, offers, point_views, tier_views
from .blueprint import blueprint
from .coupons import Coupon, CouponRefused
from .pricing import Case, priced
from .rules import Rule, Rules

__all__ = ["blueprint", "consent_views", "point_views", "tier_views"]

SHOWN = 6


@blueprint.get("/owner/offers", endpoint="offers")
@identity.needs("manage_offers")
def list_offers() -> str:
    return _page({})


@blueprint.post("/owner/offers")
@identity.needs("manage_offers")
def add_offer() -> ResponseReturnValue:
    """A new offer; one that is had with a coupon brings its first codes with it."""
    try:
        offer_id = _add()
    except Invalid as refusal:
        return _page(_said(refusal)), refusal.status
    flash(gettext("The offer is made."), "good")
    return redirect(url_for("membership.offer", offer_id=offer_id), 303)


@blueprint.post("/owner/offers/preview")
@identity.needs("manage_offers")
def preview_offer() -> ResponseReturnValue:
    """What the offer of the form would do to some items. Nothing is kept."""
    try:
        tried = _tried(offers.rule_of(forms.wanted()))
    except Invalid as refusal:
        return _page(_said(refusal)), refusal.status
    return _page(_said(None), tried)


@blueprint.get("/owner/offers/<number:offer_id>")
@identity.needs("manage_offers")
def offer(offer_id: int) -> str:
    return _one(offers.known(offer_id), {})


@blueprint.post("/owner/offers/<number:offer_id>/end")
@identity.needs("manage_offers")
def end_offer(offer_id: int) -> ResponseReturnValue:
    try:
        with transaction():
            ended = offers.end(offer_id, by=identity.signed_in().id)
    except Invalid as refusal:
        return _one(offers.known(offer_id), _said(refusal)), refusal.status
    flash(gettext("It holds no longer.") if ended else gettext("It had ended before."), "good")
    return redirect(url_for("membership.offer", offer_id=offer_id), 303)


@blueprint.post("/owner/offers/<number:offer_id>/codes")
@identity.needs("manage_offers")
def add_codes(offer_id: int) -> ResponseReturnValue:
    found = offers.known(offer_id)
    try:
        code, many, uses = forms.codes()
        with transaction():
            offers.add_codes(offer_id, code=code, many=many, most_uses=uses)
    except Invalid as refusal:
        return _one(found, _said(refusal)), refusal.status
    flash(gettext("The codes are made."), "good")
    return redirect(url_for("membership.offer", offer_id=offer_id), 303)


@repeatable
def _add() -> int:
    wanted = forms.wanted()
    with transaction():
        offer_id = offers.add(wanted, made_by=identity.signed_in().id)
        if wanted.by_code:
            code, many, uses = forms.codes()
            offers.add_codes(offer_id, code=code, many=many, most_uses=uses)
    return offer_id


def _said(refusal: Invalid | None) -> dict[str, Any]:
    said: dict[str, Any] = dict(request.form.to_dict())
    said["days"] = request.form.getlist("day")
    if refusal is not None:
        said |= {"fault": forms.why(refusal), "field": refusal.field}
    return said


def _page(said: dict[str, Any], tried: list[dict[str, Any]] | None = None) -> str:
    found = offers.listed()
    names = _names([each.rule for each in found])
    return render_template(
        "membership/offers.html", said=said, tried=tried, found=found, names=names,
        categories=catalogue.categories(), places=_places(),
        currency=current_app.config["CURRENCY"], zone=web.setting("TIME_ZONE"),
        day_names=_day_names(),
    )  # fmt: skip


def _one(found: offers.Known, said: dict[str, Any]) -> str:
    return render_template(
        "membership/offer.html", one=found, said=said, names=_names([found.rule]),
        codes=offers.codes_of(found.rule.id) if found.rule.by_code else [],
        own=offers.own_codes_of(found.rule.id) if found.rule.by_code else (0, 0),
        currency=current_app.config["CURRENCY"], day_names=_day_names(),
        places={place.id: place.name for place in _places()},
        many=offers.MOST_CODES,
    )  # fmt: skip


def _places() -> list[stock.Location]:
    return [place for place in stock.locations() if place.kind in stock.SELLING]


def _day_names() -> list[str]:
    return [gettext("Mon"), gettext("Tue"), gettext("Wed"), gettext("Thu"), gettext("Fri"),
            gettext("Sat"), gettext("Sun")]  # fmt: skip


def _names(rules: list[Rule]) -> dict[int, str]:
    """What each offer is for, by its id."""
    items = {rule.item_id for rule in rules if rule.item_id is not None}
    rows = db.session.query(Item.id, Item.names).filter(Item.id.in_(items)) if items else ()
    item_names = {row[0]: web.in_language(row[1]) for row in rows}
    categories = {one.id: web.in_language(one.names) for one in catalogue.categories()}
    return {
        rule.id: item_names.get(rule.item_id or 0)
        or categories.get(rule.category_id or 0)
        or gettext("Everything")
        for rule in rules
    }


def _tried(rule: Rule) -> list[dict[str, Any]]:
    """The offer on these items, or on the first that it is for: each alone, and all together, as
    a member would get it on its first day."""
    chosen, many = forms.preview_of()
    place = rule.location_id or _places()[0].id
    found = catalogue.quotes(chosen or _first(rule), place, rule.currency)
    quotes = [quote._replace(category_id=_category(quote)) for quote in found.values()]
    quotes = [quote for quote in quotes if chosen or rule.is_for(quote)][:SHOWN]
    # In force now, whatever its days and hours are.
    now = replace(rule, by_code=False, days=127, from_minute=None, to_minute=None,
                  starts_at=clock.now(), ends_at=None)  # fmt: skip
    coupon = Coupon("", 0, now, False, None, None) if rule.by_code else None
    rules = Rules(0, () if rule.by_code else (now,))
    case = Case(place, rule.channel or "shelf", rule.currency, clock.now(),
                web.setting("TIME_ZONE"), True, True, coupon,
                tiers=frozenset() if rule.tier is None else frozenset({rule.tier}))  # fmt: skip
    shown = [_row(web.in_language(each.names), [each], many, case, rules) for each in quotes]
    if len(quotes) > 1:
        shown.append(_row(gettext("All together"), quotes, many, case, rules))
    return shown


def _row(
    name: str, quotes: list[catalogue.Quote], many: int, case: Case, rules: Rules
) -> dict[str, Any]:
    full = sum(quote.amount_minor * many for quote in quotes)
    try:
        off = sum(each.off_minor for each in priced(quotes, [many] * len(quotes), case, rules))
    except CouponRefused:
        off = 0
    return {"name": name, "many": many * len(quotes), "full_minor": full, "off_minor": off,
            "left_minor": full - off}  # fmt: skip


def _first(rule: Rule) -> list[int]:
    query = db.session.query(Item.id).filter(Item.archived_at.is_(None))
    if rule.item_id is not None:
        query = query.filter(Item.id == rule.item_id)
    if rule.category_id is not None:
        query = query.filter(Item.category_id == rule.category_id)
    return [row[0] for row in query.order_by(Item.id).limit(50)]


def _category(quote: catalogue.Quote) -> int | None:
    found = db.session.get(Item, quote.item_id)
    return found.category_id if found is not None else None
