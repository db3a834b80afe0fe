"""One reading for whatever a scanner, a phone or a person hands over."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal
from urllib.parse import unquote

from .as_meant import as_meant
from .associations import Elements, without_repeats
from .digital_link import DigitalLink, read_params
from .element_string import FNC1, parse, parse_bracketed
from .fault import CodeFault, refuse_too_long
from .gtin import expand_upc_e, is_gtin, normalise
from .in_store import DEFAULT_LAYOUTS, is_in_store, read_in_store
from .lints import full_year
from .registers import CURRENCIES
from .repair import read_link

__all__ = ["Kind", "Scan", "read", "read_date"]

Kind = Literal["digital_link", "element_string", "gtin", "in_store", "item", "other"]


@dataclass(frozen=True, slots=True)
class Scan:
    """What a text says. Fields that it does not speak of are None or empty.

    `kind` "item" is `/i/{code}` on some host: goods without a GTIN, `code` is their code. Of an
    "in_store" code, `code` is prefix and item number. "other" may be a SKU or a short code: look
    up `text`; `fault` then tells what is wrong should it be meant as a code of GS1.
    """

    kind: Kind
    text: str
    gtin: str | None = None
    """14 digits. Never invented: in-store numbers have none."""
    alternative: str | None = None
    """The other number that eight digits may mean, where they are UPC-E as well as GTIN-8."""
    code: str | None = None
    ais: tuple[tuple[str, str], ...] = ()
    batch: str | None = None
    serial: str | None = None
    variant: str | None = None
    expires_on: date | None = None
    best_before_on: date | None = None
    weight_g: int | None = None
    """Net weight, rounded to whole grams."""
    count: int | None = None
    price: Decimal | None = None
    """With exactly the decimals that the code gives; `currency` is None where it names none."""
    currency: str | None = None
    host: str | None = None
    params: tuple[tuple[str, str], ...] = ()
    """The link's own parameters, decoded, such as ("l", label)."""
    link: DigitalLink | None = None
    repairs: tuple[str, ...] = ()
    """What lenient reading mended; if any, `link.uri()` is the address to redirect to."""
    fault: CodeFault | None = None

    def param(self, name: str) -> str | None:
        """The first parameter of that name: scan.param("l")."""
        return next((value for each, value in self.params if each == name), None)


_BLANKS = " \t\r\n\u3000\ufeff"
_ADDRESS = re.compile(r"https?://([^/?#]+)([^?#]*)(?:\?([^#]*))?", re.IGNORECASE | re.DOTALL)
_ITEM_PATH = re.compile(r"(?:/[^/]*)*?/i/([^/]{1,200})/?", re.DOTALL)
_BARE_HOST = re.compile(r"[A-Za-z0-9.\-]+(?::[0-9]+)?/(?:01|i)/")
_MEANT_AS_LINK = re.compile(r"/(?:01|gtin)/+[0-9]{8}", re.IGNORECASE)
_SYMBOL = re.compile(r"\][A-Za-z][0-9A-Z]")
_ELEMENT_SYMBOLS = ("]C1", "]d2", "]Q3", "]e0", "]J1")
# What Chinese and Japanese keyboards type for the characters of ASCII.
_HALF_WIDTH = {0xFF01 + at: 0x21 + at for at in range(94)}
_GRAMS = {"310": Decimal(1000), "320": Decimal("453.59237"), "356": Decimal("31.1034768")}


def read(
    text: str, *, layouts: Sequence[str] = DEFAULT_LAYOUTS, this_year: int | None = None
) -> Scan:
    """Read a Digital Link of any host, an element string (raw, announced or in brackets), the
    digits of EAN, UPC or GTIN, an in-store code; all else is kind "other".

    Raises CodeFault for what cannot be anything but a code of GS1 and is wrong. `layouts` are
    those of in_store; `this_year` decides the century of dates.
    """
    refuse_too_long(text)
    if text.startswith(("http://", "https://")):
        return _read_address(text, text, this_year)
    bare = as_meant(text)
    if bare[:1] == "]" and bare[3:7].lower() == "http":
        bare = bare[3:]  # Announced as elements all the same, by scanners that are set up so.
    if bare.startswith(_ELEMENT_SYMBOLS) or FNC1 in bare:
        elements = parse(bare, announced=False)
        return _of_elements("element_string", text, elements, this_year)
    bare = _SYMBOL.sub("", bare, count=1) if bare.startswith("]") else bare
    bare = bare.translate(_HALF_WIDTH)
    if bare[:4].lower() == "http":
        return _read_address(text, bare, this_year)
    if bare.startswith("("):
        return _read_brackets(text, bare, this_year)
    digits = _without_addition(bare.replace(" ", "").replace("-", ""), text)
    if digits.isascii() and digits.isdigit() and len(digits) in (8, 12, 13, 14):
        return _read_digits(text, digits, layouts, eight_only=text.startswith("]E4"))
    if _BARE_HOST.match(bare):
        return _read_address(text, f"https://{bare}", this_year)
    return _read_unannounced(text, bare, this_year)


def read_date(yymmdd: str, this_year: int | None = None) -> date:
    """A checked date of six digits; day 00 is the end of the month (sections 7.12 and 3.4)."""
    year = full_year(int(yymmdd[:2]), this_year or date.today().year)
    month, day = int(yymmdd[2:4]), int(yymmdd[4:6])
    last = monthrange(year, month)[1]
    # A 29 February may fall into a year without one when `this_year` moves the century.
    return date(year, month, min(day or last, last))


