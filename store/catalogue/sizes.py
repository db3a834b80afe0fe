"""Sizes: what "6 x 330 ml" holds, and the price of a litre of it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

__all__ = ["LARGEST_CONTENT", "Content", "UnitPrice", "read_size", "unit_price"]

LARGEST_CONTENT = 10**12


class Content(NamedTuple):
    """So many of a unit: "mg", "g", "ul", "ml", "mm" or "pc" (pieces)."""

    amount: int
    unit: str


class UnitPrice(NamedTuple):
    """Minor units for one `per`: "kg", "100 g", "l", "100 ml", "m" or "pc"; None and "" where
    there is nothing to compare by."""

    amount_minor: int | None
    per: str


def _units(text: str) -> dict[str, tuple[str, Decimal]]:
    """ "g 1000: kg kilo" reads: kg and kilo are 1,000 g."""
    table = {}
    for line in text.strip().splitlines():
        (kind, factor), names = line.split(":")[0].split(), line.split(":")[1].split()
        table.update({name.replace("_", " "): (kind, Decimal(factor)) for name in names})
    return table


# Words as packs and the UN/ECE recommendation 20 (GRM, KGM, LTR, MLT, ONZ, LBR, OZA, EA) have
# them. Ounces and pounds are avoirdupois, fluid ounces and pints those of the United States.
_METRIC = _units("""
g 0.001: mg 毫克
g 1: g gr grm gram grams gramm gramme grammes gms 克
g 500: 斤
g 1000: kg kgm kgs kilo kilos kilogram kilograms 千克 公斤
ml 1: ml mlt millilitre millilitres milliliter milliliters 毫升
ml 10: cl clt
ml 100: dl dlt
ml 1000: l lt ltr ltrs litre litres liter liters litro litros litri 升
mm 1: mm 毫米
mm 10: cm 厘米
mm 1000: m mtr metre metres meter meters 米
""")
_OTHER = _units("""
g 28.349523125: oz onz ozs ounce ounces
g 453.59237: lb lbs lbr pound pounds
ml 29.5735295625: fl_oz floz fl_oz. oza
ml 473.176473: pt pint pints
ml 946.352946: qt quart quarts
ml 3785.411784: gal gallon gallons
pc 1: pc pcs ea each ct count piece pieces capsules tablets 个 只 片 枚 粒 支 条 块
""")
_UNITS = {**_METRIC, **_OTHER}
_WORDS = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_TIMES = r"\s*[x×*]\s*"
_NUMBER = r"\d{1,7}(?:[.,]\d{1,4})?"
_SIZE = re.compile(
    rf"(?<![\d.,])(?<!\d/)(?:(?P<many>\d{{1,4}}){_TIMES})?(?P<number>{_NUMBER})\s*(?P<unit>{_WORDS})"
    rf"(?![^\W\d_])(?:{_TIMES}(?P<times>\d{{1,4}})(?![\d.,]))?"
)
# "1 400 kg" and "1,000 g" mean different amounts to different people.
_GROUPED_BEFORE = re.compile(r"\d\s+\Z")
_GROUPED = re.compile(r"\d,\d{3}\Z")


def read_size(text: str) -> Content | None:
    """ "1 l", "12 oz/340 g", "6 x 330 ml", "46,7 g", "500克"; None where it is not certain.

    Where a pack names several sizes, the first metric one counts.
    """
    found = [match for match in _SIZE.finditer(text.lower()) if _certain(match)]
    if not found:
        return None
    match = next((it for it in found if it["unit"] in _METRIC), found[0])
    unit, factor = _UNITS[match["unit"]]
    count = int(match["many"] or match["times"] or 1)
    return _whole(Decimal(match["number"].replace(",", ".")) * factor * count, unit)


def _certain(match: re.Match[str]) -> bool:
    before = match.string[: match.start()]
    return not _GROUPED_BEFORE.search(before) and not _GROUPED.search(match["number"])


def _whole(amount: Decimal, unit: str) -> Content | None:
    """Whole units; a thousandth where grams or millilitres do not come out even."""
    if amount != amount.to_integral_value() and unit in ("g", "ml"):
        amount, unit = amount * 1000, {"g": "mg", "ml": "ul"}[unit]
    rounded = int(amount.to_integral_value())
    return Content(rounded, unit) if 0 < rounded <= LARGEST_CONTENT else None


# What one base unit is shown per: (thousandths of a gram and so on in it, its name), the smaller
# first; the smaller is for packs of up to 250 g or ml, as shelf labels have it.
_PER = {
    "mg": ((100_000, "100 g"), (1_000_000, "kg")),
    "ul": ((100_000, "100 ml"), (1_000_000, "l")),
    "um": ((1_000_000, "m"), (1_000_000, "m")),
}
_THOUSANDTH = {"g": "mg", "ml": "ul", "mm": "um"}
_SMALL = 250_000


def unit_price(amount_minor: int, content: int | None, unit: str | None) -> UnitPrice:
    """The price of a kilogram, litre, metre or piece, half up to a minor unit; of nothing where
    the content is not known, or is one piece."""
    if not content or not unit or (unit, content) == ("pc", 1):
        return UnitPrice(None, "")
    if unit == "pc":
        return UnitPrice(_ratio(amount_minor, 1, content), "pc")
    if unit in _THOUSANDTH:
        content, unit = content * 1000, _THOUSANDTH[unit]
    base, per = _PER[unit][content > _SMALL]
    return UnitPrice(_ratio(amount_minor, base, content), per)


def _ratio(amount: int, times: int, through: int) -> int:
    return (2 * amount * times + through) // (2 * through)
