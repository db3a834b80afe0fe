"""Importing: every row is checked, what is wrong is named, everything else goes in, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import func, select

from store import catalogue, stock
from store.catalogue.models import Category, Item, Price
from store.db import db, transaction
from store.stock.models import Level
from tests.catalogue.conftest import Import
from tests.world import World

GREEN_TEA = ("6901234567892", "", "Green tea", "绿茶", "Hills", "Drinks", "500 ml", "3.50", "12")
OAT_MILK = ("", "OAT-1", "Oat milk", "", "Hills", "Drinks", "1 l", "12.50", "")

REPO = Path(__file__).resolve().parents[2]
SHARED = REPO.parent / "shared" / "data"


def counts() -> tuple[int, int, int, int]:
    """Items, prices, categories, and pieces on hand."""
    items, prices, categories = (
        db.session.scalar(select(func.count()).select_from(table)) or 0
        for table in (Item, Price, Category)
    )
    pieces = db.session.scalar(select(func.sum(Level.on_hand)))
    return items, prices, categories, int(pieces or 0)


def test_goods_come_in_with_all_that_the_file_says(
    app: Flask, shop: World, write_csv: Callable[..., Path], take: Import
) -> None:
    ended = take(write_csv([GREEN_TEA, OAT_MILK]), "--stock", "5")
    assert (ended.status, ended.rejects) == (0, [])
    assert ended.result == "added 2, updated 0, unchanged 0, rejected 0"
    with app.app_context():
        tea = catalogue.find_item("6901234567892")
        oat = catalogue.find_item("OAT-1")
        assert tea and oat
        assert tea.names == {"en": "Green tea", "zh": "绿茶"}
        assert (tea.gtin, tea.brand, tea.content, tea.content_unit) == (
            "06901234567892", "Hills", 500, "ml",
        )  # fmt: skip
        assert oat.gtin is None and oat.category_id == tea.category_id
        assert oat.tax_rate_bp == 1300
        assert catalogue.quote([tea.id, oat.id], None, "CNY") == {tea.id: 350, oat.id: 1250}
        assert stock.on_hand(tea.id, shop.location) == 12, "the row's own stock wins"
        assert stock.on_hand(oat.id, shop.location) == 5
        assert [item.id for item in catalogue.search("绿茶").items] == [tea.id]
    assert shop.faults() == []


def test_the_same_file_again_changes_nothing(
    app: Flask, shop: World, write_csv: Callable[..., Path], take: Import
) -> None:
    file = write_csv([GREEN_TEA, OAT_MILK])
    take(file, "--stock", "5")
    with app.app_context():
        before = counts()
        rows = db.session.execute(select(*Item.__table__.columns).order_by(Item.id)).all()
    ended = take(file, "--stock", "5")
    assert ended.result == "added 0, updated 0, unchanged 2, rejected 0"
    with app.app_context():
        assert counts() == before
        after = db.session.execute(select(*Item.__table__.columns).order_by(Item.id)).all()
    assert after == rows


def test_what_a_later_file_says_differently_is_changed_and_nothing_else(
    app: Flask, shop: World, write_csv: Callable[..., Path], take: Import
) -> None:
    take(write_csv([GREEN_TEA, OAT_MILK]))
    later = ("6901234567892", "", "Jade tea", "", "", "", "", "4.00", "99")
    ended = take(write_csv([later, OAT_MILK]))
    assert ended.result == "added 0, updated 1, unchanged 1, rejected 0"
    with app.app_context():
        tea = catalogue.find_item("6901234567892")
        assert tea and tea.names == {"en": "Jade tea", "zh": "绿茶"} and tea.brand == "Hills"
        assert "jade" in tea.search and "green" not in tea.search
        assert catalogue.quote([tea.id], None, "CNY") == {tea.id: 400}
        prices = select(Price.amount_minor).where(Price.item_id == tea.id).order_by(Price.id)
        assert list(db.session.scalars(prices)) == [350, 400], "prices are history"
        assert stock.on_hand(tea.id, shop.location) == 12, "stock is only for what is new"


def row(
    gtin: str, sku: str, name: str, brand: str = "", price: str = "1.00", on_hand: str = ""
) -> tuple[str, ...]:
    return gtin, sku, name, "", brand, "", "", price, on_hand


FAULTS = [
    # (what is wrong, the row, the column that is named, a word of the reason)
    ("bad check digit", row("6901234567890", "", "A"), "gtin", "check digit"),
    ("too short", row("69012345", "", "A"), "gtin", "check digit"),
    ("letters", row("69012345678X2", "", "A"), "gtin", "no digit"),
    ("zeros lost", row("93966811117", "", "A"), "gtin", "093966811117 would fit"),
    ("shortened", row("6.90123E+12", "", "A"), "gtin", "shortened"),
    ("no code", row("", "", "A"), "gtin", "missing code"),
    ("no price", row("", "B-1", "A", "", "", ""), "price", "missing price"),
    ("no name", row("", "B-2", "", "Hills"), "name_en", "missing name"),
    ("odd price", row("", "B-3", "A", "", "1,250", ""), "price", "more than one amount"),
    ("negative price", row("", "B-4", "A", "", "-1.00", ""), "price", "not an amount"),
    ("zero price", row("", "B-5", "A", "", "0", ""), "price", "price of 0"),
    ("other money", row("", "B-6", "A", "", "$1.00", ""), "price", "CNY"),
    ("odd stock", row("", "B-7", "A", "", "1.00", "some"), "stock", "whole number"),
    ("long name", row("", "B-8", "A" * 301), "name_en", "301 characters"),
    ("long SKU", row("", "B" * 65, "A"), "sku", "65 characters"),
    ("a bell", row("", "B-9", "A\x07"), "name_en", "U+0007"),
    ("damaged text", row("", "B-10", "Caf\ufffd"), "name_en", "U+FFFD"),
    ("a huge cell", row("", "B-11", "A", "x" * 20_001), "", "20000 characters"),
]  # fmt: skip


def test_every_fault_is_named_by_row_column_and_reason_and_the_rest_goes_in(
    app: Flask, shop: World, write_csv: Callable[..., Path], take: Import
) -> None:
    rows = [GREEN_TEA, *(fault for _, fault, _, _ in FAULTS), OAT_MILK]
    ended = take(write_csv(rows))
    assert ended.status == 0
    assert ended.result == f"added 2, updated 0, unchanged 0, rejected {len(FAULTS)}"
    for rejected, (what, fault, column, reason) in zip(ended.rejects, FAULTS, strict=True):
        number = rows.index(fault) + 2
        assert rejected["rejected_row"] == str(number), what
        assert column in rejected["rejected_column"].split(", "), what
        assert reason in rejected["rejected_reason"], (what, rejected["rejected_reason"])
        assert f"row {number}:" in ended.told
    with app.app_context():
        assert counts() == (2, 2, 1, 12)


def test_all_that_is_wrong_with_a_row_is_said_at_once(
    shop: World, write_csv: Callable[..., Path], take: Import
) -> None:
    ended = take(write_csv([("123", "", "A", "", "", "", "", "x", "y")]))
    assert ended.rejects[0]["rejected_column"] == "gtin, price, stock"


def test_a_code_twice_in_a_file_is_taken_once_and_the_second_is_named(
    app: Flask, shop: World, write_csv: Callable[..., Path], take: Import
) -> None:
    again = ("06901234567892", "", "Other tea", "", "", "", "", "9.00", "")
    file = write_csv([GREEN_TEA, again])
    for expected in ("added 1, updated 0, unchanged 0, rejected 1",
                     "added 0, updated 0, unchanged 1, rejected 1"):  # fmt: skip
        ended = take(file)
        assert ended.result == expected
        assert "row 2 has 06901234567892 already" in ended.rejects[0]["rejected_reason"]


def test_a_row_whose_codes_belong_to_two_items_is_named(
    app: Flask, shop: World, write_csv: Callable[..., Path], take: Import
) -> None:
    take(write_csv([GREEN_TEA, OAT_MILK]))
    both = ("6901234567892", "OAT-1", "Which?", "", "", "", "", "9.00", "")
    ended = take(write_csv([both]))
    assert ended.result == "added 0, updated 0, unchanged 0, rejected 1"
    assert "duplicate code: item" in ended.rejects[0]["rejected_reason"]


def test_the_rejects_can_be_mended_and_imported(
    shop: World, write_csv: Callable[..., Path], take: Import, tmp_path: Path
) -> None:
    take(write_csv([("", "=B-1", "A", "", "", "", "", "1,250", "")]))
    rejects = tmp_path / "rejects.csv"
    text = rejects.read_text("utf-8-sig")
    assert "'=B-1" in text, "a cell that looks like a formula is not run"
    mended = tmp_path / "mended.csv"
    mended.write_text(text.replace('"1,250"', "1250"), "utf-8")
    assert take(mended).result == "added 1, updated 0, unchanged 0, rejected 0"


def test_a_row_with_bytes_of_another_encoding_is_named_and_the_rest_goes_in(
    app: Flask, shop: World, write_csv: Callable[..., Path], take: Import
) -> None:
    lines = [f"S-{n},Käse Nr. {n},2.50".encode() for n in range(9)]
    lines[4] = "S-4,Käse Nr. 4,2.50".encode("cp1252")
    file = write_csv(b"sku,name,price\n" + b"\n".join(lines))
    ended = take(file)
    assert ended.result == "added 8, updated 0, unchanged 0, rejected 1"
    row = ended.rejects[0]
    assert (row["rejected_row"], row["rejected_column"]) == ("6", "name")
    assert row["rejected_reason"] == "unreadable encoding"


def test_a_file_without_prices_asks_for_one(
    app: Flask, shop: World, write_csv: Callable[..., Path], take: Import
) -> None:
    file = write_csv([("A-1", "Tea", "2.50")], ("sku", "name", "cost to us"))
    ended = take(file)
    assert ended.status == 1
    assert "--default-price" in ended.told and "cost to us" in ended.told
    with app.app_context():
        assert counts() == (0, 0, 0, 0)
    assert take(file, "--map", "price=cost to us").result.startswith("added 1")


def test_a_default_price_is_for_new_items_only(
    app: Flask, shop: World, write_csv: Callable[..., Path], take: Import
) -> None:
    file = write_csv([("A-1", "Tea")], ("sku", "name"))
    take(file, "--default-price", "2.50")
    assert take(file, "--default-price", "9.90").result.startswith("added 0, updated 0")
    with app.app_context():
        tea = catalogue.find_item("A-1")
        assert tea and catalogue.quote([tea.id], None, "CNY") == {tea.id: 250}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--map", "colour=name"), "no field 'colour'"),
        (("--map", "name=title"), "no column 'title'"),
        (("--map", "name"), "FIELD=COLUMN"),
        (("--map", "gtin=", "--map", "sku="), "No column holds a code"),
        (("--default-price", "1,250"), "more than one amount"),
        (("--stock", "5", "--location", "MOON"), "no location"),
    ],
)
def test_a_wrong_order_is_refused_before_anything_is_taken(
    options: tuple[str, ...], reason: str,
    app: Flask, shop: World, write_csv: Callable[..., Path], take: Import,
) -> None:  # fmt: skip
    ended = take(write_csv([GREEN_TEA]), *options)
    assert ended.status == 1 and reason in ended.told
    with app.app_context():
        assert counts() == (0, 0, 0, 0)


def test_chinese_headings_are_understood(
    app: Flask, shop: World, write_csv: Callable[..., Path], take: Import
) -> None:
    text = "条码;品名;品牌;规格;售价;库存\n6901234567892;绿茶;山泉;500毫升;￥3.50;7\n"
    ended = take(write_csv(text.encode("gb18030")))
    assert ended.result.startswith("added 1"), ended.told
    with app.app_context():
        tea = catalogue.find_item("6901234567892")
        assert tea and tea.names == {"zh": "绿茶"} and tea.content == 500
        assert stock.on_hand(tea.id, shop.location) == 7


def test_a_spreadsheet_that_lost_the_zeros_of_its_codes_is_understood(
    app: Flask, shop: World, take: Import, tmp_path: Path
) -> None:
    book = Workbook()
    sheet: Any = book.active
    sheet.append(["EAN", "Name", "Price"])
    sheet.append([93966811117, "Coffee creamer", 2.5])
    book.save(tmp_path / "goods.xlsx")
    assert take(tmp_path / "goods.xlsx").result.startswith("added 1")
    with app.app_context():
        assert catalogue.find_item("093966811117")


def test_what_was_archived_and_is_in_a_file_is_sold_again(
    app: Flask, shop: World, write_csv: Callable[..., Path], take: Import
) -> None:
    file = write_csv([GREEN_TEA])
    take(file)
    with app.app_context():
        tea = catalogue.find_item("6901234567892")
        assert tea
        with transaction():
            catalogue.archive_item(tea.id)
    assert take(file).result == "added 0, updated 1, unchanged 0, rejected 0"
    with app.app_context():
        again = catalogue.find_item("6901234567892")
        assert again and again.archived_at is None


def test_an_import_that_was_killed_is_finished_by_starting_it_again(
    app: Flask, shop: World, settings: dict[str, Any], write_csv: Callable[..., Path], take: Import
) -> None:
    rows = [("", f"K-{n}", f"Thing {n}", "", "Hills", f"Shelf {n % 7}", "", "1.00", "")
            for n in range(6_000)]  # fmt: skip
    file = write_csv(rows)
    environment = {f"STORE_{name}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "catalogue", "import", str(file),
               "--stock", "3"]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=REPO, env={**os.environ, **environment}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 240
        found = 0
        while not found and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
            with app.app_context():
                found = counts()[0]
    finally:
        process.send_signal(signal.SIGKILL)
        said, _ = process.communicate()
    with app.app_context():
        items, prices, _, on_hand = counts()
    assert 0 < items < 6_000, f"it was killed on its way: {said}"
    assert (prices, on_hand) == (items, 3 * items), "what is in is whole"
    ended = take(file, "--stock", "3")
    assert ended.result == f"added {6_000 - items}, updated 0, unchanged {items}, rejected 0"
    with app.app_context():
        assert counts() == (6_000, 6_000, 7, 18_000)
    assert shop.faults() == []


@pytest.mark.parametrize(
    ("database", "name", "added", "rejected", "bad_digits", "twice", "nameless"),
    [
        ("postgresql", "products_usda_branded.csv.gz", 9163, 378, 222, 101, 55),
        ("sqlite", "products_off.csv.gz", 28866, 28, 0, 26, 0),
    ],
    indirect=["database"],
)
def test_lists_of_real_products_go_in_as_they_are(
    name: str, added: int, rejected: int, bad_digits: int, twice: int, nameless: int,
    app: Flask, shop: World, take: Import,
) -> None:  # fmt: skip
    file = SHARED / name
    if not file.exists():
        pytest.skip(f"{name} is not beside this clone")
    assert "--default-price" in take(file).told
    ended = take(file, "--default-price", "2.50", "--stock", "10")
    assert ended.result == f"added {added}, updated 0, unchanged 0, rejected {rejected}"
    reasons = [row["rejected_reason"] for row in ended.rejects]
    assert sum("check digit" in reason for reason in reasons) == bad_digits
    assert sum("already" in reason for reason in reasons) >= twice
    assert sum(reason == "missing name" for reason in reasons) == nameless
    with app.app_context():
        before = counts()
        assert before[:2] == (added, added) and before[3] == 10 * added
    again = take(file, "--default-price", "2.50", "--stock", "10")
    assert again.result == f"added 0, updated 0, unchanged {added}, rejected {rejected}"
    with app.app_context():
        assert counts() == before
