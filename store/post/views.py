"""The page of the demo shop on which testers read what would have been sent."""

from __future__ import annotations

from flask import Blueprint, current_app, make_response, render_template
from flask.typing import ResponseReturnValue

from ..errors import NotFound
from .carriers import practice_folder
from .practice import latest

blueprint = Blueprint("post", __name__)


@blueprint.get("/practice/post")
def practice() -> ResponseReturnValue:
    """Letters of the demo shop, for everybody: nobody's real address is written to. A shop that is
    no demo has no such page, whatever its settings say about practice."""
    if not (current_app.config["DEMO"] and current_app.config["PRACTICE_POST"]):
        raise NotFound()
    letters = latest(practice_folder(current_app.config))
    answer = make_response(render_template("post/practice.html", letters=letters))
    answer.headers["Cache-Control"] = "no-store"
    return answer
