"""The export: everything that is held about a person as one JSON document, written in pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, String, TextClause, bindparam, func, literal, select, text, tuple_

from .. import clock
from ..db import Base, connection
from ..identity.merged import gone_into
from .holdings import SECTIONS, Child, Section

__all__ = ["count", "export", "of", "rows", "section_named", "values_of"]

AT_ONCE = 500


def export(member_id: int) -> Iterator[str]:
    """One JSON object: `made_at`, and each section as a list of its rows."""
    yield json.dumps({"made_at": clock.now().isoformat()})[:-1]
    values = values_of(member_id)
    for section in SECTIONS:
        yield f', "{section.name}": ['
        first = True
        for bite in _bites(section, member_id, values):
            body = ", ".join(json.dumps(row, ensure_ascii=False) for row in bite)
            yield body if first else f", {body}"
            first = False
        yield "]"
    yield "}"


def values_of(member_id: int) -> list[str]:
    """The addresses and numbers that the account has proven, now or before. What somebody else is
    known by today is theirs alone, and what was only typed may be anybody's: whoever typed it, or
    had it before, learns and erases nothing of them."""
    tables = Base.metadata.tables
    signs, changes = tables["identifiers"].c, tables["identifier_changes"].c
    own = select(signs.value).where(signs.member_id == member_id, signs.proven_at.is_not(None))
    ids = [member_id, *gone_into(member_id)]
    was = select(changes.value).where(
        changes.member_id.in_(ids),
        changes.what == "proven",
        changes.value.not_in(select(signs.value).where(signs.member_id != member_id)),
    )
    return sorted({*connection().execute(own).scalars(), *connection().execute(was).scalars()})


def section_named(name: str) -> Section | None:
    return next((one for one in SECTIONS if one.name == name), None)


def rows(section: Section, member_id: int, limit: int) -> list[dict[str, Any]]:
    """The first so many rows of a section."""
    return _page(section, member_id, values_of(member_id), None, limit)[0]


def count(section: Section, member_id: int, values: list[str]) -> int:
    table = Base.metadata.tables[section.table]
    query = select(func.count()).select_from(table).where(of(section.mine, member_id, values))
    return int(connection().execute(query).scalar() or 0)


def of(condition: str, member_id: int, values: list[str]) -> TextClause:
    """A condition of the holdings, about this person."""
    clause = text(condition)
    if ":member" in condition:
        clause = clause.bindparams(member=member_id)
    if ":values" in condition:
        clause = clause.bindparams(bindparam("values", values, String(), expanding=True))
    return clause


def _bites(section: Section, member_id: int, values: list[str]) -> Iterator[list[dict[str, Any]]]:
    after: tuple[Any, ...] | None = None
    while True:
        found, after = _page(section, member_id, values, after, AT_ONCE)
        if found:
            yield found
        if len(found) < AT_ONCE:
            return


def _page(
    section: Section, member_id: int, values: list[str], after: tuple[Any, ...] | None, limit: int
) -> tuple[list[dict[str, Any]], tuple[Any, ...] | None]:
    """Rows behind a place in the section, with what belongs to them; and the place of the last."""
    table = Base.metadata.tables[section.table]
    keys = [table.c[name] for name in section.by]
    columns = [*(table.c[name] for name in section.columns), *keys]
    condition = of(section.mine, member_id, values)
    query = select(*columns).where(condition).order_by(*keys).limit(limit)
    if after is not None:
        behind = [literal(value, key.type) for key, value in zip(keys, after, strict=True)]
        query = query.where(tuple_(*keys) > tuple_(*behind))
    found = connection().execute(query).all()
    many = len(section.columns)
    shown = [_row(section.columns, row[:many]) for row in found]
    if found and section.children:
        _add_children(section, shown, [row[-1] for row in found])
    return shown, tuple(found[-1][many:]) if found else None


def _add_children(section: Section, shown: list[dict[str, Any]], ids: list[Any]) -> None:
    by_id = dict(zip(ids, shown, strict=True))
    for child in section.children:
        for row in shown:
            row[child.name] = []
        for parent, row in _children(child, ids):
            by_id[parent][child.name].append(row)


def _children(child: Child, ids: list[Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    table = Base.metadata.tables[child.table]
    parent: Column[Any] = table.c[child.parent]
    columns = [table.c[name] for name in child.columns]
    query = select(parent, *columns).where(parent.in_(ids)).order_by(parent, *table.primary_key)
    for found in connection().execute(query):
        yield found[0], _row(child.columns, found[1:])


def _row(names: tuple[str, ...], values: Any) -> dict[str, Any]:
    return {name: _plain(value) for name, value in zip(names, values, strict=True)}


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return value
