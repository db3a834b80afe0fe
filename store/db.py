"""The database: one way to open a transaction, and the only file that commits.

*Openers* own `with transaction():` and read as one business operation. *Joiners* begin with
`in_transaction()` and are called by openers. Nothing nests, nothing else commits.
"""

from __future__ import annotations

import functools
import logging
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from flask import current_app, g
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Engine, Integer, MetaData, bindparam, event
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from . import clock, writers

__all__ = [
    "Base",
    "BigId",
    "Moment",
    "after_commit",
    "ago",
    "before_all",
    "begun",
    "connection",
    "db",
    "in_transaction",
    "insert_new",
    "repeatable",
    "transaction",
]

log = logging.getLogger(__name__)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class _Database(SQLAlchemy):
    def _teardown_session(self, exc: BaseException | None) -> None:
        """At the end of a visit. A connection that has died by then has nothing to take back: the
        answer is made, and stays."""
        try:
            super()._teardown_session(exc)
        except DBAPIError as error:
            log.warning("database: a connection died after its last use: %s", error.orig)
            self.session.registry.clear()


# A read keeps no lock and writes nothing, so objects may stay as they were after a commit:
# reloading each of them for the answer cost an eighth of a page (docs/performance.md).
db = _Database(metadata=Base.metadata, session_options={"expire_on_commit": False})

# SQLite gives out ids by itself only to a column typed INTEGER.
BigId = BigInteger().with_variant(Integer(), "sqlite")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """A moment as whole microseconds since 1970 UTC: exact, sortable, the same on both databases,
    and cut into hours by integer division in SQL."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


def ago(how_long: timedelta) -> Any:
    """The moment so long ago, worked out when a statement runs: for those that are kept."""
    return bindparam("ago", type_=Moment(), callable_=lambda: clock.now() - how_long, unique=True)


def engine_options(url: str, threads: int) -> dict[str, Any]:
    """Pool and connection settings for a database address."""
    if url.startswith("sqlite"):
        # The busy timeout is the driver's; transactions are begun by _begin below.
        return {"connect_args": {"timeout": 10, "isolation_level": None}, "pool_size": threads}
    # Every wait has a deadline: a frozen server must not hold the shop's threads for ever.
    timeouts = "-c lock_timeout=8000 -c statement_timeout=60000"
    return {
        "pool_size": threads,
        "max_overflow": 4,
        "pool_timeout": 10,
        "pool_recycle": 1800,
        "connect_args": {
            "connect_timeout": 3,
            "options": f"{timeouts} -c idle_in_transaction_session_timeout=30000",
            "keepalives_idle": 10,
            "tcp_user_timeout": 10000,
        },
    }


def set_up_engine(engine: Engine) -> None:
    """Attach to an engine what every connection of it needs."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connected)
        event.listen(engine, "begin", _sqlite_begin)
    else:
        event.listen(engine, "handle_error", _mark_disconnect)


def _sqlite_connected(connection: sqlite3.Connection, record: object) -> None:
    # FULL on every connection: with NORMAL an acknowledged sale can be lost in a power cut.
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA wal_autocheckpoint=4000")
    cursor.execute("PRAGMA cache_size=-32000")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    # A transaction that reads first and then writes fails at once when another wrote between;
    # what is going to write takes the writer's place before it reads.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _mark_disconnect(context: ExceptionContext) -> None:
    # A server that became a standby answers 25006; the connection is of no more use to a writer.
    if getattr(context.original_exception, "sqlstate", None) == "25006":
        context.is_disconnect = True


