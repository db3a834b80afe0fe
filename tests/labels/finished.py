"""A finished PDF of labels, judged by what lies on its pages: where its text really is.

pdfium reads the file that goes to the printer and says of every line of type which ink it makes,
from the outlines of the font that is embedded. So nothing of this trusts what drew the labels.
Millimetres from the top left corner of the page.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pypdfium2
from PIL import Image
from pypdfium2 import raw

from store.labels import sheets
from store.labels.qr import QUIET
from tests.labels.conftest import SHARED

MM = 25.4 / 72
EDGE = 0.35
"""So much at the edge of a label stays empty: no printer sets paper more exactly."""
SLACK = 0.03
"""pdfium rounds outlines to a thousandth of the type size."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


class Label(NamedTuple):
    """What lies on one label of the page: its code, and its lines of type with their ink."""

    code: Box
    modules: int
    """So many of the code lie side by side: its picture has a dot for each."""
    texts: list[tuple[str, Box]]


class Judged(NamedTuple):
    labels: int
    faults: list[str]
    shortened: int
    """So many labels have a line that ends in an ellipsis."""


def faults_in(path: Path, sheet: sheets.Sheet, skip: int = 0) -> Judged:
    """Judge a file that was printed on this sheet, page by page."""
    cells = sheets.cells(sheet, skip)
    faults: list[str] = []
    labels = shortened = 0
    with pypdfium2.PdfDocument(path) as document:
        for number in range(len(document)):
            page = document[number]
            for label, cell in zip(labels_on(page), cells, strict=False):
                if cell.page != number:
                    faults.append(f"page {number + 1} has not the labels that belong there")
                faults += faults_of(label, cell, sheet)
                shortened += any(text.endswith("…") for text, _ in label.texts)
                labels += 1
            page.close()
    return Judged(labels, faults, shortened)


def texts_in(path: Path) -> list[list[str]]:
    """The lines of type of each label."""
    with pypdfium2.PdfDocument(path) as document:
        return [
            [text for text, _ in label.texts]
            for number in range(len(document))
            for label in labels_on(document[number])
        ]


def labels_on(page: pypdfium2.PdfPage) -> list[Label]:
    """The labels of a page in the order in which they were drawn: each begins with its code."""
    height = page.get_height()
    found: list[Label] = []
    for each in page.get_objects(textpage=page.get_textpage()):
        left, bottom, right, top = each.get_bounds()
        box = (left * MM, (height - top) * MM, right * MM, (height - bottom) * MM)
        if each.type == raw.FPDF_PAGEOBJ_IMAGE:
            found.append(Label(box, each.get_px_size()[0], []))
        elif each.type == raw.FPDF_PAGEOBJ_TEXT:
            found[-1].texts.append((each.extract().strip(), box))
    return found


def faults_of(label: Label, cell: sheets.Cell, sheet: sheets.Sheet) -> list[str]:
    """What is wrong with a label that belongs into this cell."""
    quiet = QUIET * (label.code[2] - label.code[0]) / label.modules - SLACK
    zone = _grown(label.code, quiet)
    outer = (
        cell.x_mm, cell.y_mm, cell.x_mm + sheet.label_width_mm, cell.y_mm + sheet.label_height_mm
    )  # fmt: skip
    found = [] if _inside(zone, outer) else ["the quiet zone leaves the label"]
    if not label.texts:
        found.append("there is no text")
    for text, box in label.texts:
        if not _inside(box, _grown(outer, -EDGE)):
            found.append(f"{text!r} leaves the label")
        if _meet(box, zone):
            found.append(f"{text!r} lies in the quiet zone")
    for (one, box), (other, other_box) in combinations(label.texts, 2):
        if _meet(_grown(box, -SLACK), _grown(other_box, -SLACK)):
            found.append(f"{one!r} touches {other!r}")
    return found


def _grown(box: Box, by: float) -> Box:
    return (box[0] - by, box[1] - by, box[2] + by, box[3] + by)


def _inside(box: Box, outer: Box) -> bool:
    return (
        box[0] >= outer[0] and box[1] >= outer[1] and box[2] <= outer[2] and box[3] <= outer[3]
    )  # fmt: skip


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def every_real_name() -> Iterator[str]:
    """Names of real products: 28,894 of the world; 9,477 of the United States, by brand and
    category where they have no name. Raises FileNotFoundError in a plain clone."""
    for row in _rows("products_off.csv.gz"):
        if name := row["name"].strip():
            yield name
    for row in _rows("products_usda_branded.csv.gz"):
        if name := row["name_en"].strip() or f"{row['brand']} {row['category_en']}".strip():
            yield name


def _rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(SHARED / name, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def image_of(page: pypdfium2.PdfPage, dpi: int) -> Image.Image:
    """The page as a printer of so many dots an inch sees it."""
    image: Image.Image = page.render(scale=dpi / 72, grayscale=True).to_pil()
    return image
