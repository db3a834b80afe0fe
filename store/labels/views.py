"""Pages of labels."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("labels", __name__)
