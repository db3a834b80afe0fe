"""The blueprint of labels' pages."""

from __future__ import annotations

from flask import Blueprint
from flask.blueprints import BlueprintSetupState

blueprint = Blueprint("labels", __name__)


@blueprint.record_once
def _tell_the_front_page(state: BlueprintSetupState) -> None:
    """In the demo shop the front page leads to labels on the screen."""
    url = "/demo/labels" if state.app.config["DEMO"] else None
    state.app.jinja_env.globals["demo_labels_url"] = url
