"""Migrations: the schema is what the models say, on both databases, and one that is cut short at
any statement leaves the old schema or the new one, never a half."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import CheckConstraint, MetaData, inspect

from store import create_app, sales
from store.db import Base, db
from tests import postgres
from tests.conftest import SERVER, Database
from tests.live import ROOT
from tests.world import World

EVERY = 17
"""The upgrade is cut at its first statement and at every 17th after it, until one gets through:
some thirty cuts, each at another place of another migration."""


def tables() -> set[str]:
    found = set(inspect(db.engine).get_table_names())
    db.engine.dispose()
    return found - {"alembic_version"}


def differences(metadata: MetaData) -> list[Any]:
    with db.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


@pytest.mark.usefixtures("context")
def test_the_schema_is_what_the_models_say(app: Flask) -> None:
    assert differences(Base.metadata) == []
    assert differences(MetaData()) != []  # The comparison does see a table that is too many.


@pytest.mark.usefixtures("context")
def test_the_tables_have_the_checks_of_the_models(app: Flask) -> None:
    """Changing a table on SQLite means making it anew: no CHECK may get lost on the
    way, or stay when another takes its place."""
    found = inspect(db.engine)
    for name, table in Base.metadata.tables.items():
        checks = [each for each in table.constraints if isinstance(each, CheckConstraint)]
        # Sorted and not a set: a second CHECK of the same name would still be the old one.
        kept = sorted(str(each["name"]) for each in found.get_check_constraints(name))
        assert kept == sorted(str(each.name) for each in checks), name
        listed = {
            str(one["name"]): words(one["sqltext"]) for one in found.get_check_constraints(name)
        }
        assert listed == {str(each.name): words(str(each.sqltext)) for each in checks}, name
    db.engine.dispose()


def words(check: str) -> set[str]:
    """The values that a CHECK lists: each database writes the rest of it in its own way."""
    return set(re.findall(r"'(\w*)'", check))


def test_there_is_one_newest_migration() -> None:
    assert len(ScriptDirectory(str(ROOT / "store" / "migrations")).get_heads()) == 1


@pytest.mark.usefixtures("context")
def test_down_and_up_again(app: Flask) -> None:
    assert tables() == set(Base.metadata.tables)
    downgrade(revision="base")
    assert tables() == set()
    upgrade()
    assert tables() == set(Base.metadata.tables)
    assert differences(Base.metadata) == []


def test_a_shop_with_sales_keeps_them_on_the_way_down_and_up(world: World) -> None:
    """On empty tables every key holds: only rows show whether a table can be made anew."""
    lin, milk = world.member(funds="100"), world.item(on_hand=5)
    sale, other = world.buy(lin, milk), world.buy(lin, (milk, 2))
    world.refund(other, world.staff())
    before = (world.left(milk), world.balance(lin))
    with world.app.app_context():
        downgrade(revision="0001")
        db.engine.dispose()
        upgrade()
        db.engine.dispose()
        kept = {receipt.id for receipt in sales.receipts(member_id=lin.id)}
    assert kept == {sale.id, other.id}
    assert (world.left(milk), world.balance(lin)) == before
    assert world.faults() == []


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(world: World) -> None:
    world.sale()
    with world.app.app_context():
        upgrade()
    assert world.faults() == []


# Each child upgrades, and is killed at its own statement; the parent looks at what is left.
CUT_SHORT = """
import json, os, signal, sys
from flask_migrate import upgrade
from sqlalchemy import event, inspect, text
from store import create_app
from store.db import _sqlite_begin, db

url, folder, every, careless = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "careless"
app = create_app({"DATABASE_URL": url, "INSTANCE": folder, "SECRET_KEY": "any"})
with app.app_context():
    if careless:
        event.remove(db.engine, "begin", _sqlite_begin)
    last, ended = 1, False
    while not ended:
        child = os.fork()
        if not child:
            count = 0
            def cut(*given):
                global count
                count += 1
                if count == last:
                    os.kill(os.getpid(), signal.SIGKILL)
            event.listen(db.engine, "before_cursor_execute", cut)
            upgrade()
            os._exit(0)
        ended = os.waitpid(child, 0)[1] == 0
        names, version = set(inspect(db.engine).get_table_names()), None
        if "alembic_version" in names:
            with db.engine.connect() as connection:
                version = connection.scalar(text("SELECT version_num FROM alembic_version"))
        db.engine.dispose()
        print(json.dumps([last, sorted(names - {"alembic_version"}), version]), flush=True)
        last += every
        if careless and names:
            break
"""


def cut_short(url: str, folder: Path, how: str = "") -> list[tuple[set[str], str | None]]:
    command = [sys.executable, "-c", CUT_SHORT, url, str(folder), str(EVERY), how]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [(set(names), version) for _, names, version in found]


def test_an_upgrade_that_is_killed_leaves_the_old_schema_or_the_new(
    database: Database, tmp_path: Path
) -> None:
    if database.kind == "sqlite":
        url = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    else:
        server, name = Path(os.environ[SERVER]), f"empty_{os.getpid()}"
        postgres.create(server, name)
        url = postgres.address(server, name)
    try:
        found = cut_short(url, tmp_path)
    finally:
        if database.kind == "postgresql":
            postgres.drop(server, name)
    known = versions(tmp_path)
    assert len(found) > 5
    assert [one for one in found if one not in known] == []
    assert found[0] == known[0]
    assert found[-1] == known[-1]


def versions(folder: Path) -> list[tuple[set[str], str | None]]:
    """The tables of each version that the database may stand at, from none to the newest: each
    migration is a transaction of its own."""
    script = ScriptDirectory(str(ROOT / "store" / "migrations"))
    found: list[tuple[set[str], str | None]] = [(set(), None)]
    url = f"sqlite:///{folder / 'versions.sqlite3'}"
    app = create_app({"DATABASE_URL": url, "INSTANCE": str(folder), "SECRET_KEY": "any"})
    with app.app_context():
        for step in reversed(list(script.walk_revisions())):
            upgrade(revision=step.revision)
            found.append((tables(), step.revision))
    assert found[-1][0] == set(Base.metadata.tables)
    return found


def test_without_a_transaction_around_it_a_half_would_be_left(tmp_path: Path) -> None:
    """The negative control, on SQLite as its driver is by default."""
    command = [sys.executable, "-c", CUT_SHORT, f"sqlite:///{tmp_path / 'half.sqlite3'}",
               str(tmp_path), "40", "careless"]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    halves = [set(json.loads(line)[1]) for line in done.stdout.splitlines()]
    whole = set(Base.metadata.tables)
    assert any(half and not half >= whole for half in halves), done.stderr[-500:]
