"""One person, one spelling: e-mail addresses and phone numbers as people type them."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from store.db import transaction
from store.errors import Invalid
from store.identity import IdentifierTaken, add_member, find, names_of
from store.identity.identifiers import normalise, set_region

PASSWORD = "korrekt pferd batterie"


@pytest.fixture(autouse=True)
def _in_china() -> None:
    set_region("CN")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Anna@Shop.Example", "anna@shop.example"),
        ("  anna@shop.example ", "anna@shop.example"),
        ("ａｎｎａ＠ｓｈｏｐ．ｅｘａｍｐｌｅ", "anna@shop.example"),
        ("anna+shelf@shop.example", "anna+shelf@shop.example"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("owner@shop.local", "owner@shop.local"),
        ("a@b.test", "a@b.test"),
    ],
)
def test_an_address_has_one_spelling(typed: str, kept: str) -> None:
    assert normalise(typed) == ("email", kept)


@pytest.mark.parametrize(
    "typed",
    ["13800138000", "138 0013 8000", "138-0013-8000", "+86 138 0013 8000", "0086 13800138000",
     "(+86) 13800138000", "１３８００１３８０００"],
)  # fmt: skip
def test_a_number_is_kept_in_its_international_form(typed: str) -> None:
    assert normalise(typed) == ("phone", "+8613800138000")


def test_a_number_without_its_country_belongs_to_the_shops_region() -> None:
    set_region("DE")
    assert normalise("030 1234567") == ("phone", "+49301234567")
    set_region(None)
    with pytest.raises(Invalid):
        normalise("030 1234567")
    assert normalise("+49 30 1234567") == ("phone", "+49301234567")


@pytest.mark.parametrize(
    "typed",
    ["", " ", "anna", "anna@", "@shop.example", "a b@shop.example", "anna@shop", "1", "123",
     "999999999999999999999", "138O0138000", "1-800-FLOWERS", "anna@shop.example\x00",
     "an\x00na@shop.example", "anna\ud800@shop.example", "anna\u200b@shop.example",
     "anna\n@shop.example", "a" * 300 + "@shop.example", "\u202eanna@shop.example",
     "anna@[192.0.2.1]", '"anna"@shop.example', "anna@shop.example, eve@shop.example"],
)  # fmt: skip
def test_what_is_neither_is_refused_with_the_field(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        normalise(typed)
    assert refused.value.field == "identifier"


@pytest.mark.parametrize(
    "lookalike", ["аnna@shop.example", "annа@shop.example", "anná@shop.example"]
)
def test_letters_that_only_look_the_same_are_refused(lookalike: str) -> None:
    with pytest.raises(Invalid):
        normalise(lookalike)


def test_a_lookalike_domain_is_kept_apart_and_seen() -> None:
    value = normalise("anna@shоp.example")[1]
    assert value.startswith("anna@xn--shp-") and value != normalise("anna@shop.example")[1]


@given(st.text(max_size=300))
def test_whatever_is_typed_is_read_or_refused(typed: str) -> None:
    try:
        kind, value = normalise(typed)
    except Invalid:
        return
    assert kind in ("email", "phone") and value.isascii() and len(value) <= 254
    assert normalise(value) == (kind, value)


@pytest.mark.usefixtures("context")
def test_a_member_is_found_in_every_spelling_and_never_twice() -> None:
    with transaction():
        anna = add_member("Anna@Shop.example", PASSWORD, name="Anna")
        nameless = add_member("138 0013 8000", PASSWORD)
    found = find("ANNA@SHOP.EXAMPLE")
    assert found is not None and found.id == anna.id
    assert find("+8613800138000").id == nameless.id  # type: ignore[union-attr]
    assert find("nobody@shop.example") is None and find("not an address") is None
    assert names_of([anna.id, nameless.id]) == {anna.id: "Anna", nameless.id: "+8613800138000"}
    assert names_of([]) == {}
    for spelling in ("anna@shop.example", "ＡＮＮＡ@shop.example"):
        with pytest.raises(IdentifierTaken), transaction():
            add_member(spelling, PASSWORD)


def test_the_region_comes_from_the_shops_time_zone(app: Flask) -> None:
    assert app.config["TIME_ZONE"] == "Asia/Shanghai"
    assert normalise("13800138000") == ("phone", "+8613800138000")
