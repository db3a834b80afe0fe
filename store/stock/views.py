"""Pages of stock."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("stock", __name__)
