"""The page behind a label: one item, for everybody who scans it; the hottest page of the shop.

One statement reads all that it shows (`shelf.item_page`); the page itself is rendered once for all
who see the same (`holes`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup

from ... import (
    catalogue,
    delivery,
    identity,
    ids,
    labels,
    web,
)
from ...catalogue import gs1
from ...catalogue.markdowns import reduced_minor
from ...delivery import rates
from .. import forms
from ..orders.order_goods import pieces_of
from ..shown_views import blueprint
from ..till.marked import Marked, marked_at
from . import beside, item_facts
from .elsewhere import (
    SHOWN,
    Elsewhere,
    elsewhere,
    elsewhere_of,
    far,
)
from .item_offers import item_offers
from .packs import refuse_pack
from .shelf import item_page
from .variants import Option, choices


@blueprint.get("/i/<code>")
def item_by_code(code: str) -> ResponseReturnValue:
    """An item without a GTIN, by its short code."""
    return _item("code", ids.normalise(code)[:16])


@blueprint.get("/01/<path:rest>", endpoint="item")
def item_by_gtin(rest: str) -> ResponseReturnValue:
    """The page behind a label: a GS1 Digital Link on the shop's own host. Everything but the plain
    form (batches, serials, link types, deviations) goes by the resolver's rules."""
    if len(rest) == 14 and not forms.asks_for_links():
        query = web.visited().environ.get("QUERY_STRING", "")
        if not query or _LABEL_ONLY.match(query):
            return _item("gtin", rest)
    resolved = catalogue.resolve()
    if resolved.answer is not None:
        return current_app.response_class(*resolved.answer)
    return _item("gtin", resolved.gtin, resolved.ais)


_LABEL_ONLY = re.compile(r"l=[0-9A-Z]+\Z")
"""What stands behind the GTIN on our own labels: nothing that strict reading must look at."""


_NO_PACK: Mapping[str, str] = {}


def _item(by: str, value: str, pack: Mapping[str, str] = _NO_PACK) -> ResponseReturnValue:
    """`pack` is what the pack that was scanned says of itself, by application identifier."""
    here, shop = web.visited(), current_app.config
    query = here.environ.get("QUERY_STRING", "")
    said = here.args.get("l", "")[:40] if query else ""
    wanted = item_facts.asked(here, by, value, said, forms.location_code(), shop)
    read = here.environ.get(item_facts.READ)
    row = read[1] if read and read[0] == wanted else item_page(wanted)
    identity.recognise(row)
    bad = labels.trouble(row, said, wanted.label_id) if row and said else None
    if bad:
        _tell_staff(bad, row, wanted.label_id)
    if row is None or row.archived_at is not None or row.price_minor is None:
        if by == "gtin" and not gs1.is_gtin(value):
            catalogue.resolve()  # Says what is wrong with the number.
        raise catalogue.ItemNotForSale("This item is not for sale here")
    if "10" in pack or "17" in pack:
        refuse_pack(row.id, row.location_id, pack)
    web.visit()  # The page's form needs a secret to be bound to.
    asked = here.args.get("quantity", "1") if query else "1"
    quantity = int(asked) if asked in _QUANTITIES else 1
    parts = catalogue.parts_of([row.id]).get(row.id, []) if row.is_bundle else []
    gone = _elsewhere(row, quantity) if row.is_bundle else None
    options = () if row.group_id is None else _options(row, here.language)
    near = _near(row, quantity) if row.tracks_batches else None
    offers, hints = item_offers(row, quantity, near.percent if near else 0)
    if not query or "quantity" not in here.args:  # How many, is no scan.
        item_facts.count_scan(forms.scans(), here, row, wanted)
    found = item_facts.facts(
        here, row, said, wanted.label_id, quantity, shop,
        (str(parts), gone) if parts else None, options,
        reduced_minor(row.price_minor, near.percent) if near else None,
        near.expires_on if near else None, offers, hints,
    )  # fmt: skip
    if row.member_id is not None:
        path = request.full_path if query else request.path
        found.words["card"] = beside.shown(row.rules_mark, path)
    return item_facts.pages.page(
        found.key,
        lambda marks: _rendered(
            row, parts, found.shown, marks, gone if row.is_bundle else _elsewhere(row, quantity)
        ),
        found.words,
    )


