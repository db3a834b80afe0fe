"""A setting on a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Field", "Value"]

Value = str | bool | int


class Field(NamedTuple):
    """A setting on a page. `read` gives its new value, from the form; None leaves it as it is.
    Raises Invalid."""

    name: str
    kind: str
    read: Callable[[str], Value | None]
