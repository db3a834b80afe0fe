"""Pages of payment."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("payment", __name__)
