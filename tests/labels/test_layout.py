"""The design of a label: everything is on it, nothing is cut, nothing touches anything else."""

from __future__ import annotations

from itertools import combinations

import pytest

from store.labels import qr
from store.labels.layout import (
    LARGEST_MODULE,
    SMALLEST_MODULE,
    WANTED_MODULE,
    LabelTooSmall,
    Layout,
    layout,
)
from store.labels.sheets import SHEETS, sheet
from store.labels.typeset import Text
from tests.labels.conftest import Box, Ink, MakeLabel

# One of each kind: names across the top and beside the code, smallest to largest.
KINDS = ["L4732", "L8651", "4780", "5160", "L7160", "L7163", "L7164", "5164"]
LONG = (
    "Extra virgin olive oil from the hills of Tuscany, first cold pressing, unfiltered, in a tin",
    "特级初榨橄榄油来自托斯卡纳山丘首次冷榨未经过滤铁罐装",
)


def faults(placed: Layout, ink: Ink) -> list[str]:
    """What is wrong with a layout: off the label, over the code's quiet zone, over another line."""
    found = []
    side = placed.code.size * placed.module
    quiet = qr.QUIET * placed.module
    zone = (
        placed.code_x - quiet,
        placed.code_y - quiet,
        placed.code_x + side + quiet,
        placed.code_y + side + quiet,
    )
    label = (0.0, 0.0, placed.width, placed.height)
    if not _inside(zone, label):
        found.append("the quiet zone leaves the label")
    boxes = [(text.text, ink(text)) for text in placed.texts]
    for text, box in boxes:
        if not _inside(box, (0.4, 0.4, placed.width - 0.4, placed.height - 0.4)):
            found.append(f"{text!r} leaves the label")
        if _meet(box, zone):
            found.append(f"{text!r} lies in the quiet zone")
    for (one, box), (other, other_box) in combinations(boxes, 2):
        if _meet(box, other_box):
            found.append(f"{one!r} touches {other!r}")
    return found


def _inside(box: Box, outer: Box) -> bool:
    slack = 1e-6
    return (
        box[0] >= outer[0] - slack
        and box[1] >= outer[1] - slack
        and box[2] <= outer[2] + slack
        and box[3] <= outer[3] + slack
    )


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def words(placed: Layout) -> str:
    return " ".join(text.text for text in placed.texts)


