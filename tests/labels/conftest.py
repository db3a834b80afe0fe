"""What the tests of labels share: real names, readers of codes, and the ink of a layout."""

from __future__ import annotations

import csv
import gzip
import os
import re
import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from fontTools.ttLib import TTFont
from PIL import Image

from store import fonts
from store.labels.layout import PrintedLabel
from store.labels.typeset import Text

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
Reader = Callable[[Image.Image], list[str]]
Pages = Callable[[bytes, int], list[Image.Image]]
MakeLabel = Callable[..., PrintedLabel]
Box = tuple[float, float, float, float]
Ink = Callable[[Text], Box]


def read_by_zxing(page: Image.Image) -> list[str]:
    # Version 3 of zxing-cpp looks for every kind of code unless told which.
    found = zxingcpp.read_barcodes(
        page, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    )
    return [code.text for code in found]


def zbar() -> Reader:
    """The other reader. Raises ImportError where its system library is missing."""
    pyzbar = import_module("pyzbar.pyzbar")

    def read(page: Image.Image) -> list[str]:
        symbols = [pyzbar.ZBarSymbol.QRCODE]
        return [code.data.decode() for code in pyzbar.decode(page, symbols=symbols)]

    return read


def _zbar() -> Reader:
    """In CI the system library must be there, elsewhere its absence is told."""
    try:
        return zbar()
    except ImportError as error:
        if os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
            raise
        message = "NOT TESTED with zbar: the system library libzbar0 is missing"
        warnings.warn(f"{message} ({error})", UserWarning, stacklevel=2)
        pytest.skip(message)


@pytest.fixture(params=["zxing", "zbar"])
def reader(request: pytest.FixtureRequest) -> Reader:
    """Both readers that matter: phones use relatives of the one, scanners of the other."""
    return read_by_zxing if request.param == "zxing" else _zbar()


@pytest.fixture
def pages() -> Pages:
    """The pages of a PDF as a printer of so many dots an inch sees them."""

    def rasterise(pdf: bytes, dpi: int) -> list[Image.Image]:
        document = pypdfium2.PdfDocument(pdf)
        try:
            return [page.render(scale=dpi / 72).to_pil().convert("L") for page in document]
        finally:
            document.close()

    return rasterise


@pytest.fixture
def a_label() -> MakeLabel:
    """A label numbered `number`, different from every other; only what matters is given."""

    def make(number: int = 0, **changes: object) -> PrintedLabel:
        gtin = f"0950600{number:07d}"
        values: dict[str, object] = {
            "url": f"https://shop.example.com/01/{gtin}?l=7K2M{number:06d}",
            "code_text": gtin,
            "names": ("Oat milk barista 1 l", "咖啡师燕麦奶 1升"),
            "price_text": "¥12.50",
            "unit_price_text": "¥12.50 / l",
            "shelf_text": "MAIN · A3",
        }
        return PrintedLabel(**(values | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def real_names() -> list[str]:
    """Names of real products: every one with Chinese characters, and each fortieth other one."""
    file = SHARED / "products_off.csv.gz"
    if not file.exists():
        pytest.skip(f"no {file.name} beside the project")
    with gzip.open(file, "rt", encoding="utf-8", newline="") as rows:
        names = [row["name"] for row in csv.DictReader(rows) if row["name"].strip()]
    return [
        name for at, name in enumerate(names) if at % 40 == 0 or re.search("[\u3400-\u9fff]", name)
    ]


@pytest.fixture(scope="session")
def ink() -> Ink:
    """The box of a line's real ink, from the outlines of its letters: left, top, right, bottom."""

    @cache
    def glyphs(bold: bool) -> TTFont:
        return TTFont(fonts.font(bold).file, lazy=True)

    def box(text: Text) -> Box:
        font = glyphs(text.bold)
        order = font.getGlyphOrder()
        x, boxes = 0.0, []
        for character in text.text:
            number = fonts.font(text.bold).glyphs[ord(character)]
            shape = font["glyf"][order[number]]
            if shape.numberOfContours:
                boxes.append((x + shape.xMin, shape.yMin, x + shape.xMax, shape.yMax))
            x += fonts.font(text.bold).advances[number]
        scale = text.size / 1000
        if not boxes:
            return (text.x, text.y, text.x, text.y)
        lefts, bottoms, rights, tops = zip(*boxes, strict=True)
        return (
            text.x + min(lefts) * scale,
            text.y - max(tops) * scale,
            text.x + max(rights) * scale,
            text.y - min(bottoms) * scale,
        )

    return box
