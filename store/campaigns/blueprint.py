"""The blueprint of campaigns; its views are in several files."""

from __future__ import annotations

from flask import Blueprint

__all__ = ["blueprint"]

blueprint = Blueprint("campaigns", __name__)
