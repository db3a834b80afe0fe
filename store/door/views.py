"""Pages of door."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("door", __name__)
