"""Proof before paper: the finished PDF itself says that no text leaves its label or touches
another. `python -m bench label_names` asks the same of every real name, `label_codes` reads every
code of ten thousand labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest

from store.labels import pdf, sheets
from store.labels.layout import Layout, PrintedLabel, on_sheet
from store.labels.sheets import SHEETS, sheet
from store.pdf import Document
from tests.labels import finished
from tests.labels.conftest import MakeLabel

FORMS = ["L4732", "L8651", "L7160", "50x30", "tag-40x80", "talker-a7"]
NAMES = [
    "Ếch Ảnh Ǻ Ḝ Ẫ gjpqy",
    "W" * 400,
    "Oat milk barista edition " * 16,
    "茶" * 400,
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen",
    "حليب الشوفان للقهوة",
    "חלב שיבולת שועל לבריסטה",
    "Coca-Cola كوكا كولا 330 ml",
    "Tea\u202e kaet \u200f龘 😀",
    "¡¿(((/—–---]]",
    "カレールー 中辛 きのこの山 焼き塩",
    "e\u0301\u0323\u0302clair" * 9,
    "𠮷野家の牛丼",
    "Ж" * 60,
]
MORE = [
    {"price_text": "¥0.00", "unit_price_text": "¥0.00 / l"},
    {"price_text": "CN¥1,234,567.89", "unit_price_text": "plus tax · CN¥123,456.79 / 100 g"},
    {"code_text": "A-VERY-LONG-STOCK-KEEPING-UNIT-0123456789-0123456789"},
    {"price_text": "12,49 zł", "shelf_text": "Left wall, behind the second door, bottom"},
]


def printed(path: Path, labels: Sequence[PrintedLabel], form: sheets.Sheet) -> finished.Judged:
    with path.open("wb") as output:
        pdf.write(labels, form, output)
    return finished.faults_in(path, form)


@pytest.mark.parametrize("name", FORMS)
def test_the_finished_pdf_has_every_text_in_its_own_place(
    name: str, a_label: MakeLabel, tmp_path: Path
) -> None:
    labels = [
        a_label(number, names=names, **MORE[number % len(MORE)])
        for number, names in enumerate(
            [(one, other) for one, other in zip(NAMES, NAMES[3:])] + [(one,) for one in NAMES]
        )
    ]
    judged = printed(tmp_path / "labels.pdf", labels, sheet(name))
    assert judged.faults == []
    assert judged.labels == len(labels)


def test_real_names_are_in_their_place_in_the_finished_pdf(
    real_names: list[str], a_label: MakeLabel, tmp_path: Path
) -> None:
    some = real_names[::16]
    labels = [a_label(number, names=pair) for number, pair in enumerate(zip(some, reversed(some)))]
    judged = printed(tmp_path / "labels.pdf", labels, sheet("L8651"))
    assert judged.faults == []
    assert judged.labels == len(some) > 50


def test_what_is_misplaced_is_found(a_label: MakeLabel, tmp_path: Path) -> None:
    """Moved where pdf.py puts it on the page, so that the layout knows nothing of it."""
    form = SHEETS["L7160"]
    placed = on_sheet(a_label(), form)
    first, *others = placed.texts
    low = replace(first, x=placed.code_x, y=placed.code_y + 5)
    drawn = {
        "": placed,
        "barista 1 l' leaves the label": replace(placed, texts=(replace(first, y=0), *others)),
        "barista 1 l' lies in the quiet zone": replace(placed, texts=(low, *others)),
        "touches": replace(placed, texts=(*placed.texts, replace(first, y=first.y + 1))),
        "the quiet zone leaves the label": replace(placed, code_x=0.5),
        "there is no text": replace(placed, texts=()),
        "leaves the label": replace(placed, texts=(replace(first, size=2 * first.size), *others)),
    }
    found = _faults_of_each(list(drawn.values()), form, tmp_path / "moved.pdf")
    assert found[0] == ""
    for wanted, said in zip(drawn, found, strict=True):
        assert wanted in said


def _faults_of_each(drawn: list[Layout], form: sheets.Sheet, path: Path) -> list[str]:
    with path.open("wb") as output:
        document = Document(output, form.page_width_mm, form.page_height_mm)
        for each, cell in zip(drawn, sheets.cells(form)):
            pdf._draw(document, each, cell.x_mm, cell.y_mm)
        document.end_page()
        document.close()
    with pypdfium2.PdfDocument(path) as finished_pdf:
        labels = finished.labels_on(finished_pdf[0])
    return [
        " ".join(finished.faults_of(label, cell, form))
        for label, cell in zip(labels, sheets.cells(form))
    ]
