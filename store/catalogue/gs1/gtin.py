"""GTINs: check digits, lengths, UPC-E.

Sources: GS1 General Specifications, sections 7.9.1 (check digit), 7.9.3 (price or weight check
digit), 7.10 (UPC-E), 3.3.2 (GTIN in 14 digits).
"""

from __future__ import annotations

from .fault import CodeFault, excerpt
from .lints import check_digit_sum

__all__ = [
    "check_digit",
    "compress_upc_e",
    "expand_upc_e",
    "format_of",
    "is_gtin",
    "measure_check_digit",
    "normalise",
    "shorten",
]

_DIGITS = frozenset("0123456789")

# How many zeros lead the 14 digits decides which kind it is: "GTIN-8" has six or more.
_FORMATS = ((6, "GTIN-8"), (2, "GTIN-12"), (1, "GTIN-13"), (0, "GTIN-14"))

# Section 7.9.3: what each digit counts for, by its place and value.
_TWICE_LESS = (0, 2, 4, 6, 8, 9, 1, 3, 5, 7)
_FIVE_TIMES_PLUS = (0, 5, 1, 6, 2, 7, 3, 8, 4, 9)
_FIVE_TIMES_LESS = (0, 5, 9, 4, 8, 3, 7, 2, 6, 1)
_THREE_TIMES = (0, 3, 6, 9, 2, 5, 8, 1, 4, 7)
_FOUR_DIGITS = (_TWICE_LESS, _TWICE_LESS, _THREE_TIMES, _FIVE_TIMES_LESS)
_FIVE_DIGITS = (
    _FIVE_TIMES_PLUS,
    _TWICE_LESS,
    _FIVE_TIMES_LESS,
    _FIVE_TIMES_PLUS,
    _TWICE_LESS,
)


def normalise(code: str) -> str:
    """8, 12, 13 or 14 digits as the 14 digits of a GTIN. Raises CodeFault."""
    _refuse_non_digits(code)
    if len(code) not in (8, 12, 13, 14):
        raise CodeFault(
            f"A GTIN has 8, 12, 13 or 14 digits, {excerpt(code)} has {len(code)}.", at=len(code)
        )
    if check_digit_sum(code):
        raise CodeFault(
            f"The check digit of {code} is wrong; it should be {check_digit(code[:-1])}.",
            at=len(code) - 1,
        )
    return code.zfill(14)


def is_gtin(code: str) -> bool:
    """Whether the text is a GTIN of any length with the right check digit."""
    try:
        normalise(code)
    except CodeFault:
        return False
    return True


def check_digit(payload: str) -> int:
    """The check digit that belongs behind the digits of any GS1 key."""
    _refuse_non_digits(payload)
    return -check_digit_sum(payload + "0") % 10


def measure_check_digit(digits: str) -> int:
    """The inner check digit over 4 or 5 digits of a price or weight in an in-store code."""
    _refuse_non_digits(digits)
    if len(digits) not in (4, 5):
        raise CodeFault(f"A price or weight has 4 or 5 digits, {excerpt(digits)} has not.")
    if len(digits) == 4:
        total = sum(row[int(digit)] for row, digit in zip(_FOUR_DIGITS, digits, strict=True))
        return total * 3 % 10
    total = sum(row[int(digit)] for row, digit in zip(_FIVE_DIGITS, digits, strict=True))
    return _FIVE_TIMES_LESS.index(-total % 10)


def format_of(code: str) -> str:
    """The shortest kind that holds it: "GTIN-8", "GTIN-12", "GTIN-13" or "GTIN-14"."""
    digits = normalise(code)
    zeros = len(digits) - len(digits.lstrip("0"))
    return next(name for least, name in _FORMATS if zeros >= least)


def shorten(code: str, length: int) -> str:
    """The GTIN in exactly 8, 12, 13 or 14 digits. Raises CodeFault if it does not fit."""
    if length not in (8, 12, 13, 14):
        raise ValueError("a GTIN has 8, 12, 13 or 14 digits")
    digits = normalise(code)
    cut = len(digits) - length
    if digits[:cut].strip("0"):
        raise CodeFault(f"{code} is too long to be a GTIN-{length}.", at=0)
    return digits[cut:]


def expand_upc_e(code: str) -> str:
    """6, 7 or 8 digits of UPC-E as the 12 digits of UPC-A; 12 digits pass after their check.

    Six digits are of number system 0, seven begin with their number system, eight end with their
    check digit too.
    """
    _refuse_non_digits(code)
    if len(code) == 12:
        normalise(code)
        return code
    if len(code) not in (6, 7, 8):
        raise CodeFault(f"UPC-E has 6, 7 or 8 digits, {excerpt(code)} has {len(code)}.")
    body = f"0{code}" if len(code) == 6 else code[:7]
    if body[0] not in "01":
        raise CodeFault(f"UPC-E begins with 0 or 1, {excerpt(code)} does not.", at=0)
    payload = body[0] + _without_suppressed_zeros(body[1:])
    full = f"{payload}{check_digit(payload)}"
    if len(code) == 8 and full[-1] != code[-1]:
        raise CodeFault(f"The check digit of {code} is wrong; it should be {full[-1]}.", at=7)
    return full


def compress_upc_e(code: str) -> str:
    """A UPC-A (or UPC-E of any length) as UPC-E of 8 digits. Raises CodeFault if it has no such."""
    full = expand_upc_e(code)
    maker, item = full[1:6], full[6:11]
    if full[0] not in "01":
        raise CodeFault(f"{full} has no UPC-E: it does not begin with 0 or 1.", at=0)
    if maker[2] in "012" and maker[3:] == "00" and item[:2] == "00":
        body = maker[:2] + item[2:] + maker[2]
    elif maker[3:] == "00" and item[:3] == "000":
        body = maker[:3] + item[3:] + "3"
    elif maker[4] == "0" and item[:4] == "0000":
        body = maker[:4] + item[4] + "4"
    elif item[:4] == "0000" and item[4] in "56789":
        body = maker + item[4]
    else:
        raise CodeFault(f"{full} has no UPC-E: it has no zeros to leave out.", at=1)
    return full[0] + body + full[-1]


def _without_suppressed_zeros(body: str) -> str:
    """The six digits with the zeros back that their last digit tells about."""
    last = body[5]
    if last in "012":
        return f"{body[:2]}{last}0000{body[2:5]}"
    if last == "3":
        return f"{body[:3]}00000{body[3:5]}"
    if last == "4":
        return f"{body[:4]}00000{body[4]}"
    return f"{body[:5]}0000{last}"


def _refuse_non_digits(text: str) -> None:
    for at, character in enumerate(text):
        if character not in _DIGITS:
            raise CodeFault(f"{excerpt(text)} has a character that is no digit.", at=at)
    if not text:
        raise CodeFault("There are no digits.", at=0)