def _read_address(text: str, address: str, this_year: int | None) -> Scan:
    try:
        reading = read_link(address)
    except CodeFault as fault:
        return _read_other_address(text, address, fault)
    link, repairs = reading.link, reading.repairs
    host = link.stem.split("/", 3)[2].lower()
    if link.key[0] == "01" and not link.qualifiers and not link.attributes:
        # The hot page: nothing to look for but the GTIN itself.
        return Scan(
            "digital_link",
            text,
            gtin=link.key[1],
            ais=(link.key,),
            host=host,
            params=link.params,
            link=link,
            repairs=repairs,
        )
    scan = _of_elements("digital_link", text, link.elements, this_year)
    return replace(scan, host=host, params=link.params, link=link, repairs=repairs)


def _read_other_address(text: str, address: str, fault: CodeFault) -> Scan:
    parts = _ADDRESS.match(address.strip(_BLANKS))
    if parts is None:
        return Scan("other", text, fault=fault)
    item = _ITEM_PATH.fullmatch(parts[2])
    if item:
        params = read_params(each for each in (parts[3] or "").split("&") if each)
        return Scan("item", text, code=unquote(item[1]), host=parts[1].lower(), params=params)
    if _MEANT_AS_LINK.search(parts[2]):
        raise fault
    return Scan("other", text, host=parts[1].lower(), fault=fault)


def _without_addition(digits: str, text: str) -> str:
    """The number of a periodical or a book without the two or five digits that stand beside its
    bars (issue, price), which scanners send along (General Specifications, section 5.2.2)."""
    if len(digits) not in (15, 18) or not is_gtin(digits[:13]):
        return digits
    beside = text.startswith("]E3") or digits.startswith(("977", "978", "979", "491"))
    return digits[:13] if beside else digits


def _read_brackets(text: str, bare: str, this_year: int | None) -> Scan:
    try:
        return _of_elements("element_string", text, parse_bracketed(bare), this_year)
    except CodeFault:
        if bare[1:3].isdigit():
            raise
        return Scan("other", text)


def _read_digits(text: str, digits: str, layouts: Sequence[str], *, eight_only: bool) -> Scan:
    candidates: list[str] = []
    fault: CodeFault | None = None
    if len(digits) == 8 and not eight_only:
        with suppress(CodeFault):  # Most numbers of eight digits are no UPC-E.
            candidates.append(normalise(expand_upc_e(digits)))
    try:
        full = normalise(digits)
        if is_in_store(digits) and not candidates:
            return _of_in_store(text, digits, layouts)
        if digits[0] == "0" or len(digits) > 8:
            candidates.append(full)
        else:
            candidates.insert(0, full)
    except CodeFault as found:
        fault = found
    if not candidates:
        return Scan("other", text, fault=fault)
    other = candidates[1] if len(candidates) > 1 else None
    return Scan("gtin", text, gtin=candidates[0], alternative=other, ais=(("01", candidates[0]),))


def _of_in_store(text: str, digits: str, layouts: Sequence[str]) -> Scan:
    found = read_in_store(digits, layouts)
    grams = None if found.weight_kg is None else _whole(found.weight_kg * 1000)
    return Scan(
        "in_store",
        text,
        code=found.item,
        weight_g=grams,
        count=found.count,
        price=found.price,
    )


def _read_unannounced(text: str, bare: str, this_year: int | None) -> Scan:
    """An element string whose scanner left out every sign of it: taken for one only where it
    begins with a GTIN or an SSCC, whose check digit must be right."""
    if len(bare) >= 16 and bare[:2] in ("00", "01", "02"):
        try:
            elements = parse(bare, announced=False)
            return _of_elements("element_string", text, elements, this_year)
        except CodeFault as fault:
            return Scan("other", text, fault=fault)
    return Scan("other", text)


def _of_elements(kind: Kind, text: str, elements: Elements, this_year: int | None) -> Scan:
    ais = without_repeats(elements)
    values = dict(ais)
    gtin = values.get("01") or values.get("8006", "")[:14] or None
    expiry = values.get("17") or values.get("7003", "")[:6]
    price, currency = _price(values)
    return Scan(
        kind,
        text,
        gtin=gtin,
        ais=ais,
        batch=values.get("10"),
        serial=values.get("21"),
        variant=values.get("22"),
        expires_on=read_date(expiry, this_year) if expiry else None,
        best_before_on=read_date(values["15"], this_year) if "15" in values else None,
        weight_g=_weight_g(values),
        count=int(values["30"]) if "30" in values else None,
        price=price,
        currency=currency,
    )


def _weight_g(values: dict[str, str]) -> int | None:
    """From AI (310n) kg, (320n) lb or (356n) troy ounces; n is the number of decimals."""
    for ai, value in values.items():
        if len(ai) == 4 and ai[:3] in _GRAMS:
            return _whole(_with_decimals(value, ai) * _GRAMS[ai[:3]])
    return None


def _price(values: dict[str, str]) -> tuple[Decimal | None, str | None]:
    """From AI (392n), in the shop's currency, or (393n), which names its own."""
    for ai, value in values.items():
        if len(ai) == 4 and ai.startswith("392"):
            return _with_decimals(value, ai), None
        if len(ai) == 4 and ai.startswith("393"):
            return _with_decimals(value[3:], ai), CURRENCIES[value[:3]]
    return None, None


def _with_decimals(value: str, ai: str) -> Decimal:
    return Decimal(int(value)).scaleb(-int(ai[3]))


def _whole(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_HALF_UP))
