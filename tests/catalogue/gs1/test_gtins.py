"""GTINs, UPC-E and in-store codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from store.catalogue import gs1
from store.catalogue.gs1 import gtin
from store.catalogue.gs1.fault import CodeFault
from store.catalogue.gs1.in_store import COUNTRY_LAYOUTS, InStoreCode, read_in_store
from tests.catalogue.gs1.shared_vectors import table

VECTORS = "gtin_vectors.tsv"
REGIONS = {"DENMARK": "DK", "FINLAND": "FI", "GERMANY": "DE", "GREAT_BRITAIN": "GB"}
REGIONS |= {"ESTONIA": "EE", "LATVIA": "LV", "LITHUANIA": "LT", "NORWAY": "NO", "SWEDEN": "SE"}

READINGS: dict[str, Callable[[str], object]] = {
    "check_digit_of_payload": gtin.check_digit,
    "price_weight_check_digit": lambda text: str(gtin.measure_check_digit(text)),
    "gtin_format": gtin.format_of,
    "to_gtin14": gtin.normalise,
    "to_gtin13": lambda text: gtin.shorten(text, 13),
    "to_gtin12": lambda text: gtin.shorten(text, 12),
    "to_gtin8": lambda text: gtin.shorten(text, 8),
    "upc_e_parse": lambda text: _upc_e_parts(gtin.compress_upc_e(text)),
    "as_upc_a": gtin.expand_upc_e,
    "as_upc_e": gtin.compress_upc_e,
    "as_gtin_12": lambda text: gtin.shorten(gtin.expand_upc_e(text), 12),
    "as_gtin_13": lambda text: gtin.shorten(gtin.expand_upc_e(text), 13),
    "as_gtin_14": lambda text: gtin.normalise(gtin.expand_upc_e(text)),
    "valid_gtin": lambda text: str(int(gtin.is_gtin(text))),
}


@pytest.mark.parametrize("row", table(VECTORS))
def test_numbers_as_others_read_them(row: dict[str, str]) -> None:
    kind, text, expected = row["kind"], row["input"], row["expected"]
    if kind == "rcn_rcn_region_can_be_specified_as_string":
        assert text.upper() in COUNTRY_LAYOUTS
    elif kind.startswith("rcn_"):
        _check_in_store(kind, text, json.loads(expected))
    elif expected.startswith("ERROR"):
        with pytest.raises(CodeFault):
            READINGS[kind](text)
    else:
        assert str(READINGS[kind](text)) == expected


def _check_in_store(kind: str, text: str, told: dict) -> None:
    region = told.get("rcn_region") or kind.removeprefix("rcn_region_").upper()
    expected = told.get("expected", told)
    country = REGIONS.get(region.removeprefix("RcnRegion."), "")
    found = read_in_store(text, COUNTRY_LAYOUTS.get(country, ()))
    assert _text(found.weight_kg) == expected["weight"]
    assert _text(found.price) == expected["price"]
    assert _text(found.count) == expected.get("count")
    if "usage" in expected:
        assert found.within_company is (expected["usage"] == "RcnUsage.COMPANY")


def _text(amount: object) -> str | None:
    return None if amount is None else str(amount)


def _upc_e_parts(code: str) -> str:
    return f"number_system={code[0]} payload={code[:7]} check={code[7]}"


@pytest.mark.parametrize(
    ("code", "full"),
    [
        ("96385074", "00000096385074"),
        ("036000291452", "00036000291452"),
        ("4006381333931", "04006381333931"),
        ("6901234567892", "06901234567892"),
        ("00012345678905", "00012345678905"),
    ],
)
def test_a_gtin_of_any_length_has_fourteen_digits(code: str, full: str) -> None:
    assert gs1.normalise(code) == full
    assert gs1.is_gtin(code)
    assert gs1.check_digit(code[:-1]) == int(code[-1])
    assert gtin.shorten(full, len(code)) == code


@pytest.mark.parametrize(
    ("code", "at"),
    [
        ("4006381333932", 12),
        ("400638133393", 11),
        ("40063813339", 11),
        ("", 0),
        ("40063813³3931", 8),
    ],
)
def test_what_is_no_gtin_is_refused_with_the_place(code: str, at: int) -> None:
    assert not gs1.is_gtin(code)
    with pytest.raises(CodeFault) as refusal:
        gs1.normalise(code)
    assert refusal.value.at == at


def test_every_upc_e_goes_there_and_back() -> None:
    for number in range(0, 1_000_000, 997):
        full = gtin.expand_upc_e(f"{number:06}")
        short = gtin.compress_upc_e(full)
        assert gtin.expand_upc_e(short) == full
        assert gtin.is_gtin(full)


@pytest.mark.parametrize("code", ["036000291452", "212345678909", "4006381333931", "99999993"])
def test_what_has_no_upc_e_is_refused(code: str) -> None:
    with pytest.raises(CodeFault):
        gtin.compress_upc_e(code)


def test_a_scale_code_holds_item_and_weight() -> None:
    found = read_in_store("2112345012346")
    assert found == InStoreCode("2112345012346", "2112345", False, weight_kg=Decimal("1.234"))


def test_a_price_code_of_an_american_scale_holds_its_own_check_digit() -> None:
    inner = gtin.measure_check_digit("0599")
    payload = f"212345{inner}0599"
    found = read_in_store(f"{payload}{gtin.check_digit(payload)}")
    assert (found.item, found.price) == ("0212345", Decimal("5.99"))
    wrong = f"212345{(inner + 1) % 10}0599"
    with pytest.raises(CodeFault) as refusal:
        read_in_store(f"{wrong}{gtin.check_digit(wrong)}")
    assert refusal.value.at == 6


def test_a_number_of_no_layout_is_an_item_number() -> None:
    assert read_in_store("2900000000018").item == "2900000000018"
    assert read_in_store("2900000000018").price is None


def test_a_real_gtin_is_no_in_store_code() -> None:
    with pytest.raises(CodeFault):
        read_in_store("4006381333931")


def test_a_layout_of_the_wrong_length_is_the_programmers_fault() -> None:
    with pytest.raises(ValueError, match="13 characters"):
        read_in_store("2112345012346", ("21iiiiWW.WWWc",))
