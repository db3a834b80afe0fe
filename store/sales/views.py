"""Pages of sales."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("sales", __name__)
