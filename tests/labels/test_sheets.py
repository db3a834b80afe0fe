"""Label sheets: every cell lies on the page, and the table agrees with other people's."""

from __future__ import annotations

import json
from itertools import islice

import pytest

from store.errors import Invalid
from store.labels.sheets import SHEETS, UnknownSheet, cells, sheet
from tests.labels.conftest import SHARED

MISSED_MM = 0.1


def test_there_are_formats_for_both_papers() -> None:
    widths = [each.page_width_mm for each in SHEETS.values()]
    assert len(SHEETS) >= 20
    assert widths.count(210.0) >= 12
    assert widths.count(215.9) >= 5


@pytest.mark.parametrize("name", SHEETS)
def test_every_cell_lies_on_the_page_and_beside_the_others(name: str) -> None:
    form = SHEETS[name]
    places = list(islice(cells(form), form.per_page))
    assert {cell.page for cell in places} == {0}
    assert len(set(places)) == form.columns * form.rows
    for cell in places:
        assert 0 <= cell.x_mm <= form.page_width_mm - form.label_width_mm + 1e-6
        assert 0 <= cell.y_mm <= form.page_height_mm - form.label_height_mm + 1e-6
    assert form.columns == 1 or form.pitch_x_mm >= form.label_width_mm
    assert form.rows == 1 or form.pitch_y_mm >= form.label_height_mm


def test_cells_go_across_then_down_then_to_the_next_page() -> None:
    form = sheet("L7160")
    first, second, third, fourth = islice(cells(form), 4)
    assert first == (0, form.left_mm, form.top_mm)
    assert second.y_mm == first.y_mm
    assert second.x_mm == pytest.approx(first.x_mm + form.pitch_x_mm)
    assert fourth.x_mm == first.x_mm
    assert fourth.y_mm == pytest.approx(first.y_mm + form.pitch_y_mm)
    assert third.x_mm > second.x_mm
    after = next(islice(cells(form), form.per_page, None))
    assert after == (1, form.left_mm, form.top_mm)


def test_used_cells_are_skipped_on_the_first_page_only() -> None:
    form = sheet("5160")
    all_cells = list(islice(cells(form), 70))
    assert list(islice(cells(form, 7), 60)) == all_cells[7:67]


@pytest.mark.parametrize("skip", [-1, 30, 1000])
def test_skipping_more_than_a_page_is_refused(skip: int) -> None:
    with pytest.raises(Invalid) as refusal:
        cells(sheet("5160"), skip)
    assert refusal.value.field == "skip"


@pytest.mark.parametrize("name", ["l7160", " L7160 ", "7160", "Avery L7160", "J8160"])
def test_a_sheet_is_found_as_people_write_it(name: str) -> None:
    assert sheet(name).name == "L7160"


def test_an_equal_number_of_another_maker_is_found() -> None:
    assert sheet("8160").name == "5160"
    assert sheet("herma 4641b").name == "4103"


@pytest.mark.parametrize("name", ["", "L9999", "7160x", "\x00"])
def test_an_unknown_sheet_is_refused_with_the_list(name: str) -> None:
    with pytest.raises(UnknownSheet) as refusal:
        sheet(name)
    assert refusal.value.code == "unknown_sheet"
    assert "L7160" in refusal.value.data["known"]


def test_the_table_agrees_with_the_published_facts() -> None:
    file = SHARED / "label_sheets.json"
    if not file.exists():
        pytest.skip(f"no {file.name} beside the project")
    compared = 0
    for fact in json.loads(file.read_text("utf-8")):
        known = [name for name in (fact["part"], *fact["aka"]) if name in SHEETS]
        for name in known:
            form = SHEETS[name]
            assert (form.columns, form.rows) == (fact["cols"], fact["rows"]), name
            ours = [form.page_width_mm, form.page_height_mm, form.left_mm, form.top_mm]
            ours += [form.label_width_mm, form.label_height_mm, form.pitch_x_mm, form.pitch_y_mm]
            theirs = [fact[key] for key in ("page_w_mm", "page_h_mm", "left_mm", "top_mm")]
            theirs += [fact[k] for k in ("label_w_mm", "label_h_mm", "pitch_x_mm", "pitch_y_mm")]
            assert ours == pytest.approx(theirs, abs=MISSED_MM), name
            assert form.sure == (fact["confidence"] == "high"), name
            compared += 1
    assert compared >= 30
