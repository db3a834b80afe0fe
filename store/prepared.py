"""Prepared statements for the hot paths: Core statements, compiled once, run on the driver itself.

A buy and an item page are a handful of short statements, and SQLAlchemy's way from a statement to
a row took five times as long as the database did. These are the same statements, written with the
same tables and types, with that way walked once for each database. Everything else in the shop uses
the session as usual.
"""

from __future__ import annotations

import json
import os
import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Dialect,
    Engine,
    Select,
    String,
    any_,
    bindparam,
    cast,
    event,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError

from .db import open_driver, shop_engine

__all__ = ["Many", "Prepared", "as_text", "listed", "one_of"]

Build = Callable[[str], Any]
"""Makes the Core statement for a dialect's name: "sqlite" or "postgresql"."""


def one_of(column: ColumnElement[Any] | Any, name: str, dialect: str) -> ColumnElement[bool]:
    """`column IN (…)` with one parameter for the whole list, so that the statement's text is the
    same for every length. The list is given with `Many`."""
    if dialect == "sqlite":
        return column.in_(listed(name, dialect))
    kind = BigInteger() if isinstance(column.type, BigInteger) else String()
    return column == any_(bindparam(name, type_=ARRAY(kind)))


def listed(name: str, dialect: str) -> Select[Any]:
    """The texts or numbers of one list (`Many`) as rows."""
    if dialect == "sqlite":
        values = func.json_each(bindparam(name, type_=String())).table_valued("value")
        return select(values.c.value)
    return select(func.unnest(bindparam(name, type_=ARRAY(String()))))


def as_text(columns: Sequence[Any], dialect: str) -> ColumnElement[str]:
    """All rows of these columns as one text, a JSON list of lists, in no order: for what a
    statement about one thing brings along."""
    if dialect == "sqlite":
        return func.json_group_array(func.json_array(*columns), type_=String())
    return cast(func.json_agg(func.json_build_array(*columns)), String())


class Many:
    """A list for `one_of`."""

    __slots__ = ("values",)

    def __init__(self, values: Iterable[int | str]) -> None:
        self.values = list(values)


class Prepared:
    """One statement. Inside `with transaction():` it runs on that transaction's connection, else
    on one of its own that sees what is committed."""

    def __init__(self, build: Build, columns: Sequence[str] = ()) -> None:
        """`columns` names the parameters of an INSERT, in order."""
        self._build, self._columns = build, columns
        self._compiled: dict[str, _Compiled] = {}

    def all(self, **values: Any) -> list[Any]:
        """All rows, as named tuples."""
        compiled = self._of(shop_engine().dialect)
        return compiled.read(_read(compiled, compiled.bind(values), "fetchall"))

    def first(self, **values: Any) -> Any | None:
        """The only row, as a named tuple, or None."""
        compiled = self._of(shop_engine().dialect)
        row = _read(compiled, compiled.bind(values), "fetchone")
        return None if row is None else compiled.read((row,))[0]

    def committed(self, engine: Engine, **values: Any) -> Any | None:
        """The only row as it is committed, or None: needs no request and no application around
        it, and sees nothing of a transaction that is open."""
        compiled = self._of(engine.dialect)
        row = _read_committed(engine, compiled, compiled.bind(values), "fetchone")
        return None if row is None else compiled.read((row,))[0]

    def run(self, rows: Sequence[Mapping[str, Any]]) -> int:
        """Write with each of these parameters, inside the open transaction; answers how many rows
        were changed in all."""
        driver = open_driver()
        if driver is None:
            raise RuntimeError("this must be called inside `with transaction():`")
        compiled = self._of(shop_engine().dialect)
        cursor, changed = driver.cursor(), 0
        bound = [compiled.bind(row) for row in rows]
        try:
            if not compiled.takes_several:
                cursor.executemany(compiled.sql, bound)
                return int(cursor.rowcount)
            for many in _SEVERAL:
                while len(bound) >= many:
                    cursor.execute(*compiled.several(bound[:many]))
                    changed += cursor.rowcount
                    del bound[:many]
        except compiled.errors as error:
            _raise(error, compiled, driver)
        return changed

    def _of(self, dialect: Dialect) -> _Compiled:
        known = self._compiled.get(dialect.name)
        if known is None:
            statement = self._build(dialect.name)
            known = self._compiled[dialect.name] = _Compiled(statement, dialect, self._columns)
        return known


