"""A list by page: it is looked at, its columns are named, and then it goes in."""

from __future__ import annotations

import gzip
import io
import re
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import select

from store import catalogue, clock, intake, stock
from store.catalogue import importing
from store.catalogue.columns import FIELDS
from store.catalogue.intake_models import Intake, IntakePiece
from store.db import db
from store.identity import rights
from store.intake import pieces, staging, words
from store.logbook import Act
from tests.intake.conftest import HEADINGS, OAT, TEA, Desk, as_csv, counts
from tests.world import World

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40


def shown(page: str) -> list[str]:
    """The four figures of the page: new, changed, as now, refused."""
    return re.findall(r"figure-value[^>]*>(\d+)<", page)


def test_a_list_is_looked_at_and_then_taken_in_with_its_labels(
    app: Flask, world: World, desk: Desk
) -> None:
    mended = ("", "BAD-1", "Plums", "", "", "", "1,250", "", "")
    page = desk.send(as_csv([TEA, OAT, mended, TEA]), "Lieferung März.csv").text
    assert "Lieferung März.csv" in page and "UTF-8, comma between cells" in page
    assert shown(page) == ["2", "0", "0", "2"]
    assert "can mean two amounts" in page and "row 2 has 06901234567892 already" in page
    with app.app_context():
        assert counts() == (0, 0, 0, 0), "looking changes nothing"
    done = desk.press("runs", {"quantity": "5", "tax_rate": "9"})
    assert "Look once more" in done.text and desk.list().state == "open"
    assert "tax 9%" in done.text and "5 pieces" in done.text
    done = desk.press("runs", {"quantity": "5", "tax_rate": "9"})
    assert "The list is in: 4 rows." in done.text and shown(done.text) == ["2", "0", "0", "2"]
    with app.app_context():
        tea, oat = catalogue.find_item("6901234567892"), catalogue.find_item("OAT-1")
        assert tea and oat and counts() == (2, 2, 1, 17)
        assert (oat.tax_rate_bp, tea.names) == (900, {"en": "Green tea"})
        assert stock.shelves([tea.id], world.location) == {tea.id: "A1"}
    rows = desk.refused()
    assert [(row["refused row"], row["refused column"]) for row in rows] == [
        ("4", "price"), ("5", "gtin"),
    ]  # fmt: skip
    assert rows[0]["sku"] == "BAD-1" and "two amounts" in rows[0]["reason"]
    labels = desk.visitor.get(f"/desk/labels?list={desk.intake_id}").text
    assert "All 2 items of this list" in labels
    again = desk.send(as_csv([(*TEA[:6], "4.00", "99", "A1"), OAT])).text
    assert shown(again) == ["0", "1", "1", "0"]
    desk.press("runs", {"tax_rate": "13"})
    assert desk.figures() == (0, 1, 1, 0)
    with app.app_context():
        assert counts() == (2, 3, 1, 17), "a price is history, and stock is for what is new"
    assert "1 item of this list" in desk.visitor.get(f"/desk/labels?list={desk.intake_id}").text
    assert world.faults() == []


def test_columns_are_named_by_hand_and_slips_are_told(app: Flask, world: World, desk: Desk) -> None:
    german = "Artikel;Bezeichnung;VK;EK\n4-11;Käse, jung;2,50;1,10\n4-12;Brot;3,20;1,90\n"
    page = desk.send(german.encode("cp1252")).text
    assert "CP1252, semicolon between cells" in page and "No column holds a code" in page
    assert "Take in" not in page
    desk.press("runs", {"tax_rate": "13"})
    assert desk.list().state == "open", "what cannot be read cannot be taken in"
    said = {"column-0": "sku", "column-1": "name", "column-2": "price", "column-3": "price"}
    page = desk.press("columns", said | {"tax_rate": "7"}).text
    assert "VK and EK are both said to hold: Price." in page and "Take in" not in page
    page = desk.press("columns", said | {"column-3": "", "tax_rate": "seven"}).text
    assert "Write the tax in percent" in page and shown(page) == ["2", "0", "0", "0"]
    assert "Käse, jung" in page and "Take in 2 items" in page
    page = desk.press("columns", said | {"column-2": "", "column-3": "", "tax_rate": "7"}).text
    assert "No column holds prices" in page and shown(page) == ["0", "0", "0", "2"]
    page = desk.press("columns", {"price": "2.00", "tax_rate": "7"}).text
    assert shown(page) == ["2", "0", "0", "0"]
    assert desk.visitor.post(f"{desk.path}/columns", {"column-0": "colour"}).status_code == 422
    page = desk.press("end").text
    assert "Put aside" in page
    desk.press("runs", {"tax_rate": "7"})
    assert desk.list().state == "stopped" and desk.figures() == (0, 0, 0, 0)
    with app.app_context():
        assert counts() == (0, 0, 0, 0)


