"""Items: adding, changing, archiving; their codes and the search for them."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from store import catalogue
from store.catalogue import codes
from store.catalogue.gs1 import CodeFault, is_gtin
from store.catalogue.models import Item
from store.db import db, transaction
from store.errors import Invalid, Refusal

GTIN = "04006381333931"


def add(**fields: object) -> Item:
    with transaction():
        wanted = {"names": {"en": "Oat milk"}, "tax_rate_bp": 1300, **fields}
        return catalogue.add_item(**wanted)  # type: ignore[arg-type]


def how_many() -> int:
    return db.session.scalar(select(func.count()).select_from(Item)) or 0


@pytest.mark.usefixtures("context")
def test_every_code_of_an_item_finds_it() -> None:
    milk = add(gtin="4006381333931", sku="OAT-1", code="K7Q4ZP")
    for text in (
        "4006381333931", GTIN, "4006381 333931", "OAT-1", "oat-1", "K7Q4ZP", "k7q4-zp", " K7Q4ZP ",
        f"https://id.gs1.org/01/{GTIN}", f"https://other.example/x/01/{GTIN}/10/AB?17=270101&l=1",
        f"(01){GTIN}(10)AB", f"]d201{GTIN}10AB", f"]Q1https://a.example/01/{GTIN}",
        "https://shop.example/i/K7Q4ZP?l=3",
    ):  # fmt: skip
        found = catalogue.find_item(text, base_url="https://shop.example")
        assert found is not None and found.id == milk.id, text


@pytest.mark.usefixtures("context")
def test_a_code_of_another_shop_is_not_taken_for_ours() -> None:
    add(code="K7Q4ZP")
    assert catalogue.find_item("https://other.example/i/K7Q4ZP") is None
    assert (
        catalogue.find_item("https://other.example/i/K7Q4ZP", base_url="https://shop.example")
        is None
    )
    for text in ("", "\x00", "nothing", "4006381333931", "https://shop.example/", "x" * 500):
        assert catalogue.find_item(text, base_url="https://shop.example") is None, text


@pytest.mark.usefixtures("context")
def test_a_broken_gs1_code_says_so() -> None:
    with pytest.raises(CodeFault):
        catalogue.find_item("https://a.example/01/04006381333932")


@pytest.mark.usefixtures("context")
def test_a_number_of_the_scale_finds_what_was_weighed() -> None:
    ham = add(sku="2112345", names={"en": "Ham"})
    found = catalogue.find_item("2112345012342")
    assert found is None or found.id == ham.id
    weighed = "211234501234"
    digit = next(str(d) for d in range(10) if is_gtin(f"{weighed}{d}"))
    found = catalogue.find_item(weighed + digit)
    assert found is not None and found.id == ham.id


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(st.text(max_size=80) | st.from_regex(r"https?://[a-z]{1,5}/(01|i)/.{0,20}", fullmatch=True))
@pytest.mark.usefixtures("context")
def test_whatever_is_typed_finds_nothing_or_is_refused(text: str) -> None:
    try:
        assert catalogue.find_item(text, base_url="https://shop.example") is None
    except Refusal as refusal:
        assert refusal.status == 400


@pytest.mark.usefixtures("context")
def test_a_code_belongs_to_one_item_and_a_refusal_changes_nothing() -> None:
    first = add(gtin=GTIN, sku="A", code="AAAA22")
    for taken in ({"gtin": "4006381333931"}, {"sku": "A"}, {"code": "aaaa22"}):
        with pytest.raises(catalogue.CodeTaken) as refused:
            add(**taken)
        assert refused.value.data["item"] == first.code
    assert how_many() == 1


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(
    "fields",
    [
        {"names": {}}, {"names": {"en": "  "}}, {"names": {"en": "x" * 301}},
        {"names": {"en": "a\x00b"}}, {"names": {"en": "\ud800"}}, {"names": {"en": "a\ufffd"}},
        {"gtin": "4006381333932"}, {"gtin": "123"}, {"sku": "x" * 65}, {"code": "123456"},
        {"code": "AB"}, {"code": "ABCU"}, {"tax_rate_bp": 10_001}, {"tax_rate_bp": -1},
        {"price_minor": -1, "currency": "CNY"}, {"price_minor": 10**16, "currency": "CNY"},
        {"price_minor": 1, "currency": "XXY"}, {"brand": "x" * 121}, {"size_text": "x" * 61},
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_and_nothing_is_added(fields: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        add(**fields)
    assert how_many() == 0


@pytest.mark.usefixtures("context")
def test_a_change_is_found_at_once_and_what_it_was_is_not() -> None:
    milk = add(category={"en": "Milk", "zh": "奶"}, brand="Hills", size_text="1 l")
    assert [each.id for each in catalogue.search("奶 hills").items] == [milk.id]
    with transaction():
        catalogue.edit_item(milk.id, names={"en": "Oat drink"}, category={"en": "Drinks"})
    assert catalogue.search("milk").items == []
    assert [each.id for each in catalogue.search("OAT drinks").items] == [milk.id]


@pytest.mark.usefixtures("context")
def test_signs_of_a_pattern_are_searched_for_as_they_are() -> None:
    add(names={"en": "100% oats"})
    add(names={"en": "100 oats"})
    assert len(catalogue.search("100%").items) == 1
    assert catalogue.search("1_0").items == []
    assert len(catalogue.search("ＯＡＴＳ").items) == 2, "full width letters are letters"


@pytest.mark.usefixtures("context")
def test_pages_of_a_search_leave_nothing_out_and_show_nothing_twice() -> None:
    wanted = {add(names={"en": f"Tea {n}"}).id for n in range(7)}
    seen: list[int] = []
    cursor = ""
    while True:
        page = catalogue.search("tea", cursor=cursor, limit=3)
        seen += [item.id for item in page.items]
        cursor = page.following
        if not cursor:
            break
    assert len(seen) == 7 and set(seen) == wanted
    with pytest.raises(Invalid):
        catalogue.search(cursor="9' OR 1")


@pytest.mark.usefixtures("context")
def test_an_archived_item_is_not_for_sale_until_it_is_brought_back() -> None:
    milk = add(price_minor=1250, currency="CNY")
    with transaction():
        catalogue.archive_item(milk.id)
    assert catalogue.search("oat").items == [] and catalogue.quote([milk.id], None, "CNY") == {}
    query = catalogue.item_by_code_query("code")
    assert db.session.execute(query, {"code": milk.code}).first() is None
    with transaction():
        catalogue.bring_back(milk.id)
    assert catalogue.quote([milk.id], None, "CNY") == {milk.id: 1250}
    assert db.session.execute(query, {"code": milk.code}).one().id == milk.id


@pytest.mark.usefixtures("context")
def test_a_category_is_known_again_by_its_name_in_any_case() -> None:
    first = add(category={"en": "Fresh Fruit"})
    second = add(category={"en": "fresh fruit", "zh": "水果"})
    third = add(category={"zh": "水果"})
    assert first.category_id == second.category_id != third.category_id


def test_fresh_codes_have_a_letter_and_can_be_read_aloud() -> None:
    fresh = {codes.fresh_code() for _ in range(2000)}
    assert len(fresh) > 1990
    assert all(len(code) == 6 and not code.isdigit() for code in fresh)
    assert not set("".join(fresh)) & set("ILOU")


def test_items_belong_to_transactions(app: Flask) -> None:
    with app.app_context(), pytest.raises(RuntimeError):
        catalogue.add_item(names={"en": "x"}, tax_rate_bp=0)
