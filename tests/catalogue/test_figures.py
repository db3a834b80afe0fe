"""Amounts, rates and counts as files have them: read where they mean one thing only."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import money
from store.catalogue.figures import read_amount, read_count, read_rate
from store.errors import Invalid


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "CNY", 1250),
        ("¥12.5", "CNY", 1250),
        ("￥ 12.50", "CNY", 1250),
        ("12元", "CNY", 1200),
        ("12,50 €", "EUR", 1250),
        ("EUR 12.50", "EUR", 1250),
        ("$1,234.50", "USD", 123450),
        ("1.234,50 €", "EUR", 123450),
        ("1'234.50", "CHF", 123450),
        ("1 234,50", "EUR", 123450),
        ("1\u202f234 €", "EUR", 123400),
        ("1,234,567", "CNY", 123456700),
        ("1,250", "JPY", 1250),
        ("1.250", "KWD", 1250),
        ("0.01", "CNY", 1),
    ],
)
def test_an_amount_that_means_one_thing_is_read(text: str, currency: str, minor: int) -> None:
    assert read_amount(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1,250", "CNY"), ("1.250", "CNY"), ("1,250", "KWD"), ("$12.50", "CNY"),
        ("12.50 USD", "EUR"),
        ("-3.00", "CNY"), ("+3.00", "CNY"), ("12.345", "CNY"), ("12.5.0", "CNY"),
        ("1,23,456", "CNY"),
        ("12,50,00", "EUR"), ("1e3", "CNY"), ("NaN", "CNY"), ("", "CNY"), ("free", "CNY"),
        (".5", "CNY"), ("12.", "CNY"), ("٣", "CNY"), ("9" * 30, "CNY"), ("12 50", "CNY"),
    ],
)  # fmt: skip
def test_an_amount_that_is_not_certain_is_refused(text: str, currency: str) -> None:
    with pytest.raises(Invalid):
        read_amount(text, currency)


@given(st.integers(0, money.LARGEST_MINOR), st.sampled_from(["CNY", "EUR", "JPY", "KWD"]))
def test_what_the_shop_writes_it_reads_again(minor: int, currency: str) -> None:
    text = money.text(minor, currency)
    assert read_amount(text, currency) == minor
    assert read_amount(f"{text} {currency}", currency) == minor


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        minor = read_amount(text, "CNY")
    except Invalid:
        return
    assert 0 <= minor <= money.LARGEST_MINOR
    digits = "".join(character for character in text if character.isdigit())
    assert int(digits or "0") * 100 >= minor, "no reading is larger than its digits"


@pytest.mark.parametrize(
    ("text", "rate_bp"), [("13", 1300), ("13%", 1300), ("5.5 %", 550), ("0", 0), ("0.5%", 50)]
)
def test_rates_are_percent(text: str, rate_bp: int) -> None:
    assert read_rate(text) == rate_bp


@pytest.mark.parametrize("text", ["0.13", "101", "-1", "13.001", "x", ""])
def test_a_rate_that_could_be_a_fraction_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_rate(text)


def test_a_count_is_a_whole_number() -> None:
    assert [read_count(text) for text in ("0", "12", "12.0", "1000000000")] == [0, 12, 12, 10**9]
    for text in ("-1", "1.5", "1e3", "1000000001", "", "many"):
        with pytest.raises(Invalid):
            read_count(text)


@given(st.decimals(min_value=0, max_value=100, places=2))
def test_every_rate_comes_back(rate: Decimal) -> None:
    assert read_rate(f"{rate}%") == int(rate * 100)
