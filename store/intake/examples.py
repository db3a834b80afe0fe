"""Examples: a list with the right headings and a few goods, for who begins with nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

from .. import money
from ..catalogue.tables import write_table

__all__ = ["KINDS", "example"]

KINDS = ("csv", "xlsx")
_HEADINGS = {
    "en": ("gtin", "sku", "name", "brand", "category", "size", "price", "tax", "stock", "shelf"),
    "zh": ("条码", "货号", "名称", "品牌", "分类", "规格", "售价", "税率", "库存", "货架"),
}
# The barcodes are of the range that the standard keeps for examples; nobody sells them.
_ROWS = {
    "en": (
        ("09521000000018", "TEA-1", "Green tea", "Hills", "Drinks", "500 ml", 350, "24", "A1"),
        ("09521000000025", "OAT-1", "Oat drink", "Field", "Drinks", "1 l", 1250, "12", "A2"),
        ("", "PEAR-1", "Pears", "", "Fruit", "1 kg", 880, "30", "B1"),
    ),
    "zh": (
        ("09521000000018", "TEA-1", "绿茶", "山泉", "饮料", "500 ml", 350, "24", "A1"),
        ("09521000000025", "OAT-1", "燕麦奶", "田野", "饮料", "1 l", 1250, "12", "A2"),
        ("", "PEAR-1", "梨", "", "水果", "1 kg", 880, "30", "B1"),
    ),
}


def example(kind: str, language: str, currency: str, tax: str) -> bytes:
    """The list as a CSV or XLSX file, with headings in this language and prices of the shop."""
    spoken = language if language in _HEADINGS else "en"
    rows = [(*row[:6], money.text(row[6], currency), tax, *row[7:]) for row in _ROWS[spoken]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"items.{kind}")
        write_table(path, _HEADINGS[spoken], rows)
        return path.read_bytes()