def test_what_is_no_list_is_refused_and_nothing_of_it_stays(
    app: Flask, world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = gzip.compress(b"sku,name,price\n" + b"0" * 3_000_000)
    many = as_csv([("", f"N-{n}", "Thing", "", "", "", "1.00", "", "") for n in range(40)])
    monkeypatch.setattr(staging, "MOST_ROWS", 30)
    monkeypatch.setattr(staging, "MOST_UNPACKED", 2_000_000)
    cases = [
        (b"", "goods.csv", "The file is empty."), (b"\n\n", "goods.csv", "The file is empty."),
        (as_csv([]), "goods.csv", "headings, but no rows"),
        (PNG, "goods.csv", "This is a picture."), (PNG, "goods.xlsx", "This is a picture."),
        (b"%PDF-1.7 ...", "goods.csv", "This is a PDF."),
        (gzip.compress(PNG), "goods.csv.gz", "This is a picture."),
        (b"\xd0\xcf\x11\xe0" * 9, "goods.xls", "Save it as .xlsx"),
        (b"PK\x03\x04 and nothing else", "goods.xlsx", "It is damaged"),
        (gzip.compress(as_csv([TEA]))[:-20], "goods.csv.gz", "It is damaged"),
        (bomb, "goods.csv.gz", "more than 1 MB"),
        (many, "goods.csv", "more than 30 rows"),
    ]  # fmt: skip
    for data, name, why in cases:
        page = desk.send(data, name).text
        assert "Nothing of this file was taken" in page and why in page, (name, why)
    assert desk.path == ""
    with app.app_context():
        kept = [db.session.query(table).count() for table in (Intake, IntakePiece)]
        assert kept == [0, 0]
    assert desk.visitor.post("/desk/items/import").status_code == 422
    too_large = desk.visitor.post(
        "/desk/items/import", file=(io.BytesIO(b"x" * (staging.MOST_BYTES + 2**20)), "a.csv")
    )
    assert too_large.status_code == 413


def test_rows_of_every_kind_are_counted_and_none_of_them_is_run(
    app: Flask, world: World, desk: Desk
) -> None:
    rows = [
        ("", "=1+1", "=cmd()", "", "", "", "1.00", "", ""),
        ("", "RTL-1", "\u202eשלום <b>", "", "", "", "2.00", "", ""),
        ("", "WIDE-1", "Tea", " green", "", "", "", "2.00", "", "", "too many"),
        ("", "LONG-1", "x" * 400, "", "", "", "1.00", "", ""),
        ("693000000000X", "", "No barcode", "", "", "", "1.00", "", ""),
    ]
    page = desk.send(as_csv(rows)).text
    assert shown(page) == ["2", "0", "0", "3"]
    assert "<b>" not in page.split("The first rows")[1].split("</section>")[0]
    assert "more cells than there are headings" in page and "no barcode" in page
    desk.press("runs", {"tax_rate": "13"})
    assert desk.figures() == (2, 0, 0, 3)
    with app.app_context():
        odd = catalogue.find_item("=1+1")
        assert odd and odd.names == {"en": "=cmd()"}
    book = Workbook()
    sheet: Any = book.active
    for row in (("EAN", "Name", "Price"), (6901234567892, "Tea", 3.5), ("", "", "")):
        sheet.append(row)
    data = io.BytesIO()
    book.save(data)
    page = desk.send(data.getvalue(), "goods.xlsx").text
    assert "Spreadsheet" in page and shown(page) == ["1", "0", "0", "0"]
    assert world.faults() == []


def test_who_may_not_set_prices_or_bring_in_stock_cannot_do_it_by_a_list(
    app: Flask, world: World
) -> None:
    staff = world.staff()
    desk = Desk(app, world.client_for(staff))
    with app.app_context():
        rights.give(staff.id, {"edit_items"})
    assert desk.visitor.get("/desk/items/import").status_code == 403
    sent = desk.visitor.post("/desk/items/import", file=(io.BytesIO(as_csv([TEA])), "a.csv"))
    assert sent.status_code == 403
    with app.app_context():
        rights.give(staff.id, {"edit_items", "change_prices"})
    desk.send(as_csv([TEA]))
    assert "may not bring in stock" in desk.press("runs", {"tax_rate": "13"}).text
    assert desk.list().state == "open"
    said = {"column-7": "", "tax_rate": "13"}
    desk.press("columns", said)
    desk.press("runs", said)
    with app.app_context():
        assert counts() == (1, 1, 1, 0)


def test_the_examples_are_lists_that_go_in(app: Flask, world: World, desk: Desk) -> None:
    for kind, language, expected in (("csv", "en", "Green tea"), ("xlsx", "zh", "绿茶")):
        example = desk.visitor.get(f"/desk/items/import/example.{kind}?lang={language}")
        page = desk.send(example.data, f"items.{kind}").text
        assert expected in page
        assert shown(page) == (["3", "0", "0", "0"] if kind == "csv" else ["0", "3", "0", "0"])
        desk.press("runs", {"tax_rate": "13"})
    assert desk.visitor.get("/desk/items/import/example.exe").status_code == 404
    chinese = desk.send(as_csv([("x", "", "A", "", "", "", "y", "z", "")])).text
    assert "这" in chinese and "no barcode" not in chinese
    assert set(words.ORDER) == set(FIELDS)
    assert world.faults() == []


def test_a_list_that_was_killed_or_stopped_goes_on_where_it_was(
    app: Flask, world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "PIECE", 10)
    rows = [("", f"K-{n % 45}", f"Thing {n}", "", "C", "", "1.00", "", "") for n in range(60)]
    page = desk.send(as_csv(rows)).text
    assert shown(page) == ["45", "0", "0", "15"]
    with app.app_context():
        one = db.session.get_one(Intake, desk.intake_id)
        pieces.say(one.id, pieces.Settings(quantity=2))
        pieces.begin(one.id)
        assert pieces._next_piece(one.id)
    keep = pieces._close

    def killed(*args: Any) -> None:
        keep(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(pieces, "_close", killed)
    with app.app_context(), pytest.raises(KeyboardInterrupt):
        pieces.work()
    monkeypatch.setattr(pieces, "_close", keep)
    assert desk.figures() == (10, 0, 0, 0), "of the piece that was killed nothing is in"
    assert "10 of 60 rows are in" in desk.page()
    desk.press("end")
    with app.app_context():
        assert intake.work() == 0, "a list that was stopped stays as it is"
        assert counts() == (10, 10, 1, 20)
    page = desk.press("runs").text
    assert "The list is in: 60 rows." in page
    assert desk.figures() == (45, 0, 0, 15), "a code of an earlier piece is known in a later one"
    assert [row["refused row"] for row in desk.refused()] == [str(n) for n in range(47, 62)]
    desk.press("runs")
    desk.press("pieces")
    with app.app_context():
        assert counts() == (45, 45, 1, 90), "a second click takes nothing twice"
        acts = select(Act.member_id).where(Act.verb == "items.imported")
        whose = set(db.session.scalars(acts))
        assert whose == {desk.list().made_by}, "whoever takes a piece, it is in the sender's name"
        clock.set_now(clock.now() + staging.KEPT * 2)
        assert intake.sweep() > 0
        clock.set_now(None)
    page = desk.page()
    assert "kept for two weeks" in page and "Print their labels" not in page
    assert world.faults() == []


def test_a_piece_that_cannot_go_in_stops_its_list_and_holds_up_no_other(
    app: Flask, world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.send(as_csv([TEA]))
    first, take = desk.intake_id, importing.take_drafts
    desk.send(as_csv([OAT]))

    def broken(drafts: Any, *args: Any) -> Any:
        if drafts[0].sku is None:
            raise RuntimeError("a row that nobody has thought of")
        return take(drafts, *args)

    monkeypatch.setattr(importing, "take_drafts", broken)
    with app.app_context():
        for intake_id in (first, desk.intake_id):
            pieces.begin(intake_id)
        assert intake.work() == 1
        states = [db.session.get_one(Intake, each).state for each in (first, desk.intake_id)]
        assert states == ["stopped", "done"] and counts()[0] == 1


def test_a_list_of_real_products_becomes_what_the_command_makes_of_it(
    app: Flask, world: World, desk: Desk, tmp_path: Path
) -> None:
    """The first rows of one; that whole lists go in so was measured (docs/performance.md)."""
    file = SHARED / "products_usda_branded.csv.gz"
    if not file.exists():
        pytest.skip(f"{file.name} is not beside this clone")
    with gzip.open(file) as lines:
        data = gzip.compress(b"".join(islice(lines, 1_201)))
    said = {"price": "2.50", "quantity": "10", "tax_rate": "13"}
    desk.send(data, "goods.csv.gz")
    added, updated, unchanged, rejected = map(int, shown(desk.press("columns", said).text))
    assert (updated, unchanged, added + rejected) == (0, 0, 1_200) and rejected > 10
    assert "The list is in" in desk.press("runs", said).text
    assert desk.figures() == (added, 0, 0, rejected) and len(desk.refused()) == rejected
    with app.app_context():
        assert counts()[:2] == (added, added) and counts()[3] == 10 * added
    path = tmp_path / "goods.csv.gz"
    path.write_bytes(data)
    command = ["catalogue", "import", str(path), "--default-price", "2.50"]
    ended = app.test_cli_runner().invoke(args=command)
    assert f"unchanged {added}, rejected {rejected}" in ended.output


def test_headings_are_those_of_the_command() -> None:
    assert set(HEADINGS) <= set(FIELDS)
