"""Exporting: the file gives back what import takes."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from store import catalogue
from store.catalogue.models import Category, Item
from store.db import db, transaction
from tests.catalogue.conftest import Import
from tests.world import World

ODD = [
    ("6901234567892", "", "Green tea", "绿茶", "Hills", "Drinks", "500 ml", "3.50", "5"),
    ("", "=1+1", "=HYPERLINK(0)", "", "@brand", "+cat", "-5 g", "0.01", "5"),
    ("", "'=x", "'quoted", "", "''", "", "6 x 330 ml", "12.00", "5"),
    ("", "S-3", 'a "b", c;d\te', "", "", "", "", "99999.99", ""),
    ("4006381333931", "S-4", "é ñ 😀 한국", "牛奶", "", "Drinks", "1 l", "2.00", ""),
]


def _export(app: Flask, file: Path) -> None:
    ended = app.test_cli_runner().invoke(args=["catalogue", "export", str(file)])
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.strip().splitlines()[-1] == str(len(ODD))


def _everything(app: Flask) -> list[tuple[object, ...]]:
    with app.app_context():
        left_out = {"id", "category_id", "created_at", "updated_at"}
        columns = [each for each in Item.__table__.columns if each.name not in left_out]
        query = select(*columns, Category.names).outerjoin(Category).order_by(Item.code)
        rows = [tuple(row) for row in db.session.execute(query)]
        prices = catalogue.quote(db.session.scalars(select(Item.id)), None, "CNY")
        return [*rows, tuple(sorted(prices.values()))]


@pytest.mark.parametrize("name", ["goods.csv", "goods.csv.gz", "goods.xlsx"])
def test_an_export_imported_into_an_empty_shop_is_the_same_catalogue(
    name: str, app: Flask, shop: World, write_csv: Callable[..., Path], take: Import, tmp_path: Path
) -> None:
    take(write_csv(ODD))
    before = _everything(app)
    first, second = tmp_path / name, tmp_path / f"again-{name}"
    _export(app, first)
    assert take(first).result == f"added 0, updated 0, unchanged {len(ODD)}, rejected 0"
    _empty(app)
    assert take(first).result == f"added {len(ODD)}, updated 0, unchanged 0, rejected 0"
    assert _everything(app) == before
    _export(app, second)
    if name == "goods.csv":
        assert second.read_bytes() == first.read_bytes()


def _empty(app: Flask) -> None:
    """As a shop is before its first import; only tests take history away."""
    with app.app_context(), transaction() as session:
        for table in ("movements", "levels", "prices", "items", "categories"):
            session.execute(db.metadata.tables[table].delete())


def test_no_cell_of_an_export_is_run_by_a_spreadsheet(
    app: Flask, shop: World, write_csv: Callable[..., Path], take: Import, tmp_path: Path
) -> None:
    take(write_csv(ODD))
    _export(app, tmp_path / "goods.csv")
    with (tmp_path / "goods.csv").open(encoding="utf-8-sig", newline="") as handle:
        cells = [cell for row in csv.reader(handle) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_archived_items_are_not_exported(
    app: Flask, shop: World, write_csv: Callable[..., Path], take: Import, tmp_path: Path
) -> None:
    take(write_csv(ODD[:2]))
    with app.app_context():
        tea = catalogue.find_item("6901234567892")
        assert tea
        with transaction():
            catalogue.archive_item(tea.id)
    runner = app.test_cli_runner()
    assert runner.invoke(args=["catalogue", "export", str(tmp_path / "g.csv")]).stdout == "1\n"
    refused = runner.invoke(args=["catalogue", "export", str(tmp_path / "goods.pdf")])
    assert refused.exit_code == 1 and ".xlsx" in refused.stderr
