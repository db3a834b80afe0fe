"""Codes are bit for bit those of the qrcode library, only faster; readers read their pictures."""

from __future__ import annotations

import io
import time
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from qrcode import constants, util
from qrcode.main import QRCode

from store.errors import Invalid
from store.labels import qr
from tests.labels.conftest import Reader

LEVELS = {
    "L": constants.ERROR_CORRECT_L,
    "M": constants.ERROR_CORRECT_M,
    "Q": constants.ERROR_CORRECT_Q,
    "H": constants.ERROR_CORRECT_H,
}
ADDRESS = "abcdefghijklmnopqrstuvwxyzABCDEFGHJKMNPQRSTVWXYZ0123456789:/.?=&%-_"
# The last length that each of the first ten versions holds at level M, and the first of the next.
EDGES = [14, 15, 26, 27, 42, 43, 62, 63, 84, 85, 106, 107, 122, 123, 152, 153, 180, 181, 213, 214]


def by_qrcode(text: str, level: str) -> list[list[bool]]:
    code: QRCode = QRCode(error_correction=LEVELS[level], border=0)
    code.add_data(util.QRData(text.encode(), mode=4), optimize=0)
    code.make()
    return [[bool(dark) for dark in row] for row in code.modules]


def as_rows(code: qr.Matrix) -> list[list[bool]]:
    return [[code.dark(row, column) for column in range(code.size)] for row in range(code.size)]


@settings(max_examples=60, deadline=None)
@given(text=st.text(ADDRESS, min_size=1, max_size=110), level=st.sampled_from("LMQH"))
def test_a_code_is_the_one_of_qrcode(text: str, level: str) -> None:
    assert as_rows(qr.matrix(text, level)) == by_qrcode(text, level)


@pytest.mark.parametrize("length", EDGES)
def test_versions_change_where_qrcode_changes_them(length: int) -> None:
    text = (ADDRESS * 4)[:length]
    assert as_rows(qr.matrix(text)) == by_qrcode(text, "M")


@pytest.mark.parametrize("text", ["https://店.example/i/茶?l=é", "x", "1234567890", "A" * 900])
def test_other_scripts_and_long_texts_come_out_too(text: str) -> None:
    assert as_rows(qr.matrix(text)) == by_qrcode(text, "M")


def test_a_wrong_module_would_be_noticed() -> None:
    code = qr.matrix("https://shop.example.com/i/A1")
    spoilt = qr.Matrix(code.size, (code.rows[0] ^ 1, *code.rows[1:]))
    assert as_rows(spoilt) != by_qrcode("https://shop.example.com/i/A1", "M")


def test_a_text_of_nothing_but_nul_is_no_crash() -> None:
    assert qr.matrix("\0" * 20).size == 25
    with pytest.raises(Invalid):
        qr.matrix("\0" * 400)


def test_a_text_that_no_code_holds_is_refused() -> None:
    with pytest.raises(Invalid):
        qr.matrix("x" * 3000)


def test_codes_are_much_faster_than_qrcode() -> None:
    texts = [f"https://shop.example.com/01/0950600{n:07d}?l=7K2M{n:06d}" for n in range(400)]
    qr.matrix(texts[0])
    start = time.process_time()
    for text in texts:
        qr.matrix(text)
    ours_s = (time.process_time() - start) / len(texts)
    start = time.process_time()
    for text in texts[:4]:
        by_qrcode(text, "M")
    theirs_s = (time.process_time() - start) / 4
    assert ours_s * 15 < theirs_s


def test_the_png_is_one_bit_and_readable(reader: Reader) -> None:
    image = Image.open(io.BytesIO(qr.png(qr.matrix("https://shop.example.com/i/A1"), 3)))
    assert image.mode == "1"
    assert image.width == image.height == (29 + 8) * 3
    assert image.getpixel((4 * 3 - 1, 4 * 3 - 1)) == 255
    assert image.getpixel((4 * 3, 4 * 3)) == 0
    assert reader(image.convert("L")) == ["https://shop.example.com/i/A1"]


def test_the_svg_draws_exactly_the_dark_modules() -> None:
    code = qr.matrix("https://shop.example.com/i/A1")
    tree = ElementTree.fromstring(qr.svg(code))
    ground, dark = tree.findall("{http://www.w3.org/2000/svg}path")
    assert tree.get("viewBox") == f"0 0 {code.size + 8} {code.size + 8}"
    assert ground.get("fill") == "#fff"
    drawn = set()
    for run in dark.get("d", "").split("M")[1:]:
        place, _, rest = run.partition("h")
        x, y = map(int, place.split())
        drawn |= {(y - 4, x - 4 + step) for step in range(int(rest.split("v")[0]))}
    size = range(code.size)
    assert drawn == {(row, column) for row in size for column in size if code.dark(row, column)}


def test_the_svg_needs_nothing_that_a_strict_policy_forbids() -> None:
    svg = qr.svg(qr.matrix("https://shop.example.com/i/A1"))
    for forbidden in ("style", "script", "href", "data:", "on"):
        assert f" {forbidden}" not in svg
    assert len(svg) < 8000