def _info() -> dict[Any, Any]:
    return db.session().info


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the one transaction of a business operation; commit at its end, or undo all of it.

    What the request had read before is dropped first, so that every decision is made on what is
    true now. Raises RuntimeError when one is open already.
    """
    session = db.session()
    if session.info.get("open"):
        raise RuntimeError("a transaction is open already: openers do not call openers")
    session.rollback()
    session.expire_all()  # What an earlier transaction of this request has left, too.
    session.info["open"] = True
    session.info["after"] = []
    try:
        with writers.turn(shop_engine()):
            yield from _one_transaction(session)
    finally:
        g.open_session = None
        session.info["open"] = False
        session.info["driver"] = None
    for function, arguments in session.info.pop("after"):
        _run_after(function, arguments)


def _one_transaction(session: Session) -> Iterator[Session]:
    try:
        own = session.connection(execution_options={"writes": True})
        session.info["driver"] = own.connection.dbapi_connection
        g.open_session = session
        if first := session.info.get("first"):
            first()
        yield session
        session.commit()
        session.info["first"] = None
    except BaseException as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            session.invalidate()
        else:
            session.rollback()
        raise


def in_transaction() -> Session:
    """For joiners: the session of the open transaction. Raises RuntimeError outside one."""
    session = db.session()
    if not session.info.get("open"):
        raise RuntimeError("this must be called inside `with transaction():`")
    return session


def open_driver() -> Any | None:
    """The driver's connection of the open transaction (for `prepared`), or None outside one."""
    session: Session | None = g.get("open_session")
    if session is None:
        return None
    if not session._is_clean():
        session.flush()  # What the unit of work still holds back must be seen by the statement.
    return session.info["driver"]


def shop_engine() -> Engine:
    """The engine of the shop that is open, without Flask-SQLAlchemy's long way to it."""
    engine: Engine = current_app.extensions["shop_engine"]
    return engine


def connection() -> Connection:
    """The connection of this request's session, for Core statements on hot paths."""
    return db.session().connection()


def after_commit(function: Callable[..., object], *arguments: object) -> None:
    """Call the function once the open transaction is committed; a failure of it is only logged.
    What must survive a crash belongs in the outbox instead."""
    in_transaction()
    _info()["after"].append((function, arguments))


def before_all(function: Callable[[], object] | None) -> None:
    """Call the function, a joiner, at the beginning of this request's next transaction, and again
    wherever that is repeated, until one is committed. None: no more."""
    _info()["first"] = function


def begun() -> bool:
    """Whether a transaction that began with it was committed."""
    return _info().get("first") is None


def _run_after(function: Callable[..., object], arguments: tuple[object, ...]) -> None:
    try:
        function(*arguments)
    except Exception:
        log.exception("after commit: %s failed", getattr(function, "__qualname__", function))


def insert_new(table: type[Base]) -> Any:
    """An INSERT that leaves a row alone where its key is taken already."""
    if db.engine.dialect.name == "sqlite":
        return sqlite_insert(table).on_conflict_do_nothing()
    return postgresql_insert(table).on_conflict_do_nothing()


P = ParamSpec("P")
R = TypeVar("R")

# What a repeat can cure, by SQLSTATE: the server going away or coming back, serialisation
# failures, deadlocks, lock timeouts, too many connections, a pooler that lost its server.
_PASSING = {"57P01", "57P02", "57P03", "40001", "40P01", "55P03", "53300", "08P01", "25006"}
_BUDGET_S = 5.0


def repeatable(function: Callable[P, R]) -> Callable[P, R]:
    """Repeat a whole opener on a passing failure of the database, with jitter, for about 5 s.

    The opener must be safe to repeat when the answer of its commit was lost: it carries a key that
    is unique, or ends in a state that it recognises.
    """

    @functools.wraps(function)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> R:
        deadline = time.monotonic() + _BUDGET_S
        pause = 0.02
        while True:
            try:
                return function(*args, **kwargs)
            except DBAPIError as error:
                if not is_passing(error) or time.monotonic() + pause > deadline:
                    raise
                db.session.rollback()
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, 0.6)

    return repeated


def is_passing(error: DBAPIError) -> bool:
    """Whether the same work may succeed when it is repeated a little later."""
    original = error.orig
    if isinstance(original, sqlite3.OperationalError):
        return "locked" in str(original) or "busy" in str(original)
    state = getattr(original, "sqlstate", None)
    return state in _PASSING or (state is None and error.connection_invalidated)
