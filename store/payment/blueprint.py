"""The blueprint of payment: its views are in several files."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("payment", __name__)
