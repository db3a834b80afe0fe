"""In-store codes: what a shop's own scale or office prints, with a weight, price or count inside.

GS1 General Specifications, sections 2.1.11.2 and 1.4.5, leave the prefixes 02 and 20 to 29 (04 and
8 digits beginning with 0 within one company) to each country, and the countries leave much of it
to each shop. So a layout is a setting. Such a number is no GTIN: in the next shop it means
something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from .fault import CodeFault, excerpt
from .gtin import measure_check_digit, normalise

__all__ = ["COUNTRY_LAYOUTS", "DEFAULT_LAYOUTS", "InStoreCode", "is_in_store", "read_in_store"]

DEFAULT_LAYOUTS = ("02iiiiikPP.PPc", "21iiiiiWW.WWWc", "23iiiiiPPP.PPc")
"""What most tills begin with: 21 carries kilograms, 23 a price, and a UPC-A that begins with 2
(02 in 13 digits) a price with its own check digit. Everything else counts as an item's number.

A layout has 13 characters besides the point: the prefix in digits, `i` the item's number, `k` the
check digit over the measure, `P` a price, `W` a weight in kg, `N` a count, `c` the check digit. The
point shows the decimals."""


def _same_for(prefixes: str, layout: str) -> tuple[str, ...]:
    return tuple(prefix + layout for prefix in prefixes.split())


_NORDIC_WEIGHTS = ("23iiiiiiW.WWWc", "24iiiiiiWW.WWc", "25iiiiiiWWW.Wc")
COUNTRY_LAYOUTS: dict[str, tuple[str, ...]] = {
    "DE": (
        _same_for("22 23", "iiiikPPP.PPc")
        + _same_for("25 26", "iiiikNNNNNc")
        + _same_for("28 29", "iiiikWW.WWWc")
    ),
    "DK": _same_for("21 22 23 24", "iiiiiPPP.PPc") + _same_for("26 27 28", "iiiiiWW.WWWc"),
    "EE": _NORDIC_WEIGHTS,
    "FI": _NORDIC_WEIGHTS,
    "GB": ("20iiiiikPP.PPc",),
    "LT": _NORDIC_WEIGHTS,
    "LV": _NORDIC_WEIGHTS,
    "NO": _NORDIC_WEIGHTS,
    "SE": ("20iiiiiiPP.PPc", "21iiiiiiPPP.Pc", "22iiiiiiPPPPc", *_NORDIC_WEIGHTS),
}
"""What the GS1 organisations of some countries recommend, by ISO 3166 code."""


@dataclass(frozen=True, slots=True)
class InStoreCode:
    """A number for use inside one shop. `item` is prefix and item number, the same for every
    weight and price of one kind of goods; at most one of the measures is there."""

    digits: str
    item: str
    within_company: bool
    weight_kg: Decimal | None = None
    price: Decimal | None = None
    count: int | None = None


def is_in_store(digits: str) -> bool:
    """Whether digits of a right check digit lie in a range that is kept for use inside shops."""
    if len(digits) == 8:
        return digits[0] in "02"
    full = digits.zfill(14)
    return full[0] == "0" and (full[1] == "2" or full[1:3] in ("02", "04") or full[:7] == "0" * 7)


def read_in_store(code: str, layouts: Sequence[str] = DEFAULT_LAYOUTS) -> InStoreCode:
    """8, 12, 13 or 14 digits by the first layout whose prefix they have.

    Raises CodeFault where a digit is wrong, the inner check digit included, or where the number
    is not one for use inside shops.
    """
    full = normalise(code)
    if not is_in_store(code):
        raise CodeFault(f"{excerpt(code)} is not in a range for use inside shops.", at=0)
    digits = full[1:]
    within_company = not digits.startswith(("02", "2"))
    if len(code) != 8:
        for layout in layouts:
            if digits.startswith(layout[:2]):
                return _by_layout(digits, layout, offset=len(code) - 13)
    return InStoreCode(code, code if len(code) == 8 else digits, within_company)


def _by_layout(digits: str, layout: str, offset: int) -> InStoreCode:
    plain = layout.replace(".", "")
    if len(plain) != 13 or plain[-1] != "c":
        raise ValueError(f"the layout {layout!r} does not have 13 characters ending in c")
    item = "".join(digits[at] for at, kind in enumerate(plain) if kind == "i" or kind.isdigit())
    kinds = [kind for kind in "PWN" if kind in plain]
    if not kinds:
        return InStoreCode(digits, item, within_company=False)
    start, end = plain.index(kinds[0]), plain.rindex(kinds[0]) + 1
    value = digits[start:end]
    inner = plain.find("k")
    if inner >= 0 and int(digits[inner]) != measure_check_digit(value):
        raise CodeFault(
            f"The check digit over {value} is wrong; it should be {measure_check_digit(value)}.",
            at=inner + offset,
        )
    point = layout.find(".")
    amount = Decimal(value).scaleb(point - end if point >= 0 else 0)
    return InStoreCode(
        digits,
        item,
        within_company=False,
        weight_kg=amount if kinds[0] == "W" else None,
        price=amount if kinds[0] == "P" else None,
        count=int(value) if kinds[0] == "N" else None,
    )
