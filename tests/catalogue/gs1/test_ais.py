"""The table of application identifiers, and the rules for their values."""

from __future__ import annotations

import re

import pytest

from store.catalogue.gs1.ais import AIS, Component, Identifier, check_value, identify
from store.catalogue.gs1.associations import check_associations
from store.catalogue.gs1.fault import CodeFault
from store.catalogue.gs1.lints import LINTS, full_year
from tests.catalogue.gs1.shared_vectors import table


@pytest.mark.parametrize("row", table("gs1_ai_table.tsv"))
def test_our_table_says_what_the_standard_says(row: dict[str, str]) -> None:
    attributes = {
        name: value
        for name, _, value in (part.partition("=") for part in row["attributes"].split())
    }
    for ai in _names(row["ai"]):
        ours = AIS[ai]
        assert ours.components == tuple(_component(part) for part in row["components"].split())
        assert ours.title == (row["title"] or "")
        assert ours.separated == ("*" not in row["flags"])
        assert ours.attribute == ("?" in row["flags"])
        assert ours.is_key == ("dlpkey" in attributes)
        assert ours.qualifiers == _groups(attributes.get("dlpkey", ""), "|", ",")
        assert ours.requires == _groups(attributes.get("req", ""), ",", "+")
        assert set(ours.excludes) == set(filter(None, attributes.get("ex", "").split(",")))


def test_the_table_has_every_identifier_once_and_every_rule_it_names() -> None:
    assert len(AIS) == 541
    for identifier in AIS.values():
        for component in identifier.components:
            assert set(component.lints) <= set(LINTS)
        others = [each for each in AIS if each != identifier.ai]
        assert not any(each.startswith(identifier.ai) for each in others)


def test_every_rule_is_needed_by_some_identifier() -> None:
    named = {lint for each in AIS.values() for part in each.components for lint in part.lints}
    assert named == set(LINTS)


@pytest.mark.parametrize(
    ("ai", "value"),
    [
        ("01", "06950207003912"),
        ("11", "240229"),
        ("17", "261200"),
        ("253", "1231231231232TEST5678901234567"),
        ("421", "156518000"),
        ("423", "156528"),
        ("4309", "09000000001800000000"),
        ("4330", "000020-"),
        ("7003", "2612312359"),
        ("7007", "211225211231"),
        ("7030", "999A1"),
        ("7040", "1ABz"),
        ("7041", "PX"),
        ("7241", "85"),
        ("7250", "20000229"),
        ("7258", "2/3"),
        ("8003", "02112345678900ABC"),
        ("8007", "DE91100000000123456789"),
        ("8008", "26123123"),
        ("8011", "0"),
        ("8013", "1987654Ad4X4bL5ttr2310c2K"),
        ("8014", "1987654Ad4X4bL5ttr2310c2K"),
        ("8030", "12="),
        ("8110", "0123456123456111101239" + "0000"),
        ("8112", "001234561234560123456"),
        ("3931", "156123"),
    ],
)
def test_a_good_value_passes(ai: str, value: str) -> None:
    check_value(identify(ai), value)


@pytest.mark.parametrize(
    ("ai", "value", "at"),
    [
        ("01", "06950207003913", 13),
        ("01", "0695020700391", 13),
        ("01", "069502070039120", 14),
        ("01", "069502O7003912", 6),
        ("01", "٠6950207003912", 0),
        ("10", "A B", 1),
        ("10", "", 0),
        ("17", "261331", 2),
        ("17", "260230", 4),
        ("4326", "261200", 4),
        ("423", "15652", 5),
        ("422", "999", 0),
        ("3930", "0001299", 0),
        ("4309", "18000000010000000000", 0),
        ("7041", "QQQ", 0),
        ("7250", "00000101", 0),
        ("7258", "3/2", 0),
        ("8001", "12340000012311", 4),
        ("8007", "DE92100000000123456789", 2),
        ("8010", "123456_", 6),
        ("8013", "1987654Ad4X4bL5ttr2310c2X", 23),
        ("8014", "22", 0),
        ("8026", "123456789012310302", 14),
        ("8030", "123=", 3),
        ("4300", "ABC%0g", 3),
        ("8112", "001234561234560", 15),
        ("8110", "a12345612345611110123", 0),
    ],
)
def test_a_bad_value_is_refused_with_its_place(ai: str, value: str, at: int) -> None:
    with pytest.raises(CodeFault) as refusal:
        check_value(identify(ai), value, at=100)
    assert refusal.value.at == 100 + at
    assert refusal.value.ai == ai
    assert refusal.value.data == {"at": 100 + at, "ai": ai}
    assert f"({ai})" in refusal.value.message
    assert (refusal.value.code, refusal.value.status) == ("bad_code", 400)


def test_an_unknown_identifier_is_named() -> None:
    with pytest.raises(CodeFault, match=r"\(3109\)"):
        identify("3109")


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ([("400", "A"), ("99", "B"), ("400", "C")], "twice with different values"),
        ([("01", "12345678901231"), ("02", "12345678901231")], "exclude each other"),
        ([("3333", "333333"), ("3338", "030333"), ("00", "123456789012345675")], "exclude"),
        ([("21", "ABC")], "needs one of these"),
        ([("01", "12345678901231"), ("250", "ABC")], r"needs .*\(01\) with \(21\)"),
        ([("8030", "SIG"), ("253", "1234567890128")], "no serial part"),
    ],
)
def test_elements_that_do_not_belong_together_are_refused(
    elements: list[tuple[str, str]], message: str
) -> None:
    with pytest.raises(CodeFault, match=message):
        check_associations(elements)


def test_the_century_of_two_digits_is_the_nearest() -> None:
    assert full_year(26, 2026) == 2026
    assert full_year(76, 2026) == 2076
    assert full_year(77, 2026) == 1977
    assert full_year(99, 2026) == 1999
    assert full_year(2, 2098) == 2102
    assert full_year(48, 2098) == 2148
    assert full_year(49, 2098) == 2049


def _names(names: str) -> list[str]:
    first, _, last = names.partition("-")
    return [str(each).zfill(len(first)) for each in range(int(first), int(last or first) + 1)]


def _component(text: str) -> Component:
    form = re.fullmatch(r"\[?([NXYZ])(\.\.)?(\d+)\]?((?:,\w+)*)", text)
    assert form
    longest = int(form[3])
    return Component(
        charset=form[1],
        shortest=1 if form[2] else longest,
        longest=longest,
        optional=text.startswith("["),
        lints=tuple(form[4].split(",")[1:]),
    )


def _groups(text: str, outer: str, inner: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(group.split(inner)) for group in text.split(outer) if group)


def test_identifiers_are_values_that_nobody_can_change() -> None:
    with pytest.raises(AttributeError):
        Identifier.__setattr__(AIS["01"], "title", "other")
