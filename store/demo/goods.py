"""The cast: the goods and the people of the demo shop, whom the tests and the pictures share.

goods.csv holds the goods. Brands and people are made up. GTINs begin with 952, which GS1 keeps for
demonstrations; loose goods have none and are known by the shop's own short code.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

__all__ = ["CATEGORIES", "GOODS", "OWNER", "PEOPLE", "SHOPPER", "STAFF", "Good", "Person"]

CATEGORIES = {
    "produce": {"en": "Fruit and vegetables", "zh": "水果蔬菜"},
    "bakery": {"en": "Bakery", "zh": "烘焙"},
    "dairy": {"en": "Dairy and eggs", "zh": "乳品蛋类"},
    "drinks": {"en": "Drinks", "zh": "饮料"},
    "pantry": {"en": "Pantry", "zh": "粮油副食"},
    "sweets": {"en": "Snacks and sweets", "zh": "零食"},
    "frozen": {"en": "Frozen", "zh": "冷冻"},
    "home": {"en": "Household", "zh": "家居日用"},
}


class Good(NamedTuple):
    """An item of the demo: `name` is that of its picture in static/demo, `price_minor` is in
    hundredths, `on_hand` what is left on the shelf at the end, `liked` how often it is bought."""

    name: str
    code: str
    gtin: str
    names: dict[str, str]
    brand: str
    category: str
    size_text: str
    price_minor: int
    on_hand: int
    shelf: str
    liked: int

    @property
    def tax_rate_bp(self) -> int:
        """Food as it is grown pays the lower rate."""
        return 900 if self.category in ("produce", "dairy") else 1300

    @property
    def least_age(self) -> int:
        return 18 if self.name == "beer" else 0


def _read(file: Path) -> dict[str, Good]:
    with file.open(encoding="utf-8", newline="") as lines:
        return {
            row["name"]: Good(
                row["name"], row["code"], row["gtin"], {"en": row["en"], "zh": row["zh"]},
                row["brand"], row["category"], row["size"], int(row["price"].replace(".", "")),
                int(row["on_hand"]), row["shelf"], int(row["liked"]),
            )
            for row in csv.DictReader(lines)
        }  # fmt: skip


GOODS = _read(Path(__file__).with_name("goods.csv"))


class Person(NamedTuple):
    """Somebody of the demo; without a password nobody signs in as them."""

    name: str
    email: str
    password: str | None = None
    role: str = "shopper"


SHOPPER = Person("Lin Wei", "shopper@example.com", "demo-shopper")
STAFF = Person("Zhao Min", "staff@example.com", "demo-staff", "staff")
OWNER = Person("Chen Yu", "owner@example.com", "demo-owner", "owner")

PEOPLE = (
    SHOPPER, STAFF, OWNER,
    *(
        Person(name, f"{name.split()[0].lower()}.{name.split()[1].lower()}@example.com")
        for name in (
            "Mei Zhang", "Anna Berg", "Hao Liu", "Tomas Silva", "Xin Huang", "Priya Nair",
            "Jun Wu", "Clara Moreau", "Yan Sun", "Daniel Okoye", "Qing Ma", "Sofia Rossi",
            "Bo Xu", "Hannah Levy", "Rui Guo",
        )
    ),
)  # fmt: skip
