"""Reading the forms of a list: the file, what its columns hold, and what counts where they say
nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import current_app, request

from .. import forms, money, stock
from ..catalogue.columns import FIELDS
from ..catalogue.figures import read_rate
from ..catalogue.intake_models import Intake
from ..catalogue.tables import FileRefused
from ..errors import Invalid
from .pieces import Settings
from .staging import MOST_BYTES

__all__ = ["ENCODINGS", "columns", "encoding", "sent", "settings"]

ENCODINGS = ("", "utf-8", "gb18030", "big5", "shift_jis", "euc_kr", "cp1252", "cp1251", "utf-16")
MOST_QUANTITY = 10**6


def encoding() -> str:
    return forms.choice("encoding", ENCODINGS)


@contextmanager
def sent() -> Iterator[tuple[Path, str]]:
    """The file that was sent, and the name it had. Raises Invalid where there is none, FileRefused
    where it is too large."""
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise Invalid("Choose a file", field="file")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sent")
        upload.save(path)
        if not path.stat().st_size:
            raise FileRefused("The file is empty")
        if path.stat().st_size > MOST_BYTES:
            raise FileRefused(f"The file holds more than {MOST_BYTES // 2**20} MB")
        name = Path(upload.filename.replace("\\", "/")).name
        shown = "".join(one for one in name if one.isprintable()) or "list"
        yield path, shown.encode(errors="replace").decode()


def columns(one: Intake) -> list[str]:
    """What each column holds; what is not said stays. Raises Invalid for a field that is none."""
    said = [request.form.get(f"column-{at}", kept).strip() for at, kept in enumerate(one.fields)]
    if not set(said) <= {"", *FIELDS}:
        raise Invalid(f"A column holds one of: {', '.join(FIELDS)}", field="columns")
    return said


def settings(one: Intake) -> Settings:
    """What counts where the list says nothing. Raises Invalid, NotFound."""
    rate = forms.text("tax_rate", most=10) or str(current_app.config["TAX_RATE"])
    price = forms.text("price", most=20)
    price_minor = money.parse(price, one.currency, field="price") if price else None
    if price_minor is not None and price_minor <= 0:
        raise Invalid("A price is more than nothing", field="price")
    at = forms.text("location", most=32)
    place = stock.selling_location(at).id if at else one.location_id
    return Settings(
        tax_rate_bp=read_rate(rate), price_minor=price_minor, location_id=place,
        quantity=forms.whole("quantity", least=0, most=MOST_QUANTITY, default=0) or None,
    )  # fmt: skip
