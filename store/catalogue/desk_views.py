"""The desk's pages of catalogue: search, add, change and archive items."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import identity, logbook, money, web
from ..db import db, repeatable, transaction
from ..errors import Forbidden, Invalid
from . import forms, gs1
from .blueprint import blueprint
from .bundles import parts_of, read_parts
from .codes import CodeTaken, ItemNotForSale, item_path
from .costs import cost_text, costs_of, history_of, set_cost
from .deposits import deposits
from .exporting import rate_text
from .figures import read_rate
from .items import ItemFields, add_item, archive_item, bring_back, edit_item
from .models import Category, Item
from .owners import owners_of, sellers
from .pictures import PictureRefused, add_picture
from .prices import prices_of, quote, set_price
from .search import search


@blueprint.get("/desk/items")
@identity.needs("edit_items")
def desk_items() -> ResponseReturnValue:
    archived = request.args.get("archived") == "1"
    page = search(
        forms.search_words(), cursor=request.args.get("cursor", ""), limit=40, archived=archived
    )
    currency = current_app.config["CURRENCY"]
    return render_template(
        "catalogue/desk_items.html", page=page, query=forms.search_words(), archived=archived,
        prices=quote([item.id for item in page.items], None, currency), currency=currency,
        item_path=item_path,
    )  # fmt: skip


@blueprint.get("/desk/items/new")
@identity.needs("edit_items")
def new_item() -> ResponseReturnValue:
    _needs_prices()
    return _form(None, {})


@blueprint.post("/desk/items")
@identity.needs("edit_items")
def create_item() -> ResponseReturnValue:
    _needs_prices()
    _needs_costs()
    try:
        said = forms.fields(), forms.page_price(), forms.upload()
        item = _add(*said, read_parts(forms.parts_text()), forms.page_cost())
    except Invalid as refusal:
        return _again(None, refusal)
    flash(gettext("%(name)s is for sale.", name=web.in_language(item.names)), "good")
    return redirect(f"/desk/items/{item.id}", 303)


@blueprint.get("/desk/items/<number:item_id>")
@identity.needs("edit_items")
def desk_item(item_id: int) -> ResponseReturnValue:
    item = _item(item_id)
    category = db.session.get(Category, item.category_id) if item.category_id else None
    currency = current_app.config["CURRENCY"]
    price = quote([item.id], None, currency).get(item.id)
    said = {
        "brand": item.brand, "size_text": item.size_text, "gtin": item.gtin or "",
        "sku": item.sku or "", "tax_rate": rate_text(item.tax_rate_bp).rstrip("%"),
        "price": "" if price is None else money.text(price, currency),
        "tracks_batches": "1" if item.tracks_batches else "",
        "least_age": str(item.least_age or ""),
        "deposit": str(item.deposit_id or ""),
        "seller": str(owners_of([item.id]).get(item.id, "")),
        "cost": _cost_said(item.id, currency),
    }  # fmt: skip
    texts = {"name": item.names, "description": item.descriptions,
             "category": category.names if category else {}}  # fmt: skip
    for field, by_language in texts.items():
        said |= {f"{field}_{language}": text for language, text in by_language.items()}
    return _form(item, said)


@blueprint.post("/desk/items/<number:item_id>")
@identity.needs("edit_items")
def change_item(item_id: int) -> ResponseReturnValue:
    item = _item(item_id)
    if request.form.get("price", "").strip():
        _needs_prices()
    _needs_costs()
    try:
        said = forms.fields(), forms.page_price(optional=True), forms.upload()
        _edit(item_id, *said, forms.page_cost())
    except Invalid as refusal:
        return _again(item, refusal)
    flash(gettext("Saved."), "good")
    return redirect(f"/desk/items/{item_id}", 303)


@blueprint.post("/desk/items/<number:item_id>/archive")
@identity.needs("edit_items")
def archive(item_id: int) -> ResponseReturnValue:
    _archive(item_id, back=False)
    flash(gettext("No longer for sale. Its sales and labels keep its name."), "good")
    return redirect(f"/desk/items/{item_id}", 303)


@blueprint.post("/desk/items/<number:item_id>/bring-back")
@identity.needs("edit_items")
def sell_again(item_id: int) -> ResponseReturnValue:
    _archive(item_id, back=True)
    flash(gettext("For sale again."), "good")
    return redirect(f"/desk/items/{item_id}", 303)


def _needs_prices() -> None:
    """A new item has a price, and so may another one only be added by who may set prices."""
    if not identity.allows(identity.current(), "change_prices"):
        raise Forbidden(permission="change_prices")


def _may_see_costs() -> bool:
    return identity.allows(identity.current(), "see_costs")


def _needs_costs() -> None:
    """What an item costs the shop is said by who may see it."""
    if request.form.get("cost", "").strip() and not _may_see_costs():
        raise Forbidden(permission="see_costs")


def _cost_said(item_id: int, currency: str) -> str:
    known = costs_of([item_id], currency).get(item_id) if _may_see_costs() else None
    return "" if known is None else cost_text(known, currency)


def _item(item_id: int) -> Item:
    item = db.session.get(Item, item_id)
    if item is None:
        raise ItemNotForSale("There is no such item")
    return item


def _again(item: Item | None, refusal: Invalid) -> ResponseReturnValue:
    """The form as it was filled in, with the fault beside its field; nothing was kept."""
    g.faults = {refusal.field: _fault_text(refusal)}
    return _form(item, request.form.to_dict()), refusal.status


def _fault_text(refusal: Invalid) -> str:
    """What is wrong, in the visitor's language; the refusal's own words are for logs."""
    if isinstance(refusal, CodeTaken):
        return str(gettext("Item %(code)s has this already.", code=refusal.data["item"]))
    if isinstance(refusal, gs1.CodeFault):
        return str(gettext("This is no GTIN: a digit is wrong or missing."))
    if isinstance(refusal, PictureRefused):
        return str(gettext("This picture cannot be used: wrong kind, damaged or too large."))
    if refusal.field == "price":
        return str(gettext("Write the price like 12.50, without other signs."))
    if refusal.field == "cost":
        return str(gettext("Write what one costs you like 7.20 or 0.0345, more than 0."))
    if refusal.field == "parts":
        return str(
            gettext("Write codes of single items with commas between them, like 2 × D304, D300.")
        )
    if refusal.field == "seller":
        return str(gettext("Choose a seller of the list. A bundle belongs to whom its parts do."))
    if refusal.field == "tax_rate":
        return str(gettext("Write the tax in percent, like 13."))
    if refusal.field == "least_age":
        return str(gettext("Write the least age in years, like 18; empty is everybody."))
    if refusal.field == "name":
        return str(gettext("A name has 1 to 300 characters, on one line."))
    return str(gettext("This is too long, or has characters that cannot be kept."))


def _form(item: Item | None, said: dict[str, str]) -> str:
    rate = rate_text(read_rate(current_app.config["TAX_RATE"])).rstrip("%")
    return render_template(
        "catalogue/item_form.html", item=item, said=said, faults=g.get("faults", {}),
        default_rate=rate, currency=current_app.config["CURRENCY"],
        prices=prices_of(item.id, 12) if item else [], item_path=item_path,
        deposits=deposits(current_app.config["CURRENCY"]),
        costs=history_of(item.id) if item and _may_see_costs() else [], cost_text=cost_text,
        sellers=[] if item and item.is_bundle else sellers(),
        parts=parts_of([item.id]).get(item.id, []) if item and item.is_bundle else [],
    )  # fmt: skip


# Openers of the desk


@repeatable
def _add(
    fields: ItemFields, price_minor: int | None, picture_upload: bytes | None,
    parts: dict[int, int], cost: int | None,
) -> Item:  # fmt: skip
    with transaction():
        if picture_upload:
            fields["picture"] = _kept(picture_upload)
        added = add_item(
            price_minor=price_minor, currency=current_app.config["CURRENCY"],
            made_by=identity.signed_in().id, parts=parts, **fields,
        )  # fmt: skip
        logbook.note("item.added", added.id, after=_said(added) | {"price_minor": price_minor})
        _set_cost(added.id, cost)
        return added


@repeatable
def _edit(
    item_id: int, fields: ItemFields, price_minor: int | None, picture_upload: bytes | None,
    cost: int | None,
) -> None:  # fmt: skip
    with transaction():
        if picture_upload:
            fields["picture"] = _kept(picture_upload)
        before = _said(_item(item_id))
        after = _said(edit_item(item_id, made_by=identity.signed_in().id, **fields))
        logbook.note("item.changed", item_id, before=before, after=after)
        if price_minor is not None:
            currency = current_app.config["CURRENCY"]
            set_price(item_id, price_minor, currency, made_by=identity.signed_in().id)
        _set_cost(item_id, cost)


def _set_cost(item_id: int, cost: int | None) -> None:
    if cost is not None:
        currency = current_app.config["CURRENCY"]
        set_cost(item_id, cost, currency, made_by=identity.signed_in().id)


def _said(item: Item) -> dict[str, Any]:
    """What the log keeps of an item."""
    return {name: getattr(item, name) for name in _LOGGED} | {
        "seller_id": owners_of([item.id]).get(item.id)
    }


_LOGGED = (
    "names", "descriptions", "gtin", "sku", "brand", "category_id", "size_text", "tax_rate_bp",
    "tracks_batches", "least_age", "picture", "deposit_id",
)  # fmt: skip


def _kept(picture_upload: bytes) -> str:
    config = current_app.config
    return add_picture(
        picture_upload, most_bytes=config["UPLOAD_BYTES"], most_pixels=config["UPLOAD_PIXELS"]
    )


@repeatable
def _archive(item_id: int, *, back: bool) -> None:
    with transaction():
        changes = _item(item_id).archived_at is None != back
        bring_back(item_id) if back else archive_item(item_id)
        if changes:
            logbook.note("item.brought_back" if back else "item.archived", item_id)
