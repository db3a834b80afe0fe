"""Rules for the components of application identifiers: dates, check digits, code lists.

Each rule takes a component's text, whose characters already belong to its set, and answers None
or the fault: the offset and a sentence. Names are those of GS1's Barcode Syntax Dictionary.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date

from .coupons import couponcode, couponposoffer
from .registers import COUNTRIES, COUNTRY_NUMBERS, CURRENCIES, PACKAGE_TYPES

__all__ = ["CHARACTER_SETS", "LINTS", "check_digit_sum", "full_year", "pads_fault"]

Fault = tuple[int, str] | None
Lint = Callable[[str], Fault]

# GS1 General Specifications, section 7.11: character sets 82, 39 and file-safe base 64.
_SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_SET_32 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83]

CHARACTER_SETS = {
    "N": (re.compile(r"[0-9]*"), "a digit"),
    "X": (re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]*"), "of character set 82"),
    "Y": (re.compile(r"[#\-/0-9A-Z]*"), "of character set 39"),
    "Z": (re.compile(r"[\-0-9A-Z_a-z]*={0,2}"), "of the file-safe base 64 set"),
}


def check_digit_sum(digits: str) -> int:
    """The weighted sum of section 7.9 modulo 10: 0 when the last digit is the right check digit."""
    codes = digits.encode()
    # The digit 0 is byte 48: what the bytes add above the digits' own values is taken off again.
    ends_odd = codes[::-2]
    others = codes[-2::-2]
    return (sum(ends_odd) + 3 * sum(others) - 48 * (len(ends_odd) + 3 * len(others))) % 10


def full_year(two_digits: int, this_year: int) -> int:
    """The year of two digits, at most 50 ahead and 49 behind (section 7.12)."""
    year = this_year - this_year % 100 + two_digits
    if year - this_year >= 51:
        return year - 100
    if year - this_year <= -50:
        return year + 100
    return year


def pads_fault(text: str) -> Fault:
    """Padding of base 64 is optional, but must fill up the length to a multiple of three."""
    body = text.rstrip("=")
    if len(body) < len(text) and len(text) % 3:
        return len(body), "has the wrong number of pad characters"
    return None


def _csum(text: str) -> Fault:
    return (len(text) - 1, "has a wrong check digit") if check_digit_sum(text) else None


def _csumalpha(text: str) -> Fault:
    """Section 7.9.5: a pair of check characters over prime weights, modulo 1021."""
    if len(text) < 2:
        return 0, "is too short to hold a pair of check characters"
    body = text[:-2]
    total = sum(
        _SET_82.index(it) * prime for it, prime in zip(reversed(body), _PRIMES, strict=False)
    )
    high, low = divmod(total % 1021, 32)
    if text[-2:] != _SET_32[high] + _SET_32[low]:
        return len(body), "has a wrong pair of check characters"
    return None


def _company_prefix(start: int) -> Lint:
    def lint(text: str) -> Fault:
        prefix = text[start : start + 4]
        if len(prefix) < 4:
            return start, "is shorter than the shortest GS1 Company Prefix"
        if not prefix.isdigit():
            return start, "does not begin with a GS1 Company Prefix"
        return None

    return lint


def _day_fault(year: int, month: int, day: int, at: int, first_day: int) -> Fault:
    if not 1 <= month <= 12:
        return at, f"names the month {month:02d}"
    if not first_day <= day <= monthrange(year, month)[1]:
        return at + 2, f"names the day {day:02d}, which that month does not have"
    return None


def _short_date(first_day: int) -> Lint:
    """YYMMDD; where `first_day` is 0, day 00 stands for the end of the month."""

    def lint(text: str) -> Fault:
        year = full_year(int(text[:2]), date.today().year)
        return _day_fault(year, int(text[2:4]), int(text[4:6]), 2, first_day)

    return lint


def _yyyymmdd(text: str) -> Fault:
    year = int(text[:4])
    if year == 0:
        return 0, "names the year 0000"
    return _day_fault(year, int(text[4:6]), int(text[6:8]), 4, 1)


def _at_most(highest: int, what: str) -> Lint:
    def lint(text: str) -> Fault:
        return None if int(text) <= highest else (0, f"names the {what} {text}")

    return lint


def _hour_and_minute(text: str) -> Fault:
    if int(text[:2]) > 23:
        return 0, f"names the hour {text[:2]}"
    if int(text[2:4]) > 59:
        return 2, f"names the minute {text[2:4]}"
    return None


def _one_of(allowed: frozenset[str] | set[str] | dict[str, str], what: str) -> Lint:
    def lint(text: str) -> Fault:
        return None if text in allowed else (0, f"is not {what}")

    return lint


def _matches(pattern: str, what: str) -> Lint:
    compiled = re.compile(pattern, re.ASCII)

    def lint(text: str) -> Fault:
        return None if compiled.fullmatch(text) else (0, what)

    return lint


def _percent_encoding(text: str) -> Fault:
    broken = re.search(r"%(?![0-9A-Fa-f]{2})", text)
    return (broken.start(), "has a broken percent-encoding") if broken else None


def _iban(text: str) -> Fault:
    """ISO 13616-1; the check is ISO 7064 modulo 97-10 over the text turned by four."""
    if len(text) <= 10:
        return 0, "is too short for an IBAN"
    if text[:2] not in COUNTRIES:
        return 0, "is an IBAN of no country"
    odd = re.search(r"[^0-9A-Z]", text)
    if odd:
        return odd.start(), "is an IBAN with a character that none has"
    if int("".join(str(int(it, 36)) for it in text[4:] + text[:4])) % 97 != 1:
        return 2, "is an IBAN with wrong check digits"
    return None


def _piece_of_total(text: str) -> Fault:
    half = len(text) // 2
    piece, total = int(text[:half]), int(text[half:])
    if piece == 0:
        return 0, "names piece 0"
    if total == 0:
        return half, "names a total of 0 pieces"
    return (0, f"names piece {piece} of {total}") if piece > total else None


def _position_in_sequence(text: str) -> Fault:
    parts = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    if not parts:
        return 0, "is not a position like 1/3"
    for place in (1, 2):
        if parts[place].startswith("0"):
            return parts.start(place), "begins a number with zero"
    return (0, "has a position beyond the end") if int(parts[1]) > int(parts[2]) else None


LINTS: dict[str, Lint] = {
    "csum": _csum,
    "csumalpha": _csumalpha,
    "gcppos1": _company_prefix(0),
    "gcppos2": _company_prefix(1),
    "yymmdd": _short_date(1),
    "yymmd0": _short_date(0),
    "yyyymmdd": _yyyymmdd,
    "hh": _at_most(23, "hour"),
    "mi": _at_most(59, "minute"),
    "ss": _at_most(59, "second"),
    "hhmi": _hour_and_minute,
    "latitude": _at_most(1_800_000_000, "latitude"),
    "longitude": _at_most(3_600_000_000, "longitude"),
    "iso3166": _one_of(COUNTRY_NUMBERS, "a country number of ISO 3166"),
    "iso3166999": _one_of(COUNTRY_NUMBERS | {"999"}, "a country number of ISO 3166, nor 999"),
    "iso3166alpha2": _one_of(COUNTRIES, "a country code of ISO 3166"),
    "iso4217": _one_of(CURRENCIES, "a currency number of ISO 4217"),
    "iso5218": _one_of({"0", "1", "2", "9"}, "a sex code of ISO 5218"),
    "packagetype": _one_of(PACKAGE_TYPES, "a package type code"),
    "mediatype": _matches("0[1-9]|10|[89][0-9]", "is not an AIDC media type"),
    "winding": _one_of({"0", "1", "9"}, "a winding direction: 0, 1 or 9"),
    "yesno": _one_of({"0", "1"}, "0 or 1"),
    "zero": _matches("0+", "must be zero"),
    "nonzero": _matches("[0-9]*[1-9][0-9]*", "must not be zero"),
    "nozeroprefix": _matches("0|[1-9][0-9]*", "must not begin with zero"),
    "hyphen": _matches("-+", "may only hold a hyphen"),
    "hasnondigit": _matches("[0-9]*[^0-9].*", "must hold a character that is no digit"),
    "importeridx": _matches("[-0-9A-Z_a-z]", "is no importer index"),
    "pcenc": _percent_encoding,
    "iban": _iban,
    "pieceoftotal": _piece_of_total,
    "posinseqslash": _position_in_sequence,
    "couponcode": couponcode,
    "couponposoffer": couponposoffer,
}
