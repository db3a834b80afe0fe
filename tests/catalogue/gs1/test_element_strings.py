"""Element strings: raw, in brackets, and what belongs together in them."""

from __future__ import annotations

from typing import Any

import pytest

from store.catalogue.gs1.associations import check_associations
from store.catalogue.gs1.element_string import build, build_bracketed, parse, parse_bracketed
from store.catalogue.gs1.fault import CodeFault
from tests.catalogue.gs1.shared_vectors import json_lines

VECTORS = "element_string_vectors.jsonl"


def refused(reading: Any, *arguments: Any, **options: Any) -> bool:
    try:
        reading(*arguments, **options)
    except CodeFault:
        return True
    return False


@pytest.mark.parametrize("row", json_lines(VECTORS, kind="element_fnc1_as_caret"))
def test_raw_strings_as_the_syntax_engine_reads_them(row: dict[str, Any]) -> None:
    for text in (row["input"], row["input"].replace("^", "\x1d")):
        assert refused(parse, text) is not row["valid"]


@pytest.mark.parametrize(
    "row", json_lines(VECTORS, kind="bracketed") + json_lines(VECTORS, kind="bracketed_lint")
)
def test_bracketed_strings_as_the_syntax_engine_reads_them(row: dict[str, Any]) -> None:
    unknown = row.get("permit_unknown_ai", False)
    assert refused(parse_bracketed, row["input"], unknown=unknown) is not row["valid"]
    if row.get("element"):
        assert build(parse_bracketed(row["input"]), fnc1="^") == row["element"]


@pytest.mark.parametrize("row", json_lines(VECTORS, kind="bracketed_association"))
def test_companions_as_the_syntax_engine_judges_them(row: dict[str, Any]) -> None:
    elements = parse_bracketed(row["input"], unknown=True)
    assert refused(check_associations, elements) is not row["valid"]


@pytest.mark.parametrize("start", ["]C1", "]d2", "]Q3", "]e0", "]J1", "\x1d", "^", "]C1\x1d"])
def test_every_way_of_announcing_an_element_string(start: str) -> None:
    assert parse(f"{start}010695020700391210B1\x1d17261231") == (
        ("01", "06950207003912"),
        ("10", "B1"),
        ("17", "261231"),
    )


def test_what_nothing_announces_is_refused_unless_asked_for() -> None:
    with pytest.raises(CodeFault):
        parse("0106950207003912")
    assert parse("0106950207003912", announced=False) == (("01", "06950207003912"),)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("]C1", 3),
        ("\x1d", 1),
        ("\x1d8912", 1),
        ("\x1d0106950207003913", 16),
        ("\x1d010695020700391210B1\x1d17261331", 26),
        ("\x1d010695020700391210B 1", 20),
    ],
)
def test_a_raw_string_is_refused_with_the_place(text: str, at: int) -> None:
    with pytest.raises(CodeFault) as refusal:
        parse(text)
    assert refusal.value.at == at


@pytest.mark.parametrize(
    ("text", "at"),
    [("", 0), ("01)1", 0), ("(01", 0), ("(1A)5", 1), ("(10)AB(", 6), ("(10)A(17)269931", 11)],
)
def test_a_bracketed_string_is_refused_with_the_place(text: str, at: int) -> None:
    with pytest.raises(CodeFault) as refusal:
        parse_bracketed(text)
    assert refusal.value.at == at


def test_a_bracket_in_a_value_goes_there_and_back() -> None:
    elements = (("10", "A(11)B"), ("21", "("))
    assert build_bracketed(elements) == "(10)A\\(11)B(21)\\("
    assert parse_bracketed(build_bracketed(elements)) == elements


def test_what_is_printed_is_checked_first() -> None:
    for bad in ([], [("01", "06950207003913")], [("10", "A\x1dB")], [("89", "A")]):
        with pytest.raises(CodeFault):
            build(bad)
