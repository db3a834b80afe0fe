"""The blueprint of stock: its views are in several files, each about one kind of work."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("stock", __name__)
