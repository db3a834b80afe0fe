"""Beside the goods: what a room above the till puts on an item's page for the member who looks at
it. The express lane asks from memory whether anything may be there; only then the view looks.

There is one such room, campaigns; a shop without it, or before it is loaded, shows nothing.
"""

from __future__ import annotations

from typing import Protocol

from markupsafe import Markup
from sqlalchemy import Engine

__all__ = ["Card", "may_be", "put", "shown"]


class Card(Protocol):
    """What is put there. `mark` is that of the shop's rules, which the item's row brings."""

    def may_be(self, engine: Engine, mark: int | None, member_id: int) -> bool:
        """Whether something may be there for this member. Asks nobody."""
        ...

    def shown(self, mark: int | None, path: str) -> Markup:
        """What is there for who is signed in, on the page of this path; empty where nothing is."""
        ...


_put: list[Card] = []


def put(card: Card) -> None:
    """When the program is loaded: this one asks and shows from now on."""
    _put[:] = [card]


def may_be(engine: Engine, mark: int | None, member_id: int | None) -> bool:
    """Whether the views must look, before a page is answered without them."""
    return member_id is not None and any(one.may_be(engine, mark, member_id) for one in _put)


def shown(mark: int | None, path: str) -> Markup:
    """What stands on the page of this path, as HTML."""
    return Markup().join(one.shown(mark, path) for one in _put)
