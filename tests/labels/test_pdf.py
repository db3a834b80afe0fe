"""Printed sheets: every code is read from every page, names can be searched, memory is bounded."""

from __future__ import annotations

import io
import re
import time
import tracemalloc
import zlib
from collections.abc import Iterable
from itertools import chain, repeat
from typing import Any, BinaryIO, cast

import pypdfium2
import pytest

from store.errors import Invalid
from store.labels import pdf
from store.labels.layout import LabelTooSmall, PrintedLabel
from store.labels.sheets import sheet
from tests.labels.conftest import MakeLabel, Pages, Reader

FORMS = ["L7160", "5160", "L8651", "L4732", "L7163", "L7164", "3474"]


class Counter:
    """An output that forgets what was written."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, data: bytes) -> int:
        self.count += len(data)
        return len(data)


def written(labels: Iterable[PrintedLabel], name: str, **options: Any) -> tuple[bytes, pdf.Printed]:
    output = io.BytesIO()
    printed = pdf.write(labels, sheet(name), output, **options)
    return output.getvalue(), printed


def text_of(document: bytes, page: int = 0) -> str:
    return str(pypdfium2.PdfDocument(document)[page].get_textpage().get_text_range())


@pytest.mark.parametrize("dpi", [203, 300])
@pytest.mark.parametrize("name", FORMS)
def test_every_code_of_every_page_is_read(
    name: str, dpi: int, reader: Reader, pages: Pages, a_label: MakeLabel
) -> None:
    form = sheet(name)
    labels = [a_label(number) for number in range(form.per_page + 3)]
    document, printed = written(labels, name)
    assert (printed.pages, printed.labels) == (2, len(labels))
    images = pages(document, dpi)
    assert len(images) == 2
    first, second = (sorted(reader(image)) for image in images)
    assert first == sorted(label.url for label in labels[: form.per_page])
    assert second == sorted(label.url for label in labels[form.per_page :])


def test_codes_with_longer_addresses_are_read_too(
    reader: Reader, pages: Pages, a_label: MakeLabel
) -> None:
    labels = [
        a_label(number, url=f"https://a-rather-long-name.shop.example.com/i/{number:040d}?l=7K2M9")
        for number in range(24)
    ]
    document, _ = written(labels, "3474")
    [image] = pages(document, 203)
    assert sorted(reader(image)) == sorted(label.url for label in labels)


def test_names_in_both_scripts_can_be_searched_and_copied(a_label: MakeLabel) -> None:
    document, _ = written([a_label()], "L7160")
    text = text_of(document)
    for wanted in ("Oat milk barista 1 l", "咖啡师燕麦奶 1升", "¥12.50 / l", "MAIN · A3"):
        assert wanted in text
    assert "09506000000000" in text


def test_both_fonts_are_embedded_and_cut_to_what_is_used(a_label: MakeLabel) -> None:
    document, _ = written([a_label()], "L7160")
    names = re.findall(rb"/FontDescriptor /FontName /([A-Z]{6}\+[\w-]+)", document)
    assert [name[7:] for name in names] == [b"ShelfSansSC-Regular", b"ShelfSansSC-Bold"]
    assert document.count(b"/FontFile2") == 2
    assert b"CIDToGIDMap /Identity" in document
    assert len(document) < 40_000


def test_only_black_is_printed(a_label: MakeLabel, pages: Pages) -> None:
    document, _ = written([a_label()], "L7160")
    streams = re.findall(rb"/FlateDecode >>\nstream\n(.*?)\nendstream", document, re.S)
    drawing = next(data for data in map(zlib.decompress, streams) if b" Tj" in data)
    assert not re.search(rb"\s(rg|RG|g|G|k|K|sc|scn)\s", drawing)
    assert drawing.count(b"/IM true") == 1


def test_printers_are_told_not_to_scale_the_sheet(a_label: MakeLabel) -> None:
    document, _ = written([a_label()], "5160")
    assert b"/PrintScaling /None" in document
    width, height = pypdfium2.PdfDocument(document)[0].get_size()
    assert (width, height) == pytest.approx((612, 792), abs=0.01)


def test_skipped_cells_stay_empty(a_label: MakeLabel, pages: Pages) -> None:
    form = sheet("L7160")
    document, printed = written([a_label(n) for n in range(20)], "L7160", skip=4)
    assert printed.pages == 2
    [first, second] = pages(document, 100)
    scale = 100 / 25.4

    def darkest(row: int, column: int) -> int:
        left = (form.left_mm + column * form.pitch_x_mm) * scale
        top = (form.top_mm + row * form.pitch_y_mm) * scale
        right, bottom = left + form.label_width_mm * scale, top + form.label_height_mm * scale
        cell = first.crop((int(left), int(top), int(right), int(bottom)))
        return int(cast(tuple[int, int], cell.getextrema())[0])

    assert [darkest(at // 3, at % 3) for at in range(4)] == [255] * 4
    assert darkest(1, 1) < 50
    assert min(cast(tuple[int, int], second.getextrema())) < 50


def test_copies_are_the_same_label_again(a_label: MakeLabel, pages: Pages, reader: Reader) -> None:
    labels = chain.from_iterable(repeat(a_label(number), 3) for number in range(4))
    document, printed = written(labels, "L7160")
    assert printed.labels == 12
    [image] = pages(document, 203)
    assert sorted(reader(image)) == sorted(
        a_label(number).url for number in range(4) for _ in "abc"
    )


def test_a_page_that_is_just_full_is_the_last(a_label: MakeLabel) -> None:
    document, printed = written([a_label(n) for n in range(42)], "L7160")
    assert printed.pages == 2
    assert len(pypdfium2.PdfDocument(document)) == 2


def test_no_labels_are_refused_rather_than_an_empty_sheet() -> None:
    with pytest.raises(Invalid):
        written([], "L7160")


def test_a_label_too_small_for_its_code_is_refused(a_label: MakeLabel) -> None:
    label = a_label(url="https://shop.example.com/i/" + "A" * 60)
    with pytest.raises(LabelTooSmall) as refusal:
        written([label], "L4732")
    assert refusal.value.data["min_height_mm"] > sheet("L4732").label_height_mm


def test_what_the_font_lacks_is_reported_once_and_printed_as_geta(a_label: MakeLabel) -> None:
    labels = [a_label(n, names=("Tea 😀 龘",)) for n in range(5)]
    document, printed = written(labels, "L7160")
    assert printed.missing == ("😀", "龘")
    assert text_of(document).count("Tea 〓 〓") == 5


def test_the_same_labels_make_the_same_bytes(a_label: MakeLabel) -> None:
    assert written([a_label()], "5160") == written([a_label()], "5160")


def test_progress_is_told_page_by_page(a_label: MakeLabel) -> None:
    told: list[int] = []
    written([a_label(n) for n in range(50)], "L7160", progress=told.append)
    assert told == [21, 42, 50]


def test_memory_does_not_grow_with_the_number_of_labels(a_label: MakeLabel) -> None:
    form = sheet("L7160")

    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            pdf.write((a_label(n) for n in range(count)), form, cast(BinaryIO, Counter()))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)
    few, many = peak(100), peak(600)
    # Even as packed pages five hundred labels that stayed in memory would be 125 KB.
    assert many - few < 60_000


def test_a_thousand_labels_are_quick(a_label: MakeLabel) -> None:
    output = Counter()
    labels = (a_label(number) for number in range(1000))
    start = time.process_time()
    printed = pdf.write(labels, sheet("L7160"), cast(BinaryIO, output))
    assert printed.labels == 1000
    assert time.process_time() - start < 5
    assert output.count < 600_000
