"""Stickers: what stands on one, from its record and its item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, String, Text, cast, func, select

from .. import catalogue, money
from .layout import PrintedLabel
from .models import Label
from .records import ID_LENGTH, MAC_LENGTH, text_for

__all__ = ["ITEM_COLUMNS", "Imprint", "Labelled", "code_in_clear", "labels_query", "path_of",
           "said_now", "sample", "wording"]  # fmt: skip


@dataclass(frozen=True)
class Imprint:
    """What is the same on every label of a printing: the shop's address, the key that
    authenticates its labels, the languages of the names (the first is set bold), the place."""

    base_url: str
    secret_key: str
    languages: tuple[str, ...]
    place: str
    on_top: bool = False
    """Tax comes on top of the prices, and the label says so."""


class Labelled(Protocol):
    """An item, or a row of a query that has ITEM_COLUMNS."""

    @property
    def code(self) -> str: ...
    @property
    def gtin(self) -> str | None: ...
    @property
    def names(self) -> Mapping[str, str]: ...
    @property
    def content(self) -> int | None: ...
    @property
    def content_unit(self) -> str | None: ...
    @property
    def deposit_minor(self) -> int: ...


_item = catalogue.Item
ITEM_COLUMNS = (
    _item.code, _item.gtin, _item.names, _item.content, _item.content_unit,
    catalogue.deposit_due(_item).label("deposit_minor"),
)  # fmt: skip


def said_now() -> ColumnElement[str]:
    """What a label says of its item beside price and shelf, as the database keeps it: the text is
    copied as it lies, so that it differs only when somebody changed it."""
    size = cast(_item.content, String) + func.coalesce(_item.content_unit, "")
    return cast(_item.names, Text) + " " + func.coalesce(size, "")


def labels_query() -> Any:
    """A select of label records with what `wording` needs of their items."""
    columns = (
        Label.id, Label.item_id, Label.shelf, Label.price_minor, Label.currency, Label.position,
        Label.printed_at, Label.printed_by, Label.revoked_at, Label.job_id, Label.location_id,
    )  # fmt: skip
    return select(*columns, *ITEM_COLUMNS).join(_item, _item.id == Label.item_id)


def wording(item: Labelled, label: Any, imprint: Imprint) -> PrintedLabel:
    """The sticker of a record (id, price_minor, currency, shelf) for its item."""
    return _worded(
        item, path_of(item, label.id, imprint.secret_key), label.price_minor, label.currency,
        label.shelf, imprint,
    )  # fmt: skip


def sample(
    item: Labelled, price_minor: int, currency: str, shelf: str, imprint: Imprint
) -> PrintedLabel:
    """How a sticker would look. Its address has the length of a real one but proves nothing."""
    path = f"{catalogue.item_path(item)}?l={'0' * (ID_LENGTH + MAC_LENGTH)}"
    return _worded(item, path, price_minor, currency, shelf, imprint)


def _worded(
    item: Labelled, path: str, price_minor: int, currency: str, shelf: str, imprint: Imprint
) -> PrintedLabel:
    main = imprint.languages[0]
    unit_minor, per = catalogue.unit_price(price_minor, item.content, item.content_unit)
    unit_text = "" if unit_minor is None else f"{money.show(unit_minor, currency, main)} / {per}"
    if imprint.on_top:
        text = "不含税" if main == "zh" else "plus tax"
        unit_text = f"{text} · {unit_text}" if unit_text else text
    if item.deposit_minor:
        # Never part of the price, nor of the price of a litre.
        text = deposit_text(money.show(item.deposit_minor, currency, main), main)
        unit_text = f"{unit_text} · {text}" if unit_text else text
    return PrintedLabel(
        url=imprint.base_url + path,
        code_text=code_in_clear(item),
        names=_names(item.names, imprint.languages),
        price_text=money.show(price_minor, currency, main),
        unit_price_text=unit_text,
        shelf_text=f"{imprint.place} · {shelf}" if shelf else "",
    )


def deposit_text(amount: str, language: str) -> str:
    """How a label says that a deposit is paid beside its price."""
    return f"+ {amount} 押金" if language == "zh" else f"+ {amount} deposit"


def path_of(item: Labelled, label_id: str, secret_key: str) -> str:
    """The path of the label's address: that of the item's page, with the label's own text."""
    return f"{catalogue.item_path(item)}?l={text_for(label_id, secret_key)}"


def code_in_clear(item: Labelled) -> str:
    """The digits as they stand on the goods themselves, so that staff can compare: a GTIN is kept
    with 14, printed by its maker with 13, 12 or 8. Goods without one have their short code."""
    if not item.gtin:
        return item.code
    for zeros, digits in (("000000", 8), ("00", 12), ("0", 13)):
        if item.gtin.startswith(zeros):
            return item.gtin[-digits:]
    return item.gtin


def _names(names: Mapping[str, str], languages: tuple[str, ...]) -> tuple[str, ...]:
    """The name in each language that has one; an item named alike in both has one name."""
    known = [names[language] for language in languages if names.get(language)]
    return tuple(dict.fromkeys(known or names.values()))
