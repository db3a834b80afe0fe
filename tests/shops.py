"""A shop for each test, without making the application anew: that took half of a short test.

An application is made once in a process for each set of settings, and opened again on the next
test's database and folder. Everything that a shop learns while it is open belongs to its engine,
and every test has an engine of its own; only what a statement compiles to is kept. An application
that a test has added to is not used again.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import Engine, create_engine

from store import create_app
from store import settings as shop_settings
from store.db import db, engine_options, set_up_engine
from store.floor import board_views
from store.identity import login
from store.sales.express import Express

__all__ = ["close_shop", "open_shop"]

KEPT = 6
"""So many applications are kept; most tests share the one with the settings of every test."""


class _Kept:
    """An application, with its configuration and its parts as they were when it was made."""

    def __init__(self, app: Flask, settings: object) -> None:
        self.app, self.settings = app, settings
        self.config, self.parts = dict(app.config), _parts(app)
        # What stands before the views is not known.
        self.is_plain = "wsgi_app" not in vars(app)


_ready: dict[object, _Kept] = {}
_opened: dict[Flask, _Kept] = {}
_spoken: dict[str, Engine] = {}


def open_shop(settings: dict[str, Any]) -> Flask:
    """The application that `create_app(settings)` makes."""
    values = shop_settings.load(settings)
    alike = tuple(
        (name, repr(value))
        for name, value in sorted(values.items())
        if name not in {"DATABASE_URL", "INSTANCE"}
    )
    kept = _ready.pop(alike, None) or _Kept(create_app(settings), alike)
    app = kept.app
    app.config.clear()
    app.config.update(kept.config | values)
    app.config["SQLALCHEMY_DATABASE_URI"] = values["DATABASE_URL"]
    app._got_first_request = False
    login.set_up_process(app)
    engine = app.extensions["shop_engine"] = _engine(values)
    with app.app_context():
        db.engines[None] = engine  # type: ignore[index]
    if kept.is_plain:
        vars(app).pop("wsgi_app", None)
    app.extensions["express"] = Express(engine, app.config, app.app_context)
    app.extensions["board"] = board_views.lane(app)
    _opened[app] = kept
    return app


def close_shop(app: Flask) -> None:
    """Let go of the database; the application is opened again for a later test."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    kept = _opened.pop(app)
    if kept.is_plain and _parts(app) == kept.parts:
        _ready[kept.settings] = kept
    while len(_ready) > KEPT:
        _ready.pop(next(iter(_ready)))


def _parts(app: Flask) -> object:
    """What a test could have added to an application."""
    functions = (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs)
    hooks = [{of: list(many) for of, many in each.items()} for each in functions]
    return dict(app.view_functions), hooks, set(app.jinja_env.globals), set(app.cli.commands)


def _engine(values: dict[str, Any]) -> Engine:
    """A new engine that speaks as the first one of its kind did, so that it knows what that one
    has compiled."""
    url = values["DATABASE_URL"]
    engine = create_engine(url, **engine_options(url, values["THREADS"]))
    set_up_engine(engine)
    kept = _spoken.get(engine.dialect.name)
    if kept is None:
        engine.connect().close()  # Asks the database what it is, and its dialect remembers.
        _spoken[engine.dialect.name] = engine
    else:
        engine.dialect, engine._compiled_cache = kept.dialect, kept._compiled_cache
    return engine
