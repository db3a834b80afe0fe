"""Reading requests to the desk's pages of labels: which items, on which sheet, for which place."""

from __future__ import annotations

import re

from flask import current_app, request

from .. import catalogue, forms, identity, stock, web
from ..errors import Invalid
from . import choosing, sheets, walks
from .models import PrintJob
from .printing import MOST_COPIES, MOST_LABELS, Order
from .stickers import Imprint

__all__ = [
    "FIRST_SHEET", "address", "after", "before", "choice", "dpi", "imprint", "is_lasting", "of_job",
    "order", "place", "read_languages", "secret_key", "sheet_named", "shop_languages",
    "shown_items", "whole_argument",
]  # fmt: skip

FIRST_SHEET = "L7160"
_NUMBER = re.compile(r"\d{1,15}\Z", re.ASCII)
_LIST = re.compile(r"\w{1,20}\Z", re.ASCII)
_LOCAL = ("localhost", "127.", "[::1]", "0.0.0.0")


def secret_key() -> str:
    return str(current_app.config["SECRET_KEY"])


def is_lasting() -> bool:
    """Whether the address on the labels is the shop's own for good: it was set."""
    return bool(current_app.config["BASE_URL"])


def address() -> str:
    """The address that labels lead to. No phone can open "localhost": where the shop is looked at
    under such a name, the computer's address in its network stands on the labels, if known."""
    lan_url = current_app.config.get("LAN_URL")
    if not is_lasting() and lan_url and request.host.startswith(_LOCAL):
        return str(lan_url)
    return web.base_url()


def imprint(
    location: stock.Location, base_url: str = "", languages: tuple[str, ...] = ()
) -> Imprint:
    """`languages` are those of the names, the shop's where none are given."""
    return Imprint(
        base_url or address(), secret_key(), languages or shop_languages(), location.code,
        web.tax_on_top(),
    )  # fmt: skip


def shop_languages() -> tuple[str, ...]:
    """All that the shop speaks, its own first."""
    first = str(current_app.config["LANGUAGE"])
    return (first, *(code for code in web.LANGUAGES if code != first))


def read_languages(said: str) -> tuple[str, ...]:
    """Languages with commas between, the bold one first; none is the shop's. Raises Invalid."""
    named = tuple(each.strip() for each in said.split(",") if each.strip())
    if len(named) != len(set(named)) or not set(named) <= set(web.LANGUAGES):
        raise Invalid(f"languages are of {', '.join(web.LANGUAGES)}, each once", field="languages")
    return named


def of_job(job: PrintJob) -> Imprint:
    """What stood on all labels of a job, so that it is printed again just so."""
    location = stock.location_by_id(job.location_id)
    return imprint(location, job.base_url, read_languages(job.languages))


def dpi() -> int | None:
    """The dots an inch of the label printer, where the form says so. Raises Invalid."""
    asked = _number("dpi")
    sheets.dots(sheet_named(), asked)
    return asked


def place() -> stock.Location:
    return stock.location(request.values.get("at") or stock.MAIN)


def after() -> int:
    return _number("after") or 0


def before() -> int:
    return _number("before") or 0


def whole_argument(name: str) -> int:
    """A number of a picture's address; large ones are as good as the largest."""
    return min(_number(name) or 0, 10**9)


def sheet_named() -> sheets.Sheet:
    return sheets.sheet(request.values.get("sheet") or FIRST_SHEET)


def choice(location: stock.Location) -> choosing.Choice:
    """Which items are shown, or printed where all of them are. Raises Invalid."""
    which = request.values.get("which") or "all"
    if which not in choosing.WHICH:
        raise Invalid(f"which is one of {', '.join(choosing.WHICH)}", field="which")
    walk = _number("walk")
    return choosing.Choice(
        location.id, current_app.config["CURRENCY"], which,
        request.values.get("q", "").strip()[:80], _number("category"), _seller(),
        request.values.get("shelf", "").strip()[:40], _list(),
        None if walk is None else tuple(walks.to_print(walk)),
    )  # fmt: skip


def _list() -> str:
    """A list of items that was brought in by page."""
    said = request.values.get("list", "")
    return said if _LIST.match(said) else ""


def _seller() -> int | None:
    code = request.values.get("seller", "").strip()
    return catalogue.seller_with(code).id if code else None


def _number(name: str) -> int | None:
    raw = request.values.get(name) or ""
    if raw and not _NUMBER.match(raw):
        raise Invalid(f"{name} must be a number", field=name)
    return int(raw) if raw else None


def order() -> Order:
    """The desk's form as an order to print; a field `many-<item id>` says how many labels an item
    gets beside the copies of all. Raises Invalid, NotFound."""
    location = place()
    wanted = choice(location)
    sheet = sheet_named()
    ids = choosing.chosen_ids(wanted) if forms.flag("all") else _as_many_as_asked(_items())
    return Order(
        item_ids=ids,
        sheet=sheet,
        location_id=location.id,
        currency=wanted.currency,
        imprint=imprint(location, languages=read_languages(request.values.get("languages", ""))),
        copies=forms.whole("copies", least=1, most=MOST_COPIES, default=1),
        skip=forms.whole("skip", least=0, most=999, default=0),
        made_by=identity.signed_in().id,
        key=forms.text("key", least=8, most=64),
        dpi=dpi(),
    )


def _as_many_as_asked(item_ids: list[int]) -> list[int]:
    many = {
        each: forms.whole(f"many-{each}", least=0, most=MOST_LABELS, default=1) for each in item_ids
    }
    if sum(many.values()) > MOST_LABELS:
        raise Invalid(f"One job prints at most {MOST_LABELS} labels", field="copies")
    return [each for each in item_ids for _ in range(many[each])]


def shown_items(choice_: choosing.Choice, most: int) -> list[int]:
    """The first items that the form has chosen, for a look at the first page. Raises Invalid."""
    if request.values.get("all"):
        return [row.id for row in choosing.shown(choice_, limit=most)]
    return _items()[:most]


def _items() -> list[int]:
    raw = request.values.getlist("item")
    if len(raw) > 1000 or not all(map(_NUMBER.match, raw)):
        raise Invalid("item must be the number of an item", field="item")
    return list(dict.fromkeys(map(int, raw)))
