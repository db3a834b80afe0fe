"""Drafts: what one row of a file says about an item, checked; or why it cannot be taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from ..errors import Invalid
from . import gs1
from .bundles import split_parts
from .codes import checked_gtin, checked_short_code, checked_sku
from .columns import Columns
from .costs import read_cost
from .figures import read_age, read_amount, read_count, read_rate, read_yes
from .groups import LONGEST_GROUP, read_pairs
from .items import LONGEST_BRAND, LONGEST_CATEGORY, LONGEST_SIZE
from .sizes import Content, read_size
from .tables import Row
from .texts import LONGEST_DESCRIPTION, LONGEST_NAME, clean, language_of

__all__ = ["Draft", "Reader", "Rejection"]

LONGEST_SHELF = 40


@dataclass(slots=True)
class Draft:
    """An item as a row has it. None and empty mean that the row does not speak of it; `cost` is in
    hundredths of a minor unit."""

    number: int
    gtin: str | None = None
    sku: str | None = None
    short_code: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    stand_in_names: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    brand: str = ""
    category: dict[str, str] = field(default_factory=dict)
    size_text: str = ""
    content: Content | None = None
    price_minor: int | None = None
    cost: int | None = None
    tax_rate_bp: int | None = None
    tracks_batches: bool | None = None
    least_age: int | None = None
    group: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    deposit_minor: int | None = None
    parts: list[tuple[int, str]] = field(default_factory=list)
    seller: str = ""
    stock: int | None = None
    shelf: str = ""


class Rejection(NamedTuple):
    """Why a row was not taken: the headings of the columns at fault, and the reasons."""

    number: int
    columns: str
    reasons: str


_BY_LANGUAGE = {
    field: (("en", f"{field}_en"), ("zh", f"{field}_zh"))
    for field in ("name", "description", "category", "group", "options")
}

T = TypeVar("T")


class Reader:
    """Reads the rows of one file. `faults` collects what is wrong with the row at hand, so that a
    row is mended in one go."""

    def __init__(
        self,
        headings: list[str],
        columns: Columns,
        *,
        currency: str,
        language: str,
        zeros_lost: bool = False,
    ) -> None:
        self.headings = headings
        self.columns = columns
        self.currency = currency
        self.language = language
        self.zeros_lost = zeros_lost
        self._cells: list[str] = []
        self._faults: list[tuple[str, str]] = []

    def read(self, row: Row) -> Draft | Rejection:
        if row.fault:
            return Rejection(row.number, "", row.fault)
        self._cells, self._faults = row.cells, []
        broken = self._broken_encoding()
        if broken:
            return Rejection(row.number, broken, "unreadable encoding")
        draft = Draft(row.number)
        self._read_codes(draft)
        self._read_texts(draft)
        draft.price_minor = self._read("price", self._amount)
        draft.cost = self._read("cost", lambda cell: read_cost(cell, self.currency))
        draft.tax_rate_bp = self._read("tax_rate", read_rate)
        draft.tracks_batches = self._read("batches", read_yes)
        draft.least_age = self._read("least_age", read_age)
        draft.stock = self._read("stock", read_count)
        self._read_more(draft)
        if self._faults:
            return self._rejection(row.number)
        return draft

    def reject(self, draft: Draft, field: str, reason: str) -> Rejection:
        """A rejection found later, once the row was held against the catalogue."""
        return Rejection(draft.number, self._heading(field), reason)

    def _read_codes(self, draft: Draft) -> None:
        draft.gtin = self._read("gtin", self._gtin)
        draft.sku = self._read("sku", checked_sku)
        draft.short_code = self._read("short_code", checked_short_code)
        if draft.gtin is None and not self._faults:
            code = self._cell("code")
            if _looks_like_gtin(code):
                draft.gtin = self._read("code", self._gtin)
            elif draft.sku is None:
                draft.sku = self._read("code", checked_sku)
        if not (draft.gtin or draft.sku or draft.short_code or self._faults):
            place = next(f for f in ("gtin", "code", "sku", "short_code") if f in self.columns)
            self._faults.append((place, "missing code"))

    def _read_texts(self, draft: Draft) -> None:
        self._by_language("name", draft.names, LONGEST_NAME)
        self._by_language("description", draft.descriptions, LONGEST_DESCRIPTION)
        self._by_language("category", draft.category, LONGEST_CATEGORY)
        draft.brand = self._text("brand", LONGEST_BRAND)
        draft.size_text = self._text("size", LONGEST_SIZE)
        draft.content = read_size(draft.size_text) if draft.size_text else None
        draft.shelf = self._text("shelf", LONGEST_SHELF)
        if not draft.names:
            # Better a plain name than none: many lists of products have only brand and category.
            draft.stand_in_names = {
                language: f"{draft.brand} {name}".strip()[:LONGEST_NAME]
                for language, name in draft.category.items()
            }

    def _read_more(self, draft: Draft) -> None:
        self._by_language("group", draft.group, LONGEST_GROUP)
        said: dict[str, str] = {}
        self._by_language("options", said, 4 * LONGEST_GROUP)
        for language, text in said.items():
            try:
                draft.options[language] = read_pairs(text)
            except Invalid as refusal:
                self._faults.append(("options", refusal.message))
        draft.deposit_minor = self._read("deposit", self._amount)
        draft.parts = self._read("parts", split_parts) or []
        if draft.parts and draft.stock:
            self._faults.append(("stock", "a bundle has no stock of its own"))
        if draft.parts and draft.cost:
            self._faults.append(("cost", "a bundle costs what its parts cost"))
        draft.seller = self._text("seller", 20).upper()

    def _by_language(self, field: str, texts: dict[str, str], most: int) -> None:
        for language, own_field in _BY_LANGUAGE[field]:
            text = self._text(own_field, most)
            if text:
                texts[language] = text
        text = self._text(field, most)
        if text:
            texts.setdefault(language_of(text, self.language), text)

    def _text(self, field: str, most: int) -> str:
        if field not in self.columns:
            return ""
        return self._read(field, lambda cell: clean(cell, field, most)) or ""

    def _read(self, field: str, read: Callable[[str], T]) -> T | None:
        """The field's cell by a function, None where it is empty; a refusal becomes a fault."""
        cell = self._cell(field)
        if not cell:
            return None
        try:
            return read(cell)
        except Invalid as refusal:
            self._faults.append((field, refusal.message))
            return None

    def _cell(self, field: str) -> str:
        for at in self.columns.get(field, ()):
            if at < len(self._cells):
                cell = self._cells[at].strip()
                if cell:
                    return cell
        return ""

    def _amount(self, cell: str) -> int:
        amount = read_amount(cell, self.currency)
        if amount == 0:
            raise Invalid("a price of 0: give it away by hand if that is meant", field="price")
        return amount

    def _gtin(self, cell: str) -> str:
        bare = cell.replace(" ", "").replace("-", "")
        if self.zeros_lost and bare.isascii() and bare.isdigit() and len(bare) < 14:
            # A spreadsheet keeps digits as a number, without the zeros that lead them.
            padded = bare.zfill(14)
            return padded if gs1.is_gtin(padded) else checked_gtin(bare)
        try:
            return checked_gtin(bare)
        except gs1.CodeFault as fault:
            hint = _spreadsheet_damage(bare)
            raise Invalid(f"{fault.message} {hint}".strip(), field="gtin") from fault

    def _broken_encoding(self) -> str:
        """The headings of cells with bytes that are not of the file's encoding."""
        if all(cell.isascii() for cell in self._cells):
            return ""
        used = {at for places in self.columns.values() for at in places}
        broken = [
            self.headings[at]
            for at, cell in enumerate(self._cells)
            if at in used and not cell.isascii() and any("\ud800" <= c <= "\udfff" for c in cell)
        ]
        return ", ".join(broken)

    def _heading(self, field: str) -> str:
        for name in (field, f"{field}_en", f"{field}_zh"):
            if name in self.columns:
                return self.headings[self.columns[name][0]]
        return field

    def _rejection(self, number: int) -> Rejection:
        columns = dict.fromkeys(self._heading(name) for name, _ in self._faults)
        return Rejection(number, ", ".join(columns), "; ".join(why for _, why in self._faults))


def _looks_like_gtin(code: str) -> bool:
    bare = code.replace(" ", "").replace("-", "")
    return bare.isascii() and bare.isdigit() and len(bare) in (8, 12, 13, 14)


def _spreadsheet_damage(digits: str) -> str:
    """What a spreadsheet does to long numbers, where that is what has happened."""
    if "E+" in digits.upper():
        return "A spreadsheet has shortened it: format the column as text."
    if digits.isascii() and digits.isdigit() and 5 <= len(digits) < 14:
        for length in (12, 13, 14):
            if len(digits) < length and gs1.is_gtin(digits.zfill(length)):
                return f"Has it lost zeros in front? {digits.zfill(length)} would fit."
        if len(digits) < 12:
            return "Its check digit is wrong with zeros in front, too."
    return ""
