"""Money: whole minor units of a currency, and how people read and write them.

An amount is an `int` of minor units (fen, cents) beside a three-letter currency; never a float.
The number of decimals is the currency's own (CNY 2, JPY 0, KWD 3), from Babel's CLDR data.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache, lru_cache
from typing import NamedTuple

from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision, is_currency

from .errors import Invalid

__all__ = ["LARGEST_MINOR", "Taxed", "added_tax", "check_coin", "decimals", "included_tax", "parse",
           "rounded", "share", "show", "taxed", "text"]  # fmt: skip

LARGEST_MINOR = 10**15
"""Refused above this: it keeps every sum of a shop far inside 2^63 and a price inside 2^53."""

_COUNTRY_OF_SIGN = re.compile(r"[A-Z]{1,3}(?=[¥$£€₩])")
_PLAIN = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?\Z", re.ASCII)


@cache
def decimals(currency: str) -> int:
    """How many decimals the currency has. Raises Invalid for an unknown currency."""
    if not is_currency(currency):
        raise Invalid(f"{currency!r} is not a currency code (ISO 4217)", field="currency")
    return get_currency_precision(currency)


def parse(amount: str, currency: str, *, field: str = "amount") -> int:
    """Decimal text ("12.50") to minor units (1250), exactly.

    Raises Invalid when it is not a plain decimal number, has more decimals than the currency, or
    is larger than any price. Thousands separators are refused: "1,250" means different sums in
    different countries.
    """
    text_ = amount.strip()
    if not _PLAIN.match(text_):
        raise Invalid(f"{amount[:40]!r} is not an amount like 12.50", field=field)
    minor = Decimal(text_).scaleb(decimals(currency))
    if minor != minor.to_integral_value():
        raise Invalid(
            f"{amount[:40]!r} has more than {decimals(currency)} decimals of {currency}",
            field=field,
        )
    if abs(minor) > LARGEST_MINOR:
        raise Invalid(f"{amount[:40]!r} is too large", field=field)
    return int(minor)


def text(minor: int, currency: str) -> str:
    """Minor units to plain decimal text: 1250 CNY is "12.50". For files, forms and the API."""
    places = decimals(currency)
    sign = "-" if minor < 0 else ""
    digits = str(abs(minor)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


@lru_cache(maxsize=16_384)
def show(minor: int, currency: str, language: str = "en") -> str:
    """Minor units as people of a language write them: ¥12.50, 12,50 €.

    A shop has one currency, so its sign needs no country before it: ¥ and not CN¥, $ and not US$.
    """
    amount = Decimal(minor).scaleb(-decimals(currency))
    shown = format_currency(amount, currency, locale=language.replace("-", "_"))
    return _COUNTRY_OF_SIGN.sub("", shown)


def rounded(minor: int, coin_minor: int) -> int:
    """An amount as coins can pay it: the nearest multiple of the smallest coin, half up by amount,
    below zero as above. A coin of 0 or 1 leaves it as it is. So cash is rounded in Switzerland and
    Sweden (lag 1970:1029) and under New Zealand's Swedish rounding; what is owed is not changed."""
    if coin_minor <= 1:
        return minor
    whole = (2 * abs(minor) + coin_minor) // (2 * coin_minor) * coin_minor
    return -whole if minor < 0 else whole


def check_coin(coin_minor: int, currency: str) -> None:
    """Raises Invalid for a smallest coin that no currency has, or not this one: coins are 1, 2, 5
    or 25 with zeroes, and the smallest is no more than one whole unit, or than 1000 where nothing
    less than whole units is paid in cash (CLDR: CZK, HUF, SEK, JPY, KRW)."""
    if coin_minor <= 1:
        return
    fractions = get_global("currency_fractions")
    digits, _, in_cash, _ = fractions.get(currency, fractions["DEFAULT"])
    most = 10 ** decimals(currency) * (1 if digits and in_cash else 1000)
    if int(str(coin_minor).rstrip("0")) not in (1, 2, 5, 25) or coin_minor > most:
        raise Invalid(f"STORE_CASH_ROUNDING: {coin_minor} is no smallest coin of {currency}")


def included_tax(gross_minor: int, rate_bp: int) -> int:
    """The tax inside a gross amount; the rate is in basis points (1300 is 13 %), half rounds up."""
    sign = -1 if gross_minor < 0 else 1
    numerator = abs(gross_minor) * rate_bp
    return sign * ((2 * numerator + 10_000 + rate_bp) // (2 * (10_000 + rate_bp)))


def added_tax(net_minor: int, rate_bp: int) -> int:
    """The tax on top of a net amount; the rate is in basis points, half rounds up."""
    sign = -1 if net_minor < 0 else 1
    return sign * ((2 * abs(net_minor) * rate_bp + 10_000) // 20_000)


class Taxed(NamedTuple):
    """What a line comes to, and the tax in it."""

    total_minor: int
    tax_minor: int


def taxed(priced_minor: int, rate_bp: int, on_top: bool = False) -> Taxed:
    """A line of a sale from what its units are priced at together: with the tax in it, or with the
    tax to come on top.

    The rule of every sale: tax is worked out once for a line, for all of its units, and rounded to
    the currency's smallest unit, half up; a sale's tax is the sum of its lines'. So the tax of each
    rate adds up to the tax of the sale, and nothing is ever rounded twice. Laws leave the choice
    between unit, line and invoice to the seller, if it is held to (European Court of Justice,
    C-484/06; HM Revenue and Customs, VAT Notice 700, 17.5; for tax on top, the Streamlined Sales
    and Use Tax Agreement, section 324: item basis, half up).
    """
    if on_top:
        tax = added_tax(priced_minor, rate_bp)
        return Taxed(priced_minor + tax, tax)
    return Taxed(priced_minor, included_tax(priced_minor, rate_bp))


def share(total_minor: int, weights: list[int]) -> list[int]:
    """Split an amount by weights so that the parts add up exactly (largest remainders)."""
    whole = sum(weights)
    if whole <= 0:
        raise ValueError("weights must add up to more than 0")
    parts = [total_minor * weight // whole for weight in weights]
    rest = total_minor - sum(parts)
    order = sorted(range(len(weights)), key=lambda at: (-((total_minor * weights[at]) % whole), at))
    for at in order[:rest]:
        parts[at] += 1
    return parts
