"""The blueprint of membership; its views are in several files."""

from __future__ import annotations

from flask import Blueprint

__all__ = ["blueprint"]

blueprint = Blueprint("membership", __name__)
