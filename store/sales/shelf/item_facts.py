"""What an item page shows: the facts that it is rendered from, and the words that differ from
visitor to visitor. Knows no Flask: the page's view and the express lane both ask here."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from babel.support import Translations

from ... import (
    clock,
    ids,
    labels,
    money,
    stock,
)
from ...holes import Holes
from ...visits import (
    TRANSLATIONS,
    Said,
    secret_of,
    token_for,
)
from .shelf import LASTING_COLUMNS, Asked

AT_COOKIE = "at"
BASKET_COOKIE = "basket"

READ = "oneshelf.item"
"""Where the express lane leaves what it has read (and for what) when the page is not its own."""

pages = Holes("left", "key", "csrf", "balance", "short", "sale", "card")
"""Every item page that was rendered, with holes for what differs."""


class Facts(NamedTuple):
    """`key` is everything that the page is rendered from; `shown` what the template takes of it
    beside the row; `words` what is put into the page's holes."""

    key: Hashable
    shown: dict[str, Any]
    words: dict[str, str]


def place_code(here: Said, asked: str | None) -> str:
    """Where a visitor shops: what they ask for, chosen before, or the first location."""
    return (asked or here.cookie(AT_COOKIE) or stock.MAIN)[:32].upper()


def asked(here: Said, by: str, value: str, said: str, at: str, shop: Mapping[str, Any]) -> Asked:
    """What a visit asks of `shelf.item_page`. `said` is the label's text in the address, `at` the
    place that the visitor is at."""
    secret = here.secret
    return Asked(
        by, value, at, labels.read(said, str(shop["SECRET_KEY"])) if said else None,
        ids.digest(secret) if secret else None, secret_of(here.cookie(BASKET_COOKIE)),
        str(shop["CURRENCY"]), clock.day_of(clock.now(), shop["TIME_ZONE"]),
    )  # fmt: skip


def count_scan(scans: labels.Scans, here: Said, row: Any, wanted: Asked) -> None:
    """Somebody opened the page of a label, who is not of the staff: nothing but memory is asked."""
    if (
        wanted.label_id is not None
        and row.label_item_id == row.id
        and row.member_role in (None, "shopper")
        and labels.by_person(here.environ)
    ):
        phone = wanted.visit or (here.secret and ids.digest(here.secret))
        scans.opened(wanted.label_id, phone, wanted.today)


def facts(
    here: Said,
    row: Any,
    said: str,
    label_id: str | None,
    quantity: int,
    shop: Mapping[str, Any],
    more: Hashable = None,
    options: tuple[Any, ...] = (),
    price_minor: int | None = None,
    best_before: date | None = None,
    offers: tuple[tuple[str, int], ...] = (),
    hints: tuple[str, ...] = (),
) -> Facts:
    """The facts of a page about an item that is for sale. The visitor has a secret already; `more`
    is what else the page shows, `options` what else there is of a variant. `price_minor` is what
    one costs now where that is not the row's: it is near its date, `best_before`. `offers` are what
    is taken off all of it, in words and minor units, `hints` offers that would take something off
    more of it, or for members."""
    language, on_hand, balance = here.language, row.on_hand or 0, row.balance_minor or 0
    price = row.price_minor if price_minor is None else price_minor
    on_top = not shop["PRICES_INCLUDE_TAX"]
    one, one_tax = money.taxed(price, row.tax_rate_bp, on_top)
    off = sum(amount for _, amount in offers)
    goods = money.taxed(price * quantity - off, row.tax_rate_bp, on_top).total_minor
    total = goods + row.deposit_minor * quantity
    short = total - balance
    state = (
        "in_hand" if on_hand < quantity and row.when_empty == "sell"
        else "sold_out" if on_hand < 1
        else "last_ones" if on_hand <= shop["LAST_ONES"] else "in_stock"
    )  # fmt: skip
    shown = {
        "quantity": quantity, "said": said, "label_id": label_id, "state": state,
        "more_left": quantity < on_hand, "short": short > 0,
        "basket_count": int(row.basket_count or 0), "bought": row.bought_sale_id is not None,
        "options": options, "price_minor": price, "best_before": best_before,
        "due_minor": one + row.deposit_minor, "total_minor": total,
        "on_top_minor": one_tax if on_top else 0, "offers": offers, "hints": hints,
    }  # fmt: skip
    environ, currency = here.environ, str(shop["CURRENCY"])
    key = (
        language, currency, environ["PATH_INFO"], environ.get("QUERY_STRING", ""),
        row.member_id is None, *shown.values(), more, *row[:LASTING_COLUMNS],
    )  # fmt: skip
    words = {
        "left": _left(language, state, on_hand), "key": ids.new(),
        "csrf": token_for(str(shop["SECRET_KEY"]), here.secret or ""),
        "balance": money.show(balance, currency, language),
        "short": money.show(max(short, 0), currency, language),
        "sale": row.bought_sale_id or "", "card": "",
    }  # fmt: skip
    return Facts(key, shown, words)


@lru_cache(maxsize=4096)
def _left(language: str, state: str, on_hand: int) -> str:
    """How many are on the shelf, in words of the visitor's language."""
    say = _sentences(language)
    if state == "last_ones":
        text = say.ungettext("Last one on this shelf", "Last %(num)d on this shelf", on_hand)
    else:
        text = say.ungettext("%(num)d on this shelf", "%(num)d on this shelf", on_hand)
    return str(text % {"num": on_hand})


@lru_cache(maxsize=8)
def _sentences(language: str) -> Any:
    return Translations.load(TRANSLATIONS, [language])
