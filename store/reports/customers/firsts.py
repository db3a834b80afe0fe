"""What a new shop has done already: the first of each thing that stands in its books."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import exists, select
from sqlalchemy.orm import InstrumentedAttribute

from ...catalogue.models import Item
from ...db import db
from ...labels.models import Label
from ...payment.models import Transfer
from ...sales.models import Sale

__all__ = ["Firsts", "firsts"]


class Firsts(NamedTuple):
    items: bool
    labels: bool
    sales: bool
    money: bool
    """Whether any money was ever booked."""


def firsts() -> Firsts:
    """Whether there is one of each, in one statement that looks at one row of each table."""
    keys: tuple[InstrumentedAttribute[object], ...] = (Item.id, Label.id, Sale.id, Transfer.id)
    found = db.session.execute(select(*(exists(select(key)) for key in keys))).one()
    return Firsts(*(bool(one) for one in found))
