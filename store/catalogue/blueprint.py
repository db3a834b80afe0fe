"""The blueprint of catalogue's pages."""

from __future__ import annotations

from flask import Blueprint

from .pictures import picture_url

blueprint = Blueprint("catalogue", __name__)
blueprint.add_app_template_global(picture_url, "pictures")
