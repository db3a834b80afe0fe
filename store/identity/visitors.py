"""Visitors: who makes a request, as they were at its beginning."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Visitor"]


class Visitor(NamedTuple):
    """A signed-in member, as far as every page needs to know them. To change a member, load
    them: this is not their row."""

    id: int
    name: str
    role: str
    language: str | None = None

    @property
    def is_authenticated(self) -> bool:
        """What Flask-Login asks of a user."""
        return True

    def get_id(self) -> str:
        return str(self.id)
