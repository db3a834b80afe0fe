"""What a pack holds, and what a litre of it costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.catalogue.sizes import LARGEST_CONTENT, read_size, unit_price


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("1 l", 1000, "ml"),
        ("500 g", 500, "g"),
        ("12.5 kg", 12500, "g"),
        ("6 x 330 ml", 1980, "ml"),
        ("330ml×6", 1980, "ml"),
        ("33 cl e", 330, "ml"),
        ("46,7 g", 46700, "mg"),
        ("12 oz/340 g", 340, "g"),
        ("16.9 fl oz/1.05 PT/500 mL", 500, "ml"),
        ("300 ml e / 342 g", 300, "ml"),
        ("25 oz", 708738, "mg"),
        ("10 LBR", 4535924, "mg"),
        ("0.980 kg", 980, "g"),
        ("100gr", 100, "g"),
        ("500克", 500, "g"),
        ("2斤", 1000, "g"),
        ("60 capsules", 60, "pc"),
        ("96 EA", 96, "pc"),
        ("3 m", 3000, "mm"),
    ],
)
def test_sizes_are_read_as_packs_write_them(text: str, amount: int, unit: str) -> None:
    assert read_size(text) == (amount, unit)


@pytest.mark.parametrize("text", ["", "1 400 kg", "1,000 g", "1 bun", "a peso", "0 g", "3", "2 gx"])
def test_a_size_that_is_not_certain_is_not_guessed(text: str) -> None:
    assert read_size(text) is None


@given(st.text(max_size=60))
def test_any_text_is_a_size_or_none(text: str) -> None:
    content = read_size(text)
    assert content is None or 0 < content.amount <= LARGEST_CONTENT


@pytest.mark.parametrize(
    ("price", "content", "unit", "expected"),
    [
        (1250, 1000, "ml", (1250, "l")),
        (899, 330, "ml", (2724, "l")),
        (300, 100, "g", (300, "100 g")),
        (300, 46700, "mg", (642, "100 g")),
        (600, 12, "pc", (50, "pc")),
        (600, 1, "pc", (None, "")),
        (600, None, None, (None, "")),
    ],
)
def test_the_unit_price_is_exact_to_half_a_minor_unit(
    price: int, content: int | None, unit: str | None, expected: tuple[int | None, str]
) -> None:
    assert unit_price(price, content, unit) == expected
