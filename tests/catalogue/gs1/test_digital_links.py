"""Digital Links: strict reading, building, and mending what is harmless."""

from __future__ import annotations

from typing import Any

import pytest

from store.catalogue.gs1 import CodeFault, build_link, parse_link, read_link
from store.catalogue.gs1.element_string import parse_bracketed
from store.catalogue.gs1.percent import escape, unescape
from tests.catalogue.gs1.shared_vectors import json_lines

# Decided otherwise than the engine, with the reason. What is valid, which elements are found and
# the canonical form are the same in all 300.
LEFT_OUT_PARAMETERS = {
    # `?&&&99=ABC&&&` ends in empty parts. The engine counts one of them as a parameter without a
    # name (the others it skips); we count none, since nothing was written there.
    "DL0067": [""],
}


@pytest.mark.parametrize("row", json_lines("dl_parse_vectors.jsonl"))
def test_links_as_the_syntax_engine_reads_them(row: dict[str, Any]) -> None:
    engine = row["engine_strict"]
    if not engine["valid"]:
        with pytest.raises(CodeFault) as refusal:
            parse_link(row["input"])
        assert refusal.value.at is None or 0 <= refusal.value.at <= len(row["input"])
        return
    link = parse_link(row["input"])
    assert [list(pair) for pair in link.elements] == engine["ais"]
    assert link.canonical == engine["canonical"]
    ignored = engine.get("ignored_params", [])
    assert list(link.raw_params) + LEFT_OUT_PARAMETERS.get(row["id"], []) == ignored
    assert parse_link(link.canonical).canonical == link.canonical


@pytest.mark.parametrize("row", json_lines("dl_parse_vectors.jsonl"))
def test_short_gtins_are_mended_as_the_engine_does_on_request(row: dict[str, Any]) -> None:
    engine = row.get("engine_zero_suppressed_gtin_ok")
    if engine and engine["valid"]:
        reading = read_link(row["input"])
        assert reading.link.canonical == engine["canonical"]
        assert bool(reading.repairs) is not row["engine_strict"]["valid"]
    elif row["engine_strict"]["valid"]:
        assert read_link(row["input"]).repairs == ()


@pytest.mark.parametrize("row", json_lines("dl_generate_vectors.jsonl"))
def test_links_as_the_syntax_engine_builds_them(row: dict[str, Any]) -> None:
    elements = parse_bracketed(row["ai_data"], unknown=row["permit_unknown_ai"])
    as_attributes = row["unknown_ai_as_attr_ok"]
    if row["valid"]:
        uri = build_link(elements, row["stem"], unknown_as_attributes=as_attributes)
        assert uri == row["uri"]
    else:
        with pytest.raises(CodeFault):
            build_link(elements, row["stem"], unknown_as_attributes=as_attributes)


@pytest.mark.parametrize("row", json_lines("uri_escape_vectors.jsonl"))
def test_percent_encoding_as_the_syntax_engine_does_it(row: dict[str, Any]) -> None:
    change = {"escape": escape, "unescape": unescape}[row["op"]]
    assert change(row["input"], in_query=False) == row["in_path"]
    assert change(row["input"], in_query=True) == row["in_query"]


def test_a_label_is_read() -> None:
    link = parse_link("https://shop.example:8443/s/01/06950207003912/10/B%2F1?17=261231&l=A+1#x")
    assert link.stem == "https://shop.example:8443/s"
    assert link.gtin == "06950207003912"
    assert link.qualifiers == (("10", "B/1"),)
    assert link.attributes == (("17", "261231"),)
    assert link.params == (("l", "A 1"),)
    assert link.fragment == "x"
    assert link.uri("https://other.example") == (
        "https://other.example/01/06950207003912/10/B%2F1?17=261231&l=A+1#x"
    )
    assert link.canonical == "https://id.gs1.org/01/06950207003912/10/B%2F1?17=261231"


def test_the_quick_way_reads_as_the_long_way_does() -> None:
    quick = parse_link("https://shop.example/01/06950207003912?l=AB12&v=1")
    long = parse_link("https://shop.example/01/06950207003912?l=AB12&v=1#")
    assert quick == long


def test_a_label_is_built_with_its_own_parameters() -> None:
    elements = [("21", "S/1"), ("01", "06950207003912"), ("3103", "000750"), ("10", "B")]
    assert build_link(elements, "https://shop.example/", params=[("l", "a b"), ("x", "中")]) == (
        "https://shop.example/01/06950207003912/10/B/21/S%2F1?3103=000750&l=a+b&x=%E4%B8%AD"
    )
    plain = build_link([("01", "06950207003912")], "http://10.0.0.5:8000", params=[("l", "A")])
    assert plain == "http://10.0.0.5:8000/01/06950207003912?l=A"


@pytest.mark.parametrize(
    ("uri", "at", "ai"),
    [
        ("https://shop.example/01/06950207003913", 37, "01"),
        ("https://shop.example/01/6950207003912", 37, "01"),
        ("https://shop.example/01/06950207003912/21/A%20B", 43, "21"),
        ("https://shop.example/01/06950207003912/10/", 42, "10"),
        ("https://shop.example/01/06950207003912?17=261331", 44, "17"),
        ("https://shop.example/01/06950207003912?l=1&999=1", 43, None),
        ("https://shop.example/01/06950207003912/21/中", 42, None),
        ("https://user@shop.example/01/06950207003912", 12, None),
        ("shop.example/01/06950207003912", 0, None),
        ("https://shop.example/about/us", 20, None),
    ],
)
def test_a_link_is_refused_with_the_place(uri: str, at: int, ai: str | None) -> None:
    with pytest.raises(CodeFault) as refusal:
        parse_link(uri)
    assert (refusal.value.at, refusal.value.ai) == (at, ai)


@pytest.mark.parametrize(
    ("found", "right"),
    [
        ("/01/06950207003912/", "/01/06950207003912"),
        ("//01//06950207003912", "/01/06950207003912"),
        ("/01/6950207003912?l=A", "/01/06950207003912?l=A"),
        ("/01/036000291452", "/01/00036000291452"),
        ("/01/96385074", "/01/00000096385074"),
        ("/GTIN/06950207003912/lot/a", "/01/06950207003912/10/a"),
        ("/01/06950207003912/21/s/10/b/", "/01/06950207003912/10/b/21/s"),
        ("/01/06950207003912?10=b&21=s&l=A", "/01/06950207003912/10/b/21/s?l=A"),
        ("/01/06950207003912?17=261231&17=261231", "/01/06950207003912?17=261231"),
        ("/8004/9520614141234567?01=2112345678900", "/8004/9520614141234567?01=02112345678900"),
    ],
)
def test_a_phone_with_a_harmless_deviation_is_told_the_right_form(found: str, right: str) -> None:
    with pytest.raises(CodeFault):
        parse_link(f"https://shop.example{found}")
    reading = read_link(f" HTTPS://shop.example{found}\n")
    assert reading.repairs
    assert reading.link.uri("https://shop.example") == f"https://shop.example{right}"
    assert parse_link(reading.link.uri()) == reading.link


@pytest.mark.parametrize(
    "path",
    [
        "/01/06950207003913",
        "/01/695020700399",
        "/01/06950207003912/10",
        "/01/06950207003912?17=261231&17=270101",
        "/01/06950207003912/99/x",
        "/02/06950207003912",
    ],
)
def test_what_could_mean_something_else_is_not_mended(path: str) -> None:
    with pytest.raises(CodeFault):
        read_link(f"https://shop.example{path}")
