"""The desk's pages of groups: which items are the same but for size or colour."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import func, select

from .. import forms as fields
from .. import identity, logbook, web
from ..db import connection, db, repeatable, transaction
from ..errors import Invalid, NotFound
from .blueprint import blueprint
from .codes import find_item
from .groups import (
    LONGEST_GROUP,
    LONGEST_OPTION,
    MOST_OPTIONS,
    Texts,
    add_group,
    edit_group,
    existing,
    group_variants,
    leave,
    put_in,
)
from .models import Item, ItemGroup


@blueprint.get("/desk/groups", endpoint="groups")
@identity.needs("edit_items")
def show_groups() -> ResponseReturnValue:
    """Every group with how many variants it has, and a new one."""
    return _groups({}, "")


@blueprint.post("/desk/groups")
@identity.needs("edit_items")
def create_group() -> ResponseReturnValue:
    try:
        group_id = _add(_names(), _options())
    except Invalid as refusal:
        return _groups(request.form.to_dict(), _words(refusal)), refusal.status
    flash(gettext("Now put its variants in, each by its code."), "good")
    return redirect(url_for("catalogue.group", group_id=group_id), 303)


@blueprint.get("/desk/groups/<number:group_id>", endpoint="group")
@identity.needs("edit_items")
def show_group(group_id: int) -> ResponseReturnValue:
    return _group(group_id, {}, "")


@blueprint.post("/desk/groups/<number:group_id>")
@identity.needs("edit_items")
def change_group(group_id: int) -> ResponseReturnValue:
    _found(group_id)
    try:
        _edit(group_id, _names(), _options())
    except Invalid as refusal:
        return _group(group_id, {}, _words(refusal)), refusal.status
    flash(gettext("Saved."), "good")
    return redirect(url_for("catalogue.group", group_id=group_id), 303)


@blueprint.post("/desk/groups/<number:group_id>/variants")
@identity.needs("edit_items")
def put_variant_in(group_id: int) -> ResponseReturnValue:
    """An item becomes a variant, or gets other values."""
    group = _found(group_id)
    try:
        _put_in(group_id, fields.scanned("code"), _values(len(group.options)))
    except Invalid as refusal:
        return _group(group_id, request.form.to_dict(), _words(refusal)), refusal.status
    flash(gettext("Saved."), "good")
    return redirect(url_for("catalogue.group", group_id=group_id), 303)


@blueprint.post("/desk/groups/<number:group_id>/variants/<number:item_id>/leave")
@identity.needs("edit_items")
def take_variant_out(group_id: int, item_id: int) -> ResponseReturnValue:
    _found(group_id)
    _leave(group_id, item_id)
    flash(gettext("It is for sale by itself."), "good")
    return redirect(url_for("catalogue.group", group_id=group_id), 303)


def _groups(said: dict[str, str], fault: str) -> str:
    many = func.count(Item.id).label("many")
    query = (
        select(ItemGroup.id, ItemGroup.names, many)
        .outerjoin(Item, (Item.group_id == ItemGroup.id) & Item.archived_at.is_(None))
        .group_by(ItemGroup.id)
        .order_by(ItemGroup.id.desc())
    )
    return render_template(
        "catalogue/groups.html", groups=connection().execute(query).all(), said=said, fault=fault,
        most=MOST_OPTIONS, longest=LONGEST_OPTION, longest_name=LONGEST_GROUP,
    )  # fmt: skip


def _group(group_id: int, said: dict[str, str], fault: str) -> str:
    return render_template(
        "catalogue/group.html", group=_found(group_id), variants=group_variants(group_id),
        said=said, fault=fault, longest=LONGEST_OPTION, longest_name=LONGEST_GROUP,
    )  # fmt: skip


def _found(group_id: int) -> ItemGroup:
    found = db.session.get(ItemGroup, group_id)
    if found is None:
        raise NotFound("There is no such group", what="group")
    return found


def _words(refusal: Invalid) -> str:
    """What is wrong, in the visitor's language."""
    if refusal.field == "name":
        return str(gettext("A name that no other group has, please."))
    if refusal.field == "code":
        return str(gettext("Write the code of an item that is in no other group."))
    return str(gettext("One value for each option, and not the same as another variant."))


def _names() -> Texts:
    return _texts("name", LONGEST_GROUP)


def _texts(name: str, most: int) -> Texts:
    return {code: fields.text(f"{name}_{code}", most=most) for code in web.LANGUAGES}


def _options() -> list[Texts]:
    said = [_texts(f"option{at}", LONGEST_OPTION) for at in range(1, MOST_OPTIONS + 1)]
    while said and not any(said[-1].values()):
        said.pop()
    return said


def _values(many: int) -> list[Texts]:
    return [_texts(f"value{at}", LONGEST_OPTION) for at in range(1, many + 1)]


# Openers of the desk


@repeatable
def _add(names: Texts, options: list[Texts]) -> int:
    with transaction():
        made = add_group(names, options)
        logbook.note("group.added", made.id, after={"names": made.names})
        return made.id


@repeatable
def _edit(group_id: int, names: Texts, options: list[Texts]) -> None:
    with transaction():
        before = _said(existing(group_id))
        after = _said(edit_group(group_id, names, options))
        logbook.note("group.changed", group_id, before=before, after=after)


def _said(group: ItemGroup) -> dict[str, Any]:
    return {"names": dict(group.names), "options": list(group.options)}


@repeatable
def _put_in(group_id: int, code: str, values: list[Texts]) -> None:
    with transaction():
        item = _named(code)
        put_in(item, existing(group_id), values)
        logbook.note("variant.put_in", group_id, after={"item": item.id})


def _named(code: str) -> Any:
    item = find_item(code, base_url=web.base_url())
    if item is None:
        raise Invalid("Nothing has this code", field="code")
    return item


@repeatable
def _leave(group_id: int, item_id: int) -> None:
    with transaction() as session:
        item = session.get(Item, item_id)
        if item is None or item.group_id != group_id:
            raise NotFound("There is no such variant", what="item")
        leave(item)
        logbook.note("variant.taken_out", group_id, before={"item": item_id})
