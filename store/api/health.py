"""Health: whether the process is alive, and whether it can serve; for whoever watches the shop."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, current_app
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, TimeoutError

from ..db import connection, db

blueprint = Blueprint("health", __name__)

MIGRATIONS = Path(__file__).parents[1] / "migrations"


@blueprint.get("/healthz")
def alive() -> Response:
    """The process answers. It asks nothing else: a database that is away is no reason to end it."""
    return _say({"alive": True})


@blueprint.get("/readyz")
def ready() -> Response:
    """The database answers and has the tables of this release; else 503 and the reason."""
    try:
        found = (
            connection().execute(text("SELECT version_num FROM alembic_version")).scalars().all()
        )
    except (DBAPIError, TimeoutError):
        # No table, no server, no room for a connection: which of them is for the log, not for here.
        db.session.rollback()
        return _say({"ready": False, "reason": "the database does not answer, or is empty"}, 503)
    if set(found) != expected():
        return _say({"ready": False, "reason": "the database is not migrated to this release"}, 503)
    return _say({"ready": True})


@cache
def expected() -> frozenset[str]:
    """The migration that this release ends with; it cannot change while the process lives."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return frozenset(ScriptDirectory.from_config(config).get_heads())


def _say(body: dict[str, object], status: int = 200) -> Response:
    response = current_app.response_class(
        current_app.json.dumps(body), status, mimetype="application/json"
    )
    response.headers["Cache-Control"] = "no-store"
    return response
