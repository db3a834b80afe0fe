"""Backup and restore: a copy of a running shop is whole, or there is none."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade

from store import backup, commands, create_app
from store.db import db
from store.identity import passwords
from tests.conftest import Database
from tests.crashes.load import Load
from tests.live import ROOT, Start
from tests.world import World

HELD = 1_000_000


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    passwords.set_hasher(passwords.QUICK)
    yield
    passwords.set_hasher(passwords.STRONG)


@pytest.fixture
def settings(settings: dict[str, Any], database: Database) -> dict[str, Any]:
    if database.kind != "sqlite":
        pytest.skip("a shop on PostgreSQL is copied by the server's own tools")
    return settings


@pytest.fixture
def file(database: Database) -> Path:
    return Path(database.url.removeprefix("sqlite:///"))


def elsewhere(tmp_path: Path, name: str = "elsewhere") -> Flask:
    """A shop of its own that has no database yet."""
    folder = tmp_path / name
    return create_app({"INSTANCE": str(folder), "SECRET_KEY": "another", "TESTING": True})


def run(app: Flask, *arguments: object) -> tuple[int, str, str]:
    done = app.test_cli_runner().invoke(args=[str(one) for one in arguments])
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    return done.exit_code, done.stdout, done.stderr


def keys_in(file: Path) -> set[str]:
    with sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True) as connection:
        return {row[0] for row in connection.execute("SELECT key FROM sales")}


def leftovers(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir() if "partial" in one.name or "restor" in one.name]


def test_a_copy_is_the_shop_somewhere_else(world: World, app: Flask, tmp_path: Path) -> None:
    sale, copy = world.sale(), tmp_path / "copy.sqlite3"
    assert run(app, "backup", copy) == (0, f"{copy}\n", "")
    other = elsewhere(tmp_path)
    code, said, _ = run(other, "restore", copy)
    assert (code, Path(said.strip()).name) == (0, "store.sqlite3")
    code, said, _ = run(other, "audit", "--json")
    figures = json.loads(said.splitlines()[-1])
    assert (code, figures["ok"], figures["rows"]["sales"]) == (0, True, 1)
    moved = World.__new__(World)
    moved.app = other
    assert moved.faults() == []
    # It is a shop: its pages open, its schema is known, and the sale is there.
    with other.app_context():
        upgrade()
    assert keys_in(tmp_path / "elsewhere" / "store.sqlite3") == keys_in(copy) != set()
    assert sale.id
    assert leftovers(tmp_path) == []


def test_copies_of_a_shop_that_sells_miss_nothing_acknowledged(
    world: World, app: Flask, live_server: Start, tmp_path: Path
) -> None:
    milk = world.item(price="0.01", on_hand=HELD)
    people = [world.member(funds="100000") for _ in range(4)]
    load = Load(world, live_server(WORKERS=2), milk, people, seed=1)
    copies: list[tuple[Path, set[str]]] = []
    with load.running():
        for number in range(3):
            sold = load.answers["sold"]
            while load.answers["sold"] < sold + 30:
                time.sleep(0.02)
            known, copy = set(load.acknowledged), tmp_path / f"copy-{number}.sqlite3"
            assert run(app, "backup", copy)[0] == 0
            copies.append((copy, known))
    load.settle()
    load.check(held=HELD)
    for number, (copy, known) in enumerate(copies):
        other = elsewhere(tmp_path, f"shop-{number}")
        assert run(other, "restore", copy)[0] == 0
        assert run(other, "audit")[0] == 0
        there = keys_in(tmp_path / f"shop-{number}" / "store.sqlite3")
        assert known <= there <= load.asked.keys()
    assert len(copies[-1][1]) >= 90
    assert leftovers(tmp_path) == []


def test_copying_the_file_itself_misses_the_newest_sales(
    world: World, file: Path, tmp_path: Path
) -> None:
    """The negative control: what is in the write-ahead log is not in the file."""
    world.sale()
    copy = tmp_path / "careless.sqlite3"
    shutil.copyfile(file, copy)
    with sqlite3.connect(copy) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT COUNT(*) FROM sales").fetchone() == (0,)


def damaged(copy: Path, how: str) -> Path:
    bad = copy.with_name(f"{how}.sqlite3")
    raw = bytearray(copy.read_bytes())
    if how == "cut":
        raw = raw[: len(raw) // 2]
    elif how == "garbled":
        raw[8192:20480] = b"\x55" * 12288
    elif how == "text":
        raw = bytearray(b"This is no database at all, but it is long enough." * 100)
    elif how == "empty":
        raw = bytearray()
    bad.write_bytes(raw)
    if how == "tampered":
        with sqlite3.connect(bad) as connection:
            connection.execute("UPDATE accounts SET balance_minor = balance_minor + 1")
    elif how == "without_a_table":
        with sqlite3.connect(bad) as connection:
            connection.execute("DROP TABLE transfers")
    return bad


@pytest.mark.parametrize(
    "how", ["cut", "garbled", "text", "empty", "tampered", "without_a_table", "missing", "folder"]
)
def test_a_damaged_copy_is_refused_and_the_shop_stays(
    world: World, app: Flask, tmp_path: Path, how: str
) -> None:
    world.sale()
    copy = tmp_path / "copy.sqlite3"
    assert run(app, "backup", copy)[0] == 0
    if how == "missing":
        bad = tmp_path / "missing.sqlite3"
    elif how == "folder":
        bad = tmp_path
    else:
        bad = damaged(copy, how)
    other = elsewhere(tmp_path)
    for shop, force in ((other, ()), (app, ("--force",))):
        code, said, why = run(shop, "restore", bad, *force)
        assert (code, said) == (1, "")
        assert why.startswith("Error: ") and "Traceback" not in why
    assert not (tmp_path / "elsewhere" / "store.sqlite3").exists()
    assert world.faults() == []
    assert run(other, "restore", copy)[0] == 0
    assert leftovers(tmp_path) == leftovers(tmp_path / "elsewhere") == []


def test_a_shop_that_holds_data_is_not_overwritten(
    world: World, app: Flask, file: Path, tmp_path: Path
) -> None:
    world.sale()
    copy = tmp_path / "copy.sqlite3"
    assert run(app, "backup", copy)[0] == 0
    world.sale(world.item("bread"))
    code, _, why = run(app, "restore", copy)
    assert code == 1 and "--force" in why
    assert run(app, "audit")[0] == 0
    assert run(app, "restore", copy, "--force")[0] == 0
    aside = file.with_name(f"{file.name}.before-1")
    assert len(keys_in(aside)) == 2
    assert len(keys_in(file)) == 1
    # Nothing of the old shop's log may be played into the new one.
    assert world.faults() == []
    assert run(app, "restore", copy, "--force")[0] == 0
    assert file.with_name(f"{file.name}.before-2").exists()


def test_a_shop_that_adds_up_no_more_is_not_copied(
    world: World, app: Flask, file: Path, tmp_path: Path
) -> None:
    """A copy that fails the audit would hide the day on which the books went wrong."""
    world.sale()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE levels SET on_hand = on_hand + 1")
    copy = tmp_path / "copy.sqlite3"
    copy.write_bytes(b"an older copy")
    code, _, why = run(app, "backup", copy)
    assert code == 1 and "audit" in why
    assert copy.read_bytes() == b"an older copy"
    assert leftovers(tmp_path) == []


def test_a_copy_that_has_no_room_is_refused_and_leaves_nothing(
    world: World, file: Path, tmp_path: Path
) -> None:
    """The disk is full while it is written: the old copy stays, no half of a new one does."""
    world.sale()
    copy = tmp_path / "copies" / "copy.sqlite3"
    copy.parent.mkdir()
    copy.write_bytes(b"an older copy")
    environment = {name: text for name, text in os.environ.items() if "STORE_" not in name} | {
        "STORE_DATABASE_URL": f"sqlite:///{file}", "STORE_INSTANCE": str(tmp_path / "instance"),
    }  # fmt: skip

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))

    for command in (["backup", str(copy)], ["restore", "--force", str(file)]):
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *command],
            cwd=ROOT, env=environment, preexec_fn=no_room, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 1, done
        assert done.stderr.splitlines()[-1].startswith("Error: "), done.stderr
        assert "Traceback" not in done.stderr
    assert copy.read_bytes() == b"an older copy"
    assert leftovers(copy.parent) == leftovers(file.parent) == []
    assert world.faults() == []


def test_nowhere_to_write_and_nothing_to_copy_are_said(
    app: Flask, tmp_path: Path, world: World
) -> None:
    for target in (tmp_path, tmp_path / "no" / "such" / "folder" / "copy.sqlite3"):
        code, said, why = run(app, "backup", target)
        assert (code, said) == (1, "") and why.startswith("Error: ")
    code, _, why = run(elsewhere(tmp_path), "backup", tmp_path / "copy.sqlite3")
    assert code == 1 and "no database" in why
    assert world.faults() == []


def test_a_shop_on_postgresql_says_what_to_use_instead(tmp_path: Path) -> None:
    url = "postgresql://shop:secret@db.example:5433/shop"
    shop = create_app({"DATABASE_URL": url, "INSTANCE": str(tmp_path), "SECRET_KEY": "x"})
    for act, tool in ((backup.back_up, "pg_dump"), (backup.restore, "pg_restore")):
        with pytest.raises(backup.BackupRefused, match=tool) as refused:
            act(shop, tmp_path / "copy", commands._faults)
        assert "postgresql://shop@db.example:5433/shop" in str(refused.value)
        assert "secret" not in str(refused.value), "a password does not belong on a screen"
