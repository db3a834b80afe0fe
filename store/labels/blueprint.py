"""The blueprint of labels' pages."""

from __future__ import annotations

from flask import Blueprint
from flask.blueprints import BlueprintSetupState
from markupsafe import Markup

from . import qr

blueprint = Blueprint("labels", __name__)


@blueprint.app_template_global("qr_picture")
def qr_picture(text: str) -> Markup:
    """A text as a QR code, for the page of any room."""
    return Markup(qr.svg(qr.matrix(text)))  # noqa: S704 - digits and letters of our own


@blueprint.record_once
def _tell_the_front_page(state: BlueprintSetupState) -> None:
    """In the demo shop the front page leads to labels on the screen."""
    url = "/demo/labels" if state.app.config["DEMO"] else None
    state.app.jinja_env.globals["demo_labels_url"] = url