@pytest.mark.parametrize("name", SHEETS)
def test_a_label_of_every_format_is_faultless_and_complete(
    name: str, a_label: MakeLabel, ink: Ink
) -> None:
    form = SHEETS[name]
    placed = layout(a_label(), form.label_width_mm, form.label_height_mm)
    assert faults(placed, ink) == []
    printed = words(placed)
    for wanted in ("09506000000000", "12", "50", "¥12.50 / l", "Oat milk"):
        assert wanted in printed
    assert SMALLEST_MODULE <= placed.module <= LARGEST_MODULE


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    "changes",
    [
        {"names": LONG},
        {"names": LONG[::-1]},
        {"names": ("Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 3,)},
        {"names": ("W" * 500, "茶" * 500)},
        {"names": ()},
        {"names": ("", "茶")},
        {"price_text": ""},
        {"unit_price_text": ""},
        {"price_text": "", "unit_price_text": "", "shelf_text": ""},
        {"price_text": "CN¥1,234,567.89", "unit_price_text": "CN¥123,456.79 / 100 g"},
        {"price_text": "12,49 zł", "unit_price_text": "83,27 zł / kg"},
        {"price_text": "KWD 1.250", "unit_price_text": ""},
        {"price_text": "2 for 1, on Thursdays only"},
        {"shelf_text": "Left wall, behind the second door, bottom shelf"},
        {"code_text": "A-VERY-LONG-STOCK-KEEPING-UNIT-0123456789-0123456789"},
        {"names": ("Ếch Ảnh Ǻ", "Ḝ Ẫ gjpqy")},
    ],
)
def test_awkward_labels_are_faultless_too(
    name: str, changes: dict[str, object], a_label: MakeLabel, ink: Ink
) -> None:
    form = sheet(name)
    placed = layout(a_label(**changes), form.label_width_mm, form.label_height_mm)
    assert faults(placed, ink) == []


@pytest.mark.parametrize("name", ["L4732", "L8651", "5160", "L7160", "L7164"])
def test_real_names_never_leave_their_label(
    name: str, real_names: list[str], a_label: MakeLabel, ink: Ink
) -> None:
    form = sheet(name)
    wrong = []
    for one, other in zip(real_names, real_names[::-1], strict=True):
        placed = layout(a_label(names=(one, other)), form.label_width_mm, form.label_height_mm)
        wrong += [(one, other, fault) for fault in faults(placed, ink)]
    assert len(real_names) > 900
    assert wrong[:5] == []


def test_the_check_of_faults_finds_faults(a_label: MakeLabel, ink: Ink) -> None:
    placed = layout(a_label(), 63.5, 38.1)
    narrow = type(placed)(
        40.0, 38.1, placed.texts, placed.code, placed.code_x, placed.code_y, placed.module, ()
    )
    twice = type(placed)(
        63.5, 38.1, placed.texts * 2, placed.code, 12.0, placed.code_y, placed.module, ()
    )
    assert any("leaves" in fault for fault in faults(narrow, ink))
    assert any("touches" in fault for fault in faults(twice, ink))
    assert any("quiet zone" in fault for fault in faults(twice, ink))


def test_a_gtin_is_never_cut(a_label: MakeLabel) -> None:
    for form in SHEETS.values():
        label = a_label(code_text="(01) 09506000134352")
        printed = words(layout(label, form.label_width_mm, form.label_height_mm))
        assert "(01) 09506000134352" in printed


def test_modules_have_the_wanted_size_where_there_is_room(a_label: MakeLabel) -> None:
    for form in SHEETS.values():
        placed = layout(a_label(), form.label_width_mm, form.label_height_mm)
        room = form.label_height_mm / (placed.code.size + 2 * qr.QUIET)
        assert placed.module >= min(WANTED_MODULE, room) - 1e-6


def test_a_long_name_shrinks_then_wraps_then_ends_in_an_ellipsis(a_label: MakeLabel) -> None:
    def names(text: str) -> list[Text]:
        placed = layout(a_label(names=(text,), shelf_text=""), 63.5, 38.1)
        return [line for line in placed.texts if line.y < placed.code_y]

    [short] = names("Oat milk")
    [shrunk] = names("Oat milk barista, organic, 1 l")
    wrapped = names("Oat milk barista edition, organic, unsweetened, in a carton of 1 l")
    cut = names("Oat milk barista edition, organic, unsweetened " * 8)
    assert short.size > shrunk.size
    assert len(wrapped) == 2
    assert not wrapped[-1].text.endswith("…")
    assert cut[-1].text.endswith("…")
    assert len(cut) >= 3


def test_the_second_name_keeps_a_line_when_the_first_is_long(a_label: MakeLabel) -> None:
    for name in KINDS[1:]:
        form = sheet(name)
        label = a_label(names=("Oat milk barista edition " * 20, "燕麦奶"))
        assert "燕麦奶" in words(layout(label, form.label_width_mm, form.label_height_mm)), name


def test_a_label_too_small_is_refused_with_the_size_that_works(a_label: MakeLabel) -> None:
    with pytest.raises(LabelTooSmall) as refusal:
        layout(a_label(), 25.4, 10.0)
    assert refusal.value.code == "label_too_small"
    least = refusal.value.data["min_width_mm"], refusal.value.data["min_height_mm"]
    placed = layout(a_label(), *least)
    assert placed.module >= SMALLEST_MODULE
    for smaller in ((least[0] - 0.2, least[1]), (least[0], least[1] - 0.2)):
        with pytest.raises(LabelTooSmall):
            layout(a_label(), *smaller)


def test_the_smallest_label_that_works_is_faultless(a_label: MakeLabel, ink: Ink) -> None:
    with pytest.raises(LabelTooSmall) as refusal:
        layout(a_label(), 5, 5)
    data = refusal.value.data
    placed = layout(a_label(), data["min_width_mm"], data["min_height_mm"])
    assert faults(placed, ink) == []


def test_an_unprintable_character_is_shown_as_geta_and_reported(a_label: MakeLabel) -> None:
    placed = layout(a_label(names=("Tea 😀", "龘茶")), 63.5, 38.1)
    assert placed.missing == ("😀", "龘")
    assert "Tea 〓" in words(placed)
    assert "〓茶" in words(placed)
