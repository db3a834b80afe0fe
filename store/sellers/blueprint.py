"""The blueprint of sellers: its views are in several files."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("sellers", __name__)