_SEVERAL = (16, 4, 1)
"""So many rows go into the table by one statement. A driver that is given many rows for one row's
statement gives the interpreter away for each of them, and takes its turn again behind all others.
A few sizes only: each is a text of its own, which the driver keeps."""
_VALUES = re.compile(r"(INSERT INTO .* VALUES )(\(.*\))( RETURNING .*)?\Z", re.S)
_PLACE = re.compile(r"%\((\w+)\)s")


def _with_constants(compiler: Any) -> Any:
    """A compiler that writes what never changes into the statement's text. A constant that is bound
    costs its binding every time; and where SQLite has a partial index over its column, it compiles
    the statement anew for each run, since what is bound might decide whether the index serves:
    that took ten times as long as the item page's statement itself."""

    class WithConstants(compiler):  # type: ignore[misc]
        def visit_bindparam(self, bindparam: Any, **options: Any) -> Any:
            several, value = bindparam.expanding, bindparam.value
            kinds = {type(one) for one in value or ()} if several else {type(value)}
            if kinds and kinds <= {int, str} and not bindparam.callable and not bindparam.required:
                text = self.render_literal_bindparam(bindparam)
                return f"({text})" if several else text
            return super().visit_bindparam(bindparam, **options)

    return WithConstants


class _Compiled:
    """A statement's text for one database, with what its values need on the way in and out."""

    def __init__(self, statement: Any, dialect: Dialect, columns: Sequence[str]) -> None:
        compiler = _with_constants(dialect.statement_compiler)
        compiled: Any = compiler(dialect, statement, column_keys=list(columns) or None)
        self.sql = str(compiled)
        self.dialect: Any = dialect
        self.errors: type[Exception] = dialect.dbapi.Error  # type: ignore[union-attr]
        values = _VALUES.match(self.sql) if columns else None
        self.takes_several = values is not None
        self._values: Sequence[str] = values.groups("") if values else ()
        self._texts: dict[int, str] = {1: self.sql}
        self._row: Any = None
        self._may_have_lists = not columns
        # SQLite takes parameters in order, PostgreSQL by name.
        self._order: list[str] | None = compiled.positiontup
        self._names = list(dict.fromkeys(self._order or compiled.binds))
        self._pick = itemgetter(*self._order) if self._order and len(self._order) > 1 else None
        processors = {name: _in(compiled.binds[name].type, dialect) for name in self._names}
        places: Iterable[tuple[Any, str]] = (
            enumerate(self._order) if self._order is not None else zip(self._names, self._names)
        )
        self._to_driver = [
            (at, processor) for at, name in places if (processor := processors[name]) is not None
        ]
        # What never changes, and what is worked out when the statement runs (the time of now).
        binds = {name: bind for name, bind in compiled.binds.items() if name in self._names}
        self._constant = {
            name: bind.value
            for name, bind in binds.items()
            if bind.callable is None and not bind.required
        }
        self._worked_out = [
            (name, bind.callable) for name, bind in binds.items() if bind.callable is not None
        ]
        if columns or not hasattr(statement, "selected_columns"):
            return
        selected = list(statement.selected_columns)
        self._row = namedtuple("Row", [column.key for column in selected])  # type: ignore[misc]
        self._from_driver = [
            (at, processor)
            for at, column in enumerate(selected)
            if (processor := _out(column.type, dialect)) is not None
        ]

    def bind(self, values: Mapping[str, Any]) -> Any:
        """The parameters as the driver takes them."""
        if self._constant or self._worked_out:
            values = {**self._constant, **values}
            for name, work_out in self._worked_out:
                if name not in values:
                    values[name] = work_out()
        if self._pick is not None:
            bound: Any = list(self._pick(values))
        elif self._order is not None:
            bound = [values[name] for name in self._order]
        else:
            bound = {name: values[name] for name in self._names}
        for at, processor in self._to_driver:
            value = bound[at]
            if type(value) is not Many:
                bound[at] = processor(value)
        if self._may_have_lists:
            for at, value in enumerate(bound) if self._order is not None else bound.items():
                if type(value) is Many:
                    bound[at] = self._list(value.values)
        return bound

    def several(self, bound: Sequence[Any]) -> tuple[str, Any]:
        """The statement and its parameters for so many rows at once, each bound before."""
        many = len(bound)
        if many == 1:
            return self.sql, bound[0]
        if many not in self._texts:
            head, group, tail = self._values
            groups = [_PLACE.sub(rf"%(\1_{at})s", group) for at in range(many)]
            self._texts[many] = head + ", ".join(groups) + tail
        if self._order is not None:
            return self._texts[many], [value for row in bound for value in row]
        named = {f"{name}_{at}": row[name] for at, row in enumerate(bound) for name in row}
        return self._texts[many], named

    def _list(self, values: list[int | str]) -> Any:
        return json.dumps(values) if self.dialect.name == "sqlite" else values

    def read(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        made = []
        for row in rows:
            values = list(row)
            for at, processor in self._from_driver:
                values[at] = processor(values[at])
            made.append(self._row._make(values))
        return made


def _in(kind: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    processor: Callable[[Any], Any] | None = kind.dialect_impl(dialect).bind_processor(dialect)
    if processor is not None and isinstance(kind, JSON) and dialect.name == "sqlite":
        made = processor
        return lambda value: "{}" if value == {} else made(value)
    return processor


def _out(kind: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    processor: Callable[[Any], Any] | None = kind.dialect_impl(dialect).result_processor(
        dialect, None
    )
    if processor is not None and isinstance(kind, JSON) and dialect.name == "sqlite":
        made = processor
        return lambda value: {} if value == "{}" else made(value)
    return processor


# Connections for single reads, outside a transaction. Checking one out of the engine's pool and in
# again took twice as long as the item page's statement, so what is idle here stays open.
_idle: WeakKeyDictionary[Engine, list[Any]] = WeakKeyDictionary()
_of_parents: list[object] = []


def _forked() -> None:
    """A child must neither use nor close what its parent talks through."""
    global _idle
    _of_parents.append(dict(_idle))
    _idle = WeakKeyDictionary()


os.register_at_fork(after_in_child=_forked)


def _close_idle(engine: Engine) -> None:
    for driver in _idle.pop(engine, []):
        driver.close()


def _idle_of(engine: Engine) -> list[Any]:
    idle = _idle.get(engine)
    if idle is None:
        idle = _idle.setdefault(engine, [])
        if not event.contains(engine, "engine_disposed", _close_idle):
            event.listen(engine, "engine_disposed", _close_idle)
    return idle


def _reader(engine: Engine) -> Any:
    try:
        return _idle_of(engine).pop()
    except IndexError:
        fairy = engine.raw_connection()
        fairy.detach()
        driver: Any = fairy.dbapi_connection
        if engine.dialect.name == "postgresql":
            driver.autocommit = True  # Neither a BEGIN nor a ROLLBACK is sent for a single read.
        return driver


def _read(compiled: _Compiled, parameters: Any, fetch: str) -> Any:
    """Run a read on the open transaction's connection, or on one of its own that sees what is
    committed. A connection that was lost since it was used last is replaced once."""
    driver = open_driver()
    if driver is not None:
        try:
            return getattr(driver.cursor().execute(compiled.sql, parameters), fetch)()
        except compiled.errors as error:
            _raise(error, compiled, driver)
    return _read_committed(shop_engine(), compiled, parameters, fetch)


def _read_committed(shop: Engine, compiled: _Compiled, parameters: Any, fetch: str) -> Any:
    for last in (False, True):
        driver = _reader(shop)
        try:
            found = getattr(driver.cursor().execute(compiled.sql, parameters), fetch)()
        except compiled.errors as error:
            gone = compiled.dialect.is_disconnect(error, driver, None)
            with suppress(compiled.errors):
                driver.close()
            if last or not gone:
                _raise(error, compiled, driver)
            continue
        _idle_of(shop).append(driver)
        return found
    raise AssertionError("unreachable")


def _raise(error: Exception, compiled: _Compiled, driver: Any) -> NoReturn:
    """The driver's error as SQLAlchemy's, so that callers know one family of them."""
    dialect: Any = compiled.dialect
    gone = dialect.is_disconnect(error, driver, None)
    raise DBAPIError.instance(
        compiled.sql, None, error, dialect.dbapi.Error, hide_parameters=True,
        connection_invalidated=gone or getattr(error, "sqlstate", None) == "25006",
        dialect=dialect,
    ) from error  # fmt: skip
