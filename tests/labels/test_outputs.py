"""What goes to label printers: dots that are read back as a printer would set them."""

from __future__ import annotations

import io
import re
import zipfile
from itertools import combinations

import pytest
from PIL import Image

from store.errors import Invalid
from store.labels import outputs
from store.labels.layout import LARGEST_MODULE, SMALLEST_MODULE, LabelTooSmall, on_sheet
from store.labels.sheets import SHEETS, dots, sheet
from tests.labels.conftest import Ink, MakeLabel, Pages, Reader
from tests.labels.test_layout import faults

ROLLS = [each.name for each in SHEETS.values() if each.kind != "sheet"]


def written(how: str, labels: list[object], name: str, dpi: int) -> bytes:
    output = io.BytesIO()
    outputs.write(outputs.OUTPUTS[how], labels, sheet(name), output, dpi=dpi)  # type: ignore[arg-type]
    return output.getvalue()


def unpacked(body: str, width: int, height: int) -> bytes:
    """What a Zebra makes of ^GFA: counts before characters, a comma, a mark, a colon."""
    rows: list[str] = []
    row, times = "", 0
    for sign in body:
        if "G" <= sign <= "Y":
            times += ord(sign) - ord("F")
        elif "g" <= sign <= "z":
            times += (ord(sign) - ord("f")) * 20
        elif sign == ":":
            rows.append(rows[-1])
        elif sign in ",!":
            rows.append(row.ljust(2 * width, "0" if sign == "," else "F"))
            row = ""
        else:
            row += sign * max(times, 1)
            times = 0
            if len(row) == 2 * width:
                rows.append(row)
                row = ""
    assert len(rows) == height and not row
    return bytes.fromhex("".join(rows))


def images_of(how: str, data: bytes) -> list[Image.Image]:
    """The labels as they lie on the paper."""
    if how == "png":
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            return [Image.open(io.BytesIO(packed.read(name))) for name in packed.namelist()]
    found = []
    if how == "zpl":
        form = r"\^XA\^PW(\d+)\^LL(\d+)\^LH0,0\^FO0,0\^GFA,(\d+),\3,(\d+),([^^]+)\^FS\^PQ1\^XZ\n"
        for wide, high, total, width, body in re.findall(form, data.decode()):
            bits = unpacked(body, int(width), int(high))
            assert len(bits) == int(total)
            found.append(Image.frombytes("1", (int(wide), int(high)), _inverted(bits)))
        return found
    for job in data.split(b"\x1b@")[1:]:
        assert job.endswith(b"\x0c")
        at, rows, width = 0, b"", 0
        while job[at : at + 4] == b"\x1dv0\x00":
            width = int.from_bytes(job[at + 4 : at + 6], "little")
            band = int.from_bytes(job[at + 6 : at + 8], "little")
            rows += job[at + 8 : at + 8 + width * band]
            at += 8 + width * band
        assert job[at:] == b"\x0c"
        found.append(Image.frombytes("1", (width * 8, len(rows) // width), _inverted(rows)))
    return found


def _inverted(bits: bytes) -> bytes:
    return bytes(255 - each for each in bits)


@pytest.mark.parametrize("dpi", [203, 300])
def test_every_way_to_a_label_printer_sets_the_same_dots_and_is_read_back(
    dpi: int, reader: Reader, pages: Pages, a_label: MakeLabel
) -> None:
    for name in ("50x30", "tag-40x80"):
        labels = [a_label(1), a_label(2, names=("400 " * 100, "燕麦奶"))]
        wanted = [label.url for label in labels]
        seen = {}
        for how in ("zpl", "escpos", "png"):
            images = images_of(how, written(how, labels, name, dpi))  # type: ignore[arg-type]
            assert [reader(_page(image)) for image in images] == [[url] for url in wanted], how
            wide = min(image.width for image in images)
            seen[how] = [image.crop((0, 0, wide, image.height)).tobytes() for image in images]
        assert seen["zpl"] == seen["png"]
        document = written("pdf", labels, name, dpi)  # type: ignore[arg-type]
        assert [reader(page) for page in pages(document, dpi)] == [[url] for url in wanted]


def _page(image: Image.Image) -> Image.Image:
    """The label on the white paper around it."""
    page = Image.new("L", (image.width + 40, image.height + 40), 255)
    page.paste(image.convert("L"), (20, 20))
    return page


@pytest.mark.parametrize("name", ROLLS)
def test_rolls_tags_and_talkers_have_whole_dots_and_nothing_touches(
    name: str, a_label: MakeLabel, ink: Ink, real_names: list[str]
) -> None:
    form = sheet(name)
    wrong = []
    for dpi in (203, 300):
        resolution = dots(form, dpi)
        for one, other in list(zip(real_names, real_names[::-1], strict=True))[::60]:
            label = a_label(names=(one, other))
            placed = on_sheet(label, form, resolution)
            wrong += [(one, other, fault) for fault in faults(placed, ink)]
            assert SMALLEST_MODULE - 1e-6 <= placed.module <= LARGEST_MODULE + 1e-6
            if resolution:
                for length in (placed.module, placed.code_x, placed.code_y):
                    assert length * resolution / 25.4 == pytest.approx(
                        round(length * resolution / 25.4), abs=1e-6
                    )
            for text in placed.texts:
                assert text.y - 0.7 * text.size >= form.hole_mm
    assert wrong[:5] == []


def test_a_roll_too_small_for_whole_dots_is_refused_with_the_size_that_works(
    a_label: MakeLabel,
) -> None:
    for dpi in (203, 300):
        with pytest.raises(LabelTooSmall) as refusal:
            on_sheet(a_label(), sheet("25x15"), dpi)
        least = refusal.value.data["min_width_mm"], refusal.value.data["min_height_mm"]
        assert on_sheet(a_label(), sheet(f"{least[0]:g}x{least[1]:g}"), dpi).module > 0.396
    with pytest.raises(Invalid):
        dots(sheet("50x30"), 72)
    assert dots(sheet("L7160"), 203) == 0


def test_two_labels_of_a_sheet_of_talkers_do_not_overlap() -> None:
    for name in ("talker-a7", "talker-a6", "talker-a5"):
        form = sheet(name)
        assert form.columns * form.label_width_mm == pytest.approx(form.page_width_mm)
        assert form.rows * form.label_height_mm == pytest.approx(form.page_height_mm)
    assert all(one != other for one, other in combinations(ROLLS, 2))
