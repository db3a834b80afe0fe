"""What the tests of the catalogue share: files to import, and the command that takes them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from tests.world import World

HEADINGS = ("gtin", "sku", "name_en", "name_zh", "brand", "category", "size", "price", "stock")


@dataclass(frozen=True)
class Imported:
    """What `flask catalogue import` said: the result, what went to standard error, how it ended."""

    result: str
    told: str
    status: int
    rejects: list[dict[str, str]]


Import = Callable[..., Imported]


@pytest.fixture
def shop(app: Flask) -> World:
    return World(app)


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    """Write rows under headings to a CSV file; bytes go in as they are."""

    def write(
        rows: Sequence[Sequence[str]] | bytes,
        headings: Sequence[str] = HEADINGS,
        name: str = "goods.csv",
    ) -> Path:
        file = tmp_path / name
        if isinstance(rows, bytes):
            file.write_bytes(rows)
        else:
            with file.open("w", encoding="utf-8", newline="") as handle:
                csv.writer(handle).writerows([headings, *rows])
        return file

    return write


@pytest.fixture
def take(app: Flask, tmp_path: Path) -> Import:
    """Run the command on a file: take(file, "--default-price", "2.50")."""

    def run(file: Path, *options: str) -> Imported:
        rejects = tmp_path / "rejects.csv"
        rejects.unlink(missing_ok=True)
        args = ["catalogue", "import", str(file), "--rejects", str(rejects), *options]
        ended = app.test_cli_runner().invoke(args=args)
        found: list[dict[str, str]] = []
        if rejects.exists():
            with rejects.open(encoding="utf-8-sig", newline="") as handle:
                found = list(csv.DictReader(handle))
        lines = ended.stdout.strip().splitlines()
        return Imported(lines[-1] if lines else "", ended.stderr, ended.exit_code, found)

    return run
