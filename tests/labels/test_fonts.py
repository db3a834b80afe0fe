"""The labels' font has what shops print, and says what it has not."""

from __future__ import annotations

import pytest

from store import fonts


def test_both_weights_have_the_same_characters() -> None:
    assert fonts.font(False).glyphs.keys() == fonts.font(True).glyphs.keys()
    assert fonts.font(False).name != fonts.font(True).name


@pytest.mark.parametrize(
    "text",
    [
        "Oat milk, 1 l – “barista” & Co.’s best…",
        "Żółty ser, łosoś, Čokoláda, süß, crème brûlée, Ğ ş ı, ő ű, ș ț",
        "Cà phê sữa đá",
        "¥ £ € $ ₹ ₺ ₽ ₩ ₫ ₱ ₴ ¢",
        "燕麦奶 有机 1升（冷藏）《特级》",
        "新鮮檸檬茶 無糖 鐵觀音 醬油 雞蛋",
        "カレールー 中辛 きのこの山 焼き塩",
        "Ελληνικό μέλι, Борщ, їжак",
        "½ ¼ ° × ± µ ® ™ № ℃ ℮ ‰",
    ],
)
def test_what_shops_write_can_be_printed(text: str) -> None:
    assert fonts.missing_glyphs(text) == []
    assert fonts.printable(text)[0] == text


def test_every_character_of_gb2312_is_there() -> None:
    pairs = ((row, cell) for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF))
    decoded = "".join(bytes(pair).decode("gb2312", "ignore") for pair in pairs)
    assert len(decoded) == 7445
    assert fonts.missing_glyphs("".join(decoded.split())) == []


def test_a_missing_character_becomes_a_geta_mark_and_is_reported_once() -> None:
    shown, missing = fonts.printable("龘 tea 😀 龘")
    assert shown == "〓 tea 〓 〓"
    assert missing == ["龘", "😀"]
    assert fonts.missing_glyphs("龘 tea 😀 龘") == ["龘", "😀"]


def test_rare_forms_are_printed_as_their_common_equals() -> None:
    assert fonts.printable("ﬁsh 500㎖") == ("fish 500ml", [])
    assert fonts.printable("e\u0301clair") == ("éclair", [])


def test_blanks_and_invisible_marks_do_no_harm() -> None:
    text = "Tea\n\t green\u00a0\u3000leaf\u200b\u00ad\ufeff\u202e\ufe0f\x00"
    assert fonts.printable(text) == ("Tea green leaf", [])
    assert fonts.printable(" \n ") == ("", [])


def test_widths_are_those_of_the_font() -> None:
    assert fonts.width("茶") == 1.0
    assert fonts.width("00") == fonts.width("17")
    assert fonts.width("Tea", bold=True) > fonts.width("Tea")
