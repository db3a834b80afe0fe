"""Many rows at once, in the way that each database takes best.

Measured with 28,866 new items: a thousand parameters in one statement cost psycopg more than the
statement costs the server. An array is one parameter, and COPY has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, Table, any_, bindparam, insert
from sqlalchemy.dialects.postgresql import ARRAY

from ..db import Base

__all__ = ["among", "insert_many"]


def among(conn: Connection, column: Any, values: Sequence[str]) -> ColumnElement[bool]:
    """Whether the column of text has one of the values."""
    if conn.dialect.name == "postgresql":
        wanted = bindparam(None, list(values), type_=ARRAY(String))
        condition: ColumnElement[bool] = column == any_(wanted)
    else:
        condition = column.in_(values)
    return condition


def insert_many(conn: Connection, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same keys."""
    if conn.dialect.name == "postgresql":
        _copy(conn, table, rows)
    else:
        conn.execute(insert(table), rows)


def _copy(conn: Connection, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    target = table.__table__
    assert isinstance(target, Table)
    processors = [
        (name, target.columns[name].type.dialect_impl(conn.dialect).bind_processor(conn.dialect))
        for name in rows[0]
    ]
    names = ", ".join(rows[0])
    cursor: Any = conn.connection.cursor()
    with cursor, cursor.copy(f"COPY {target.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([each(row[name]) if each else row[name] for name, each in processors])
