"""Reading requests: the resolver's parts of one, and the forms of the desk."""

from __future__ import annotations

from typing import Any

from flask import current_app, request

from .. import forms, money, web
from ..errors import Invalid
from . import resolver
from .costs import parse_cost
from .figures import read_age, read_rate
from .items import LONGEST_BRAND, LONGEST_CATEGORY, LONGEST_SIZE, ItemFields
from .pictures import PictureRefused
from .texts import LONGEST_DESCRIPTION, LONGEST_NAME

__all__ = ["fields", "page_cost", "page_price", "parts_text", "resolve", "search_words", "upload"]

LANGUAGES = tuple(web.LANGUAGES)


def resolve() -> resolver.Resolved:
    """The request before us as a GS1 Digital Link; see resolver.resolve."""
    return resolver.resolve(
        request.path,
        request.query_string.decode("latin-1"),
        request.headers.get("Accept", ""),
        web.base_url(),
    )


def search_words() -> str:
    return request.args.get("q", "").strip()[:80]


def fields() -> ItemFields:
    """What the desk's form says about an item. Raises Invalid."""
    read: ItemFields = {
        "names": _by_language("name", LONGEST_NAME),
        "descriptions": _by_language("description", LONGEST_DESCRIPTION),
        "category": _by_language("category", LONGEST_CATEGORY),
        "brand": forms.text("brand", most=LONGEST_BRAND),
        "size_text": forms.text("size_text", most=LONGEST_SIZE),
        "gtin": forms.text("gtin", most=20) or None,
        "sku": forms.text("sku", most=64) or None,
        "tax_rate_bp": read_rate(
            forms.text("tax_rate", most=10) or current_app.config["TAX_RATE"], "tax_rate"
        ),
        "tracks_batches": forms.flag("tracks_batches"),
    }
    if "least_age" in request.form:
        read["least_age"] = read_age(forms.text("least_age", most=10) or "0")
    if "deposit" in request.form:
        read["deposit_id"] = forms.whole("deposit", least=0, most=10**15, default=0) or None
    if "seller" in request.form:
        read["seller_id"] = forms.whole("seller", least=0, most=10**15, default=0) or None
    return read


def _by_language(field: str, most: int) -> dict[str, str]:
    return {
        language: " ".join(request.form.get(f"{field}_{language}", "").split())[: most + 1]
        for language in LANGUAGES
    }


def page_price(*, optional: bool = False) -> int | None:
    """The price in minor units; None where it was left empty and may be. Raises Invalid."""
    raw = request.form.get("price", "").strip()
    if not raw and optional:
        return None
    if not raw:
        raise Invalid("The price is missing", field="price")
    amount = money.parse(raw, current_app.config["CURRENCY"], field="price")
    if amount < 0:
        raise Invalid("A price is 0 or more", field="price")
    return amount


def page_cost() -> int | None:
    """What one costs the shop, in hundredths of a minor unit; None where nothing is said. Raises
    Invalid."""
    raw = request.form.get("cost", "").strip()
    return parse_cost(raw, current_app.config["CURRENCY"]) if raw else None


def parts_text() -> str:
    """What is in a new bundle, as it was typed; empty for a single item. Raises Invalid."""
    return forms.text("parts", most=1000)


def upload() -> bytes | None:
    """The uploaded picture, None where none was chosen. Raises PictureRefused."""
    file: Any = request.files.get("picture")
    if file is None or not file.filename:
        return None
    most = int(current_app.config["UPLOAD_BYTES"])
    data: bytes = file.stream.read(most + 1)
    if len(data) > most:
        raise PictureRefused(f"The file is larger than {most // 2**20} MB", field="picture")
    return data
