"""Files: their encodings, separators and traps."""

from __future__ import annotations

import gzip
import io
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from store.catalogue import tables
from store.catalogue.encodings import detect_encoding
from store.catalogue.tables import FileRefused, open_table, write_table
from store.spreadsheets import guarded, unguarded

CHINESE = "条码,名称,品牌,价格\n6901234567892,茉莉绿茶一大瓶,山泉,3.50\n"
FRENCH = "code;name;price\n123;Crème fraîche;2,50\n124;Pâté de campagne;3,20\n"


def read(path: Path, encoding: str = "") -> list[list[str]]:
    with open_table(path, encoding) as table:
        return [table.headings, *(row.cells for row in table.rows)]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"]
)
def test_chinese_is_read_in_every_encoding_that_people_save_it_in(
    tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "goods.csv"
    file.write_bytes(CHINESE.encode(encoding))
    assert read(file) == [["条码", "名称", "品牌", "价格"],
                          ["6901234567892", "茉莉绿茶一大瓶", "山泉", "3.50"]]  # fmt: skip


def test_accents_of_an_old_spreadsheet_are_read(tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    file.write_bytes(FRENCH.encode("cp1252"))
    assert read(file)[1] == ["123", "Crème fraîche", "2,50"]


def test_an_encoding_that_cannot_be_told_is_refused_and_can_be_named(tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    file.write_bytes("sku,name\n1,Привет мир\n2,Добрый день\n".encode("koi8-r"))
    with pytest.raises(FileRefused, match="--encoding"):
        read(file)
    assert read(file, "koi8-r")[1] == ["1", "Привет мир"]
    with pytest.raises(FileRefused, match="no encoding"):
        read(file, "klingon")


def test_a_few_broken_bytes_do_not_change_the_encoding_of_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    lines = [f"{number},Käse {number}".encode() for number in range(20)]
    lines[7] = b"7,K\xe4se 7"
    file.write_bytes(b"sku,name\n" + b"\n".join(lines))
    rows = read(file)
    assert rows[7][1] == "Käse 6" and rows[8][1] == "K\udce4se 7" and rows[9][1] == "Käse 8"


@given(st.binary(max_size=400))
def test_any_bytes_have_an_encoding_or_a_doubt(data: bytes) -> None:
    found = detect_encoding([data])
    if found.name is None:
        assert found.doubt
    elif found.name != "utf-8-sig":
        data.decode(found.name, "replace")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_the_one_that_the_headings_use(tmp_path: Path, separator: str) -> None:
    file = tmp_path / "goods.csv"
    file.write_text(f'sku{separator}"name, with a comma"\n1{separator}Tea\n', "utf-8")
    assert read(file) == [["sku", "name, with a comma"], ["1", "Tea"]]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_a_spreadsheet_may_say_the_separator_above_the_headings(
    tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "goods.csv"
    file.write_bytes("sep=;\r\nsku;名称\r\n1;牛奶,大\r\n".encode(encoding))
    assert read(file) == [["sku", "名称"], ["1", "牛奶,大"]]
    with open_table(file) as table:
        assert [row.number for row in table.rows] == [3], "as a spreadsheet counts them"


def test_a_stray_zero_byte_makes_no_other_encoding_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    for before in ("", "x"):  # At an even place, or at an odd one.
        file.write_bytes(f"sku,name{before}\n1,a\x00b\n".encode() + b"2,Milk\n" * 60)
        assert read(file)[2] == ["2", "Milk"]
    file.write_bytes(b"\xff\xfe" + "sku,name\n1,Milk\n".encode("utf-16-le") + b"\n")
    with pytest.raises(FileRefused, match="utf-16"):
        read(file)
    file.write_bytes(b"\xff\xfe\x00\xd8\x00")
    with pytest.raises(FileRefused, match="utf-16"):
        read(file)


def test_a_line_that_never_ends_is_refused_before_it_is_held(tmp_path: Path) -> None:
    file = tmp_path / "goods.csv.gz"
    with gzip.open(file, "wb") as packed:
        packed.write(b"sku,name\n")
        for _ in range(20):
            packed.write(b"a" * 2**20)
    with pytest.raises(FileRefused, match="16 million characters"):
        read(file)


def test_rows_keep_the_numbers_that_a_spreadsheet_shows(tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    file.write_text('sku,name\n1,"two\nlines"\n\n,\n2,Tea\n', "utf-8")
    with open_table(file) as table:
        assert [(row.number, row.cells[0]) for row in table.rows] == [(2, "1"), (5, "2")]


def test_an_endless_cell_costs_its_row_and_no_more(tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    huge = "x" * (tables.MOST_IN_CELL * 10 + 1)
    file.write_text(f"sku,name\n1,{huge}\n2,Tea\n", "utf-8")
    with open_table(file) as table:
        first, second = table.rows
    assert first.fault and second.cells == ["2", "Tea"]


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_UNPACKED", 4 * 2**20)
    file = tmp_path / "bomb.csv.gz"
    file.write_bytes(gzip.compress(b"sku,name\n" + b"1,x\n" * 2_000_000))
    assert file.stat().st_size < 100_000
    with pytest.raises(FileRefused, match="unpacked"):
        read(file)


def test_a_spreadsheet_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_UNPACKED_SHEET", 4 * 2**20)
    file = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (5 * 2**20))
    with pytest.raises(FileRefused, match="unpacked"):
        read(file)


def test_a_stray_cell_in_the_last_corner_of_a_sheet_costs_nothing(tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append(["sku", "name"])
    book.active.append(["1", "Milk"])
    book.active["XFD1048576"] = "x"
    file = tmp_path / "goods.xlsx"
    book.save(file)
    began = time.process_time()
    assert read(file) == [["sku", "name"], ["1", "Milk"]]
    assert time.process_time() - began < 8  # It was more than a minute.


def test_a_spreadsheet_that_declares_entities_is_refused(tmp_path: Path) -> None:
    whole = io.BytesIO()
    Workbook().save(whole)
    file = tmp_path / "laughs.xlsx"
    with zipfile.ZipFile(whole) as good, zipfile.ZipFile(file, "w") as bad:
        for member in good.infolist():
            text = good.read(member)
            if member.filename.endswith("sheet1.xml"):
                text = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + text
            bad.writestr(member, text)
    with pytest.raises(FileRefused, match="entities"):
        read(file)


def test_more_rows_than_any_shop_has_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 10)
    file = tmp_path / "goods.csv"
    file.write_text("sku\n" + "\n".join(map(str, range(20))), "utf-8")
    with pytest.raises(FileRefused, match="more than 10 rows"):
        read(file)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("goods.xlsx", b"not a zip file"), ("goods.xlsx", b"PK\x03\x04"),
        ("goods.csv.gz", b"not gzip"),
        ("goods.csv.gz", gzip.compress(b"sku,name\n" * 999, mtime=0)[:40]), ("goods.csv", b""),
        ("goods.xls", b"any"), ("goods.pdf", b"%PDF"),
    ],
    ids=["text", "half a zip", "no gzip", "half a gzip", "nothing", "xls", "pdf"],
)  # fmt: skip
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(FileRefused):
        read(file)


def test_a_zip_that_is_no_spreadsheet_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "goods.xlsx"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(FileRefused):
        read(file)


def test_numbers_of_a_spreadsheet_are_read_as_people_see_them(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["gtin", "price", "stock", "name"])
    sheet.append([6901234567892, 0.1 + 0.2, 12.0, None])
    book.save(tmp_path / "goods.xlsx")
    assert read(tmp_path / "goods.xlsx")[1] == ["6901234567892", "0.3", "12"]


CELLS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff\ufffe\uffff"),
    max_size=12,
)
DANGEROUS = st.builds(lambda sign, rest: sign + rest, st.sampled_from(list("=+-@'＝＋")), CELLS)


@given(CELLS | DANGEROUS)
def test_no_cell_is_run_and_every_cell_comes_back(cell: str) -> None:
    assert not guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(guarded(cell)) == cell


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(CELLS.map(str.strip), DANGEROUS.map(str.strip)), min_size=1, max_size=5))
def test_a_table_that_was_written_is_read_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("tables")
    kept = [list(row) for row in rows if any(row)]
    for name in ("t.csv", "t.csv.gz", "t.xlsx"):
        write_table(folder / name, ["one", "two"], kept)
        assert [[*cells, ""][:2] for cells in read(folder / name)[1:]] == kept


def test_a_half_written_file_never_has_its_name(tmp_path: Path) -> None:
    def rows() -> list[list[str]]:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_table(tmp_path / "goods.csv", ["sku"], (row for row in rows()))
    assert list(tmp_path.iterdir()) == []
