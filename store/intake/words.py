"""Words: fields of a list, and why a row or a file was refused, in the visitor's language. What
the command line says stays as it is; here each of its reasons is known by its shape."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask_babel import gettext

__all__ = ["ORDER", "field_name", "kind_of", "said", "said_of_file"]

Says = Callable[..., str]


def _rule(shape: str, says: Says) -> tuple[re.Pattern[str], Says]:
    return re.compile(shape), says


_REASONS = (
    _rule(r"missing code", lambda: gettext("no code")),
    _rule(r"missing name", lambda: gettext("no name, and no item with this code is there yet")),
    _rule(r"missing price", lambda: gettext("no price, and no item with this code is there yet")),
    _rule(r"missing options", lambda: gettext("options of its group are missing")),
    _rule(r"options of no group", lambda: gettext("options, but no group")),
    _rule(
        r"duplicate code: row (?P<row>\d+) has (?P<code>\S+) already",
        lambda row, code: gettext("row %(row)s has %(code)s already", row=row, code=code),
    ),
    _rule(
        r"duplicate code: item (?P<item>\S+) has this \w+ already",
        lambda item: gettext("another item, %(item)s, has this code", item=item),
    ),
    _rule(
        r"item (?P<item>\S+) has these codes, and keeps its own",
        lambda item: gettext("item %(item)s keeps its own short code", item=item),
    ),
    _rule(r"unreadable encoding", lambda: gettext("characters of another encoding")),
    _rule(r"unreadable: .*", lambda: gettext("the row is damaged")),
    _rule(
        r"more cells than there are headings",
        lambda: gettext("more cells than there are headings: is a comma or a quote too many?"),
    ),
    _rule(
        r"more than (?P<many>\d+) columns",
        lambda many: gettext("more than %(many)s columns", many=many),
    ),
    _rule(
        r"a cell has more than (?P<many>\d+) characters",
        lambda many: gettext("a cell has more than %(many)s characters", many=many),
    ),
    _rule(
        r"(?P<cell>'.*?'|\".*?\") is not an amount like 12\.50",
        lambda cell: gettext("%(cell)s is no amount like 12.50", cell=cell),
    ),
    _rule(
        r"(?P<cell>'.*?'|\".*?\") is not an amount in (?P<money>\w+)",
        lambda cell, money: gettext("%(cell)s is no amount in %(money)s", cell=cell, money=money),
    ),
    _rule(
        r"(?P<cell>'.*?'|\".*?\") can mean more than one amount; write it like 1250\.00",
        lambda cell: gettext("%(cell)s can mean two amounts: write it like 1250.00", cell=cell),
    ),
    _rule(
        r"A cost is more than 0, .*",
        lambda: gettext("a cost is more than 0: leave it empty where it is not known"),
    ),
    _rule(
        r"(?P<cell>'.*?'|\".*?\") has more than (?P<many>\d+) decimals",
        lambda cell, many: gettext(
            "%(cell)s has more than %(many)s decimals", cell=cell, many=many
        ),
    ),
    _rule(
        r"a bundle costs what its parts cost",
        lambda: gettext("a bundle costs what its parts cost"),
    ),
    _rule(r"a price of 0: .*?meant", lambda: gettext("a price of 0")),
    _rule(
        r"(?P<cell>'.*?'|\".*?\") is not a rate in percent like 13",
        lambda cell: gettext("%(cell)s is no tax in percent, like 13", cell=cell),
    ),
    _rule(
        r"(?P<cell>'.*?'|\".*?\"): percent or fraction\? Write 13 or 13%",
        lambda cell: gettext("%(cell)s: percent or fraction? Write it like 13", cell=cell),
    ),
    _rule(
        r"(?P<cell>'.*?'|\".*?\") is neither yes nor no",
        lambda cell: gettext("%(cell)s is neither yes nor no", cell=cell),
    ),
    _rule(
        r"(?P<cell>'.*?'|\".*?\") is not a whole number from 0 to 10\^9",
        lambda cell: gettext("%(cell)s is no whole number", cell=cell),
    ),
    _rule(
        r"\w+ has (?P<many>\d+) characters; at most (?P<most>\d+) fit",
        lambda many, most: gettext(
            "%(many)s characters; at most %(most)s fit", many=many, most=most
        ),
    ),
    _rule(
        r"\w+ has a character that cannot be kept \((?P<what>.*?)\)",
        lambda what: gettext("a character that cannot be kept (%(what)s)", what=what),
    ),
    _rule(
        r"A short code has .*?no U",
        lambda: gettext("a short code has 4 to 16 letters and digits, without U"),
    ),
    _rule(
        r"no seller has the code (?P<code>\S+)",
        lambda code: gettext("no seller has the code %(code)s", code=code),
    ),
    _rule(
        r"no single item has the code (?P<code>\S+)",
        lambda code: gettext("no single item has the code %(code)s", code=code),
    ),
    _rule(r"a bundle has no stock of its own", lambda: gettext("a bundle has no stock of its own")),
    _rule(
        r"a bundle belongs to whom its parts belong to",
        lambda: gettext("a bundle belongs to whom its parts belong to"),
    ),
    _rule(
        r"what is in a bundle stays as it is",
        lambda: gettext("what is in a bundle stays as it is"),
    ),
    _rule(
        r"options are written like \"Size: S; Colour: Red\"",
        lambda: gettext("options are written like “Size: S; Colour: Red”"),
    ),
    _rule(
        r"(?:the group|a variant) has (?:1 to )?\d+ options",
        lambda: gettext("the group has another number of options"),
    ),
    _rule(
        r"the group has a variant with these values",
        lambda: gettext("the group has a variant with these values"),
    ),
    _rule(
        r"A spreadsheet has shortened it: format the column as text\.",
        lambda: gettext("A spreadsheet has shortened it: format the column as text."),
    ),
    _rule(
        r"Has it lost zeros in front\? (?P<code>\d+) would fit\.",
        lambda code: gettext("Has it lost zeros in front? %(code)s would fit.", code=code),
    ),
)
_BARCODE = _rule(
    r".*(?:[Cc]heck digit|GTIN has|no digit).*",
    lambda: gettext("no barcode: a digit is wrong or missing"),
)
_FILES = (
    _rule(r".* is empty", lambda: gettext("The file is empty.")),
    _rule(
        r"The file has headings, but no rows",
        lambda: gettext("The file has headings, but no rows."),
    ),
    _rule(r"The first row has no headings", lambda: gettext("The first row has no headings.")),
    _rule(
        r".*more than (?P<many>\d+) rows",
        lambda many: gettext("It has more than %(many)s rows: send it in parts.", many=many),
    ),
    _rule(
        r".*more than (?P<many>\d+) columns",
        lambda many: gettext("It has more than %(many)s columns.", many=many),
    ),
    _rule(
        r".* holds more than (?P<many>\d+) MB(?: when unpacked)?",
        lambda many: gettext("It holds more than %(many)s MB.", many=many),
    ),
    _rule(
        r".* has a line of over (?P<many>\d+) million characters",
        lambda many: gettext(
            "It has a line of over %(many)s million characters: is it a list?", many=many
        ),
    ),
    _rule(
        r"This is a picture.*",
        lambda: gettext("This is a picture. A list is a table: CSV or XLSX."),
    ),
    _rule(r"This is a PDF.*", lambda: gettext("This is a PDF. A list is a table: CSV or XLSX.")),
    _rule(
        r".*[Ss]ave it as \.xlsx or \.csv first",
        lambda: gettext("Save it as .xlsx or .csv first."),
    ),
    _rule(
        r".*its encoding cannot be told.*",
        lambda: gettext("Its encoding cannot be told. Choose it below, and send it again."),
    ),
    _rule(
        r"(?:The headings are not in the encoding|.* is not (?!a readable)).*",
        lambda: gettext("It is not in this encoding throughout. Choose another one below."),
    ),
    _rule(
        r"The file takes too long to read",
        lambda: gettext("It takes too long to read: send it in parts, or as CSV."),
    ),
    _rule(
        r"(?s).*(?:damaged|not a readable|declares entities|cannot be read).*",
        lambda: gettext("It is damaged, or not what its name says."),
    ),
)


def said(reasons: str) -> str:
    """The reasons of a refused row."""
    text = reasons
    for shape, says in _REASONS:
        text = shape.sub(lambda found, says=says: says(**found.groupdict()), text)  # type: ignore[misc]
    # What is said of a barcode has many forms: one sentence is enough for all of them.
    parts = [_BARCODE[0].sub(lambda found: _BARCODE[1](), part) for part in text.split("; ")]
    return "; ".join(dict.fromkeys(parts))


def kind_of(reasons: str) -> tuple[object, ...]:
    """What two rows have in common that are refused for the same reason."""
    kinds = tuple(at for at, (shape, _) in enumerate(_REASONS) if shape.search(reasons))
    return kinds or ("barcode" if _BARCODE[0].search(reasons) else reasons,)


def said_of_file(reason: str) -> str:
    """Why nothing of a file was taken; where that is not known, as it was said."""
    for shape, says in _FILES:
        found = shape.fullmatch(reason)
        if found:
            return says(**found.groupdict())
    return reason


def field_name(field: str) -> str:
    """What a person calls a field."""
    return str(_FIELDS[field]()) if field in _FIELDS else field


_FIELDS: dict[str, Callable[[], Any]] = {
    "name": lambda: gettext("Name of the item"),
    "name_en": lambda: gettext("Name, English"),
    "name_zh": lambda: gettext("Name, Chinese"),
    "price": lambda: gettext("Price"),
    "gtin": lambda: gettext("Barcode (GTIN, EAN)"),
    "sku": lambda: gettext("Item number (SKU)"),
    "code": lambda: gettext("Barcode or item number"),
    "short_code": lambda: gettext("Short code"),
    "brand": lambda: gettext("Brand"),
    "category": lambda: gettext("Category"),
    "category_en": lambda: gettext("Category, English"),
    "category_zh": lambda: gettext("Category, Chinese"),
    "size": lambda: gettext("Size"),
    "stock": lambda: gettext("Stock"),
    "shelf": lambda: gettext("Shelf"),
    "tax_rate": lambda: gettext("Tax in percent"),
    "cost": lambda: gettext("Cost of one, without tax"),
    "least_age": lambda: gettext("Least age in years"),
    "description": lambda: gettext("Description"),
    "description_en": lambda: gettext("Description, English"),
    "description_zh": lambda: gettext("Description, Chinese"),
    "deposit": lambda: gettext("Deposit"),
    "batches": lambda: gettext("Batches (yes or no)"),
    "seller": lambda: gettext("Seller"),
    "group": lambda: gettext("Group"),
    "group_en": lambda: gettext("Group, English"),
    "group_zh": lambda: gettext("Group, Chinese"),
    "options": lambda: gettext("Options"),
    "options_en": lambda: gettext("Options, English"),
    "options_zh": lambda: gettext("Options, Chinese"),
    "parts": lambda: gettext("Parts of a bundle"),
}
ORDER = tuple(_FIELDS)
"""The fields as a person looks for them."""
