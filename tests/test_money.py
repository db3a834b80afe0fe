"""Money: read and written exactly, in currencies of 0, 2 and 3 decimals; taxes and shares."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import money
from store.errors import Invalid

CURRENCIES = {"JPY": 0, "KRW": 0, "CNY": 2, "EUR": 2, "USD": 2, "KWD": 3, "BHD": 3}
AMOUNTS = st.integers(-money.LARGEST_MINOR, money.LARGEST_MINOR)
POSITIVE = st.integers(0, money.LARGEST_MINOR)
CURRENCY = st.sampled_from(sorted(CURRENCIES))


def test_each_currency_has_its_own_decimals() -> None:
    assert {currency: money.decimals(currency) for currency in CURRENCIES} == CURRENCIES


@given(AMOUNTS, CURRENCY)
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    text = money.text(minor, currency)
    assert money.parse(text, currency) == minor
    assert Decimal(text) == Decimal(minor).scaleb(-CURRENCIES[currency])
    assert len(text.partition(".")[2]) == CURRENCIES[currency]


@given(AMOUNTS, CURRENCY)
def test_zeros_and_blanks_around_a_number_change_nothing(minor: int, currency: str) -> None:
    text = money.text(minor, currency)
    sign, digits = ("-", text[1:]) if minor < 0 else ("", text)
    assert money.parse(f"  {sign}00{digits} ", currency) == minor
    assert money.parse(f"{sign or '+'}{digits}", currency) == minor
    if "." in digits:
        assert money.parse(f"{text}000", currency) == minor


@given(st.text(max_size=30), CURRENCY)
def test_any_text_is_an_amount_or_refused(text: str, currency: str) -> None:
    try:
        minor = money.parse(text, currency)
    except Invalid as refusal:
        assert refusal.code == "invalid"
        return
    assert Decimal(text.strip()) == Decimal(minor).scaleb(-CURRENCIES[currency])


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-", "+", ".", "1.", ".5", "1,250", "1.250,00", "1 000", "1e3", "1E3", "0x10",
        "NaN", "Infinity", "-inf", "１２", "٣", "1_000", "--1", "1.2.3", "¥5", "5 CNY", "\x00",
        "1\n2", "1" + "0" * 400, "9" * 21, "0." + "0" * 400, "1;2", "½", "²",
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        money.parse(text, "CNY", field="price")
    assert refused.value.data["field"] == "price"


def test_more_decimals_than_the_currency_has_are_refused_not_rounded() -> None:
    for text, currency in (("1.005", "CNY"), ("0.5", "JPY"), ("1.0001", "KWD")):
        with pytest.raises(Invalid, match="decimals"):
            money.parse(text, currency)
    assert money.parse("1.0000", "CNY") == 100
    assert money.parse("5.0", "JPY") == 5


def test_there_is_a_largest_amount() -> None:
    largest = money.text(money.LARGEST_MINOR, "CNY")
    assert money.parse(largest, "CNY") == money.LARGEST_MINOR
    for text in (largest.replace(".00", ".01"), "-" + largest.replace(".00", ".01"), "9" * 20):
        with pytest.raises(Invalid, match="too large"):
            money.parse(text, "CNY")


@pytest.mark.parametrize("currency", ["", "cny", "XYZ", "CNYY", "C", "人民币", "\x00", "CN\ud800"])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(Invalid):
        money.decimals(currency)


@given(POSITIVE, st.integers(0, 100_000))
def test_the_tax_inside_an_amount_is_the_nearest_whole_one(gross: int, rate_bp: int) -> None:
    tax = money.included_tax(gross, rate_bp)
    exact = Fraction(gross * rate_bp, 10_000 + rate_bp)
    assert 0 <= tax <= gross
    assert abs(tax - exact) <= Fraction(1, 2)
    assert tax - exact != Fraction(-1, 2)  # Half rounds up.
    assert money.included_tax(-gross, rate_bp) == -tax


def test_taxes_that_were_worked_out_by_hand() -> None:
    assert money.included_tax(11_300, 1300) == 1300
    assert money.included_tax(2500, 1300) == 288
    assert money.included_tax(1, 1300) == 0
    assert money.included_tax(0, 1300) == 0
    assert money.included_tax(999, 0) == 0


WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=30).filter(
    lambda many: sum(many) > 0
)


@given(AMOUNTS, WEIGHTS)
def test_shares_add_up_and_are_fair(total: int, weights: list[int]) -> None:
    parts = money.share(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1
        assert weight or not part
    for one, other in zip(sorted(zip(weights, parts)), sorted(zip(weights, parts))[1:]):
        if one[0] < other[0] and total >= 0:
            assert one[1] <= other[1]


def test_shares_of_nothing_to_share_by_are_refused() -> None:
    for weights in ([], [0], [0, 0]):
        with pytest.raises(ValueError):
            money.share(100, weights)


@given(AMOUNTS, CURRENCY, st.sampled_from(["en", "zh"]))
def test_people_read_the_same_digits(minor: int, currency: str, language: str) -> None:
    shown = money.show(minor, currency, language)
    digits = "".join(character for character in shown if character.isdigit())
    assert int(digits) == abs(minor)
    assert ("-" in shown or "−" in shown) == (minor < 0)


@given(AMOUNTS, st.sampled_from((5, 10, 50, 100, 500)))
def test_cash_is_the_nearest_multiple_of_the_coin(minor: int, coin: int) -> None:
    cash = money.rounded(minor, coin)
    assert cash % coin == 0 and 2 * abs(cash - minor) <= coin
    assert money.rounded(-minor, coin) == -cash
    assert abs(cash) >= abs(minor) or 2 * abs(cash - minor) < coin  # Half goes up.
    assert money.rounded(minor, 0) == money.rounded(minor, 1) == minor
    assert money.rounded(cash, coin) == cash


def test_a_coin_is_one_that_the_currency_may_have() -> None:
    for coin, currency in ((5, "CHF"), (100, "SEK"), (10, "NZD"), (10, "CNY"), (500, "HUF"),
                           (10, "JPY"), (25, "KWD"), (0, "CNY"), (1, "CNY")):  # fmt: skip
        money.check_coin(coin, currency)
    for coin, currency in ((3, "CHF"), (15, "CHF"), (500, "CHF"), (10**12, "SEK"), (5000, "JPY")):
        with pytest.raises(Invalid):
            money.check_coin(coin, currency)