def _tell_staff(bad: str, row: Any, label_id: str | None) -> None:
    """The sticker that was scanned goes on the list of bad ones."""
    is_staff = identity.allows(identity.current(), "print_labels")
    seen_by = identity.signed_in().id if is_staff else None
    labels.saw(labels.Sighting(bad, row.location_id, row.id, label_id, seen_by=seen_by))


def _options(row: Any, language: str) -> tuple[Option, ...]:
    """Only who looks at a variant asks what else there is."""
    sells_all = row.when_empty == "sell"
    return choices(row.group_id, row.id, row.location_id, forms.currency(), language, sells_all)


def _near(row: Any, quantity: int) -> Marked | None:
    """Whether so many of an item that is tracked by batch are near their date here."""
    near = marked_at([(row.id, row.location_id)]).get((row.id, row.location_id))
    return near if near is not None and quantity <= near.left else None


def _elsewhere(row: Any, quantity: int) -> Elsewhere | None:
    """Where else the item is, where the shelf is empty: the nearest places, and what it costs to
    have it brought. Of a bundle all parts are looked for; of all else the row knows it."""
    if (row.on_hand or 0) > 0:
        return None
    piece_g = int(current_app.config["PIECE_G"])
    if row.is_bundle:
        pieces = pieces_of({row.id: quantity})
        weight = delivery.weight_g(pieces, piece_g)
        found = elsewhere(pieces, row.location_id, forms.currency(), weight)
    else:
        weight = rates.grams(row.content, row.content_unit, piece_g) * quantity
        found = elsewhere_of(row, quantity, weight)
    return replace(found, places=found.places[:SHOWN])


def _rendered(
    row: Any,
    parts: Any,
    shown: dict[str, Any],
    marks: Mapping[str, Markup],
    gone: Elsewhere | None,
) -> str:
    """The item page with marks for what differs from visitor to visitor."""
    names, descriptions, category = (
        json.loads(text or "null") for text in (row.names, row.descriptions, row.category_names)
    )
    label_fits = shown["label_id"] is not None and row.label_item_id == row.id
    other = "en" if web.language() == "zh" else "zh"
    price = shown["price_minor"]
    unit_minor, unit_text = catalogue.unit_price(price, row.content, row.content_unit)
    changed = label_fits and row.label_price_minor != price
    return render_template(
        "sales/item.html",
        item=SimpleNamespace(
            id=row.id, code=row.code, gtin=row.gtin, sku=row.sku,
            name=web.in_language(names),
            other_name=names.get(other) if len(names) > 1 else None,
            brand=row.brand, size_text=row.size_text,
            description=web.in_language(descriptions),
            category_name=web.in_language(category), picture=row.picture,
            parts=parts,
            returns=catalogue.rule_of(row.return_rule),
            least_age=max([row.least_age, *(part.least_age for part in parts)]),
        ),
        full_minor=row.price_minor, deposit_minor=row.deposit_minor, currency=forms.currency(),
        unit_price_minor=unit_minor,
        unit_text=unit_text, was_minor=row.label_price_minor if changed else None,
        location=row.location_code, location_name=row.location_name,
        label=shown["said"] if label_fits else "",
        warning=_warning(row, shown["said"], label_fits),
        left_text=marks["left"], key=marks["key"], balance_text=marks["balance"],
        short_text=marks["short"], bought_sale=marks["sale"], card=marks["card"],
        elsewhere=gone, far=far,
        csrf_field=lambda: Markup('<input type="hidden" name="csrf" value="{}">').format(
            marks["csrf"]
        ),
        **shown,
    )  # fmt: skip


_QUANTITIES = {str(number) for number in range(1, forms.MOST_AT_ONCE + 1)}


def _warning(row: Any, said: str, label_fits: bool) -> str | None:
    """What is wrong with the sticker that was scanned, if anything."""
    if not said:
        return None
    if not label_fits:
        return str(
            gettext(
                "This label was not made by this shop for this item. Please check that the "
                "picture is what you hold, or ask the staff."
            )
        )
    if row.label_revoked_at is not None:
        return str(gettext("This label is out of date. The price below is the one that counts."))
    return None
