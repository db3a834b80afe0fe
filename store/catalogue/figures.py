"""Figures as people write them in files: amounts, rates and counts, read only where certain."""

from __future__ import annotations

import re
from decimal import Decimal

from .. import money
from ..errors import Invalid

__all__ = ["OLDEST", "plain_amount", "read_age", "read_amount", "read_count", "read_rate"]

OLDEST = 99

# Signs and words for a currency. The yen sign stands for yuan as well; a dollar sign for many.
_SIGNS = {
    "CNY": ("¥", "￥", "元", "rmb"),
    "JPY": ("¥", "￥", "円"),
    "EUR": ("€",),
    "GBP": ("£",),
    "KRW": ("₩",),
    "INR": ("₹",),
}
_DOLLARS = ("USD", "AUD", "CAD", "HKD", "NZD", "SGD", "TWD", "MXN")
_DIGITS = re.compile(r"[\d.,' \u00a0\u202f\u2009]+", re.ASCII)
_GROUPED = {
    separator: re.compile(rf"\d{{1,3}}(?:{re.escape(separator)}\d{{3}})+")
    for separator in (",", ".", "'", " ")
}

_YES = {"yes", "y", "true", "1", "x", "是"}
_NO = {"no", "n", "false", "0", "-", "否"}


def read_amount(text: str, currency: str, field: str = "price") -> int:
    """Decimal text in a currency as minor units. Its sign or code may stand before or behind;
    "12,50" and "1.234,50" are read where they can mean one thing only.

    Raises Invalid for another currency, for "1,250" (a thousand, or one and a quarter?), for too
    many decimals, and for what is less than nothing or larger than any price.
    """
    return money.parse(plain_amount(text, currency, field), currency, field=field)


def plain_amount(text: str, currency: str, field: str) -> str:
    """An amount as people write it as plain digits with a point, however many decimals it has.
    Raises Invalid."""
    bare = _without_sign(text.strip(), currency, field)
    if not _DIGITS.fullmatch(bare) or not bare[0].isdigit():
        raise Invalid(f"{text[:40]!r} is not an amount like 12.50", field=field)
    return _plain(bare, text, money.decimals(currency), field)


def _without_sign(text: str, currency: str, field: str) -> str:
    signs = [currency.lower(), *_SIGNS.get(currency, ())]
    if currency in _DOLLARS:
        signs += ["$", f"{currency[:2]}$".lower(), "us$" if currency == "USD" else "$"]
    lower = text.lower()
    for sign in sorted(signs, key=len, reverse=True):
        if lower.startswith(sign):
            return text[len(sign) :].strip()
        if lower.endswith(sign):
            return text[: -len(sign)].strip()
    other = re.search(r"[^\d.,'\s+\-]+", text)
    if other and re.search(r"\d", text):
        raise Invalid(f"{text[:40]!r} is not an amount in {currency}", field=field)
    return text


def _plain(bare: str, text: str, decimals: int, field: str) -> str:
    """Without separators of thousands, with a point for the decimals."""
    bare = re.sub(r"[\u00a0\u202f\u2009]", " ", bare)
    marks = [character for character in bare if not character.isdigit()]
    if not marks:
        return bare
    last = marks[-1]
    whole, _, rest = bare.rpartition(last)
    kinds = set(marks)
    if (len(kinds) == 1 and len(marks) > 1) or last in "' ":
        if _GROUPED[last].fullmatch(bare):
            return bare.replace(last, "")
    elif len(kinds) == 1:
        # Three digits behind one mark are thousands to some, thousandths to others.
        if len(rest) != 3 or (decimals == 3 and last == "."):
            return f"{whole}.{rest}"
        if decimals == 0 and last == ",":
            return whole + rest
    elif len(kinds) == 2 and marks.count(last) == 1:
        thousands = marks[0]
        if _GROUPED[thousands].fullmatch(whole):
            return f"{whole.replace(thousands, '')}.{rest}"
    said = f"{text[:40]!r} can mean more than one amount; write it like 1250.00"
    raise Invalid(said, field=field)


def read_rate(text: str, field: str = "tax_rate") -> int:
    """A rate in percent, "13", "13%" or "5.5 %", as basis points. Raises Invalid; also for what
    lies between 0 and 1, which is a fraction to some and a percentage to others."""
    bare = text.strip()
    percent = bare.endswith("%")
    bare = bare.removesuffix("%").strip().replace(",", ".")
    if not re.fullmatch(r"\d{1,3}(\.\d{1,2}0*)?", bare, re.ASCII) or Decimal(bare) > 100:
        raise Invalid(f"{text[:40]!r} is not a rate in percent like 13", field=field)
    if 0 < Decimal(bare) < 1 and not percent:
        raise Invalid(f"{text[:40]!r}: percent or fraction? Write 13 or 13%", field=field)
    return int(Decimal(bare) * 100)


def read_yes(text: str, field: str = "batches") -> bool:
    """Yes or no, as people write them in tables. Raises Invalid."""
    said = text.strip().casefold()
    if said not in _YES | _NO:
        raise Invalid(f"{text[:40]!r} is neither yes nor no", field=field)
    return said in _YES


def read_age(text: str, field: str = "least_age") -> int:
    """A least age in years, "18" or "18+"; 0 is none. Raises Invalid."""
    found = re.fullmatch(r"(\d{1,2})(?:\.0+)?\+?", text.strip(), re.ASCII)
    if not found:
        said = f"{text[:40]!r} is not a least age in years like 18; 0 is none"
        raise Invalid(said, field=field)
    return int(found[1])


def read_count(text: str, field: str = "stock") -> int:
    """A whole number from 0 to 1,000,000,000; "12.0" is one, too. Raises Invalid."""
    found = re.fullmatch(r"(\d{1,10})(?:\.0+)?", text.strip(), re.ASCII)
    if not found or int(found[1]) > 10**9:
        raise Invalid(f"{text[:40]!r} is not a whole number from 0 to 10^9", field=field)
    return int(found[1])
