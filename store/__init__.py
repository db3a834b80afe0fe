"""OneShelf: one means of payment, one stock, one customer, on the web and at the shelf."""

from __future__ import annotations

import gc

# What a shop loads stays as long as the process does: to look through it for garbage, again and
# again while it grows, takes a quarter of a start.
gc.disable()

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from flask_migrate import Migrate

from . import api, assets, commands, money, settings, web
from . import db as database
from .answers import Answer
from .campaigns import views as campaigns_views
from .catalogue import commands as catalogue_commands
from .catalogue import picture_url
from .catalogue import views as catalogue_views
from .delivery import views as delivery_views
from .door import views as door_views
from .floor import views as floor_views
from .folding import FoldingEnvironment
from .identity import commands as identity_commands
from .identity import login
from .identity import views as identity_views
from .intake import commands as intake_commands
from .intake import views as intake_views
from .integration import commands as integration_commands
from .integration import views as integration_views
from .labels import commands as labels_commands
from .labels import views as labels_views
from .late import views as late_views
from .membership import commands as membership_commands
from .membership import views as membership_views
from .merging import views as merging_views
from .opening import views as opening_views
from .payment import commands as payment_commands
from .payment import views as payment_views
from .payment.costs import holidays
from .post import commands as post_commands
from .post import views as post_views
from .privacy import commands as privacy_commands
from .privacy import views as privacy_views
from .reports import today_views as reports_views
from .reports.daily import daily
from .sales import commands as sales_commands
from .sales import views as sales_views
from .sellers import commands as sellers_commands
from .sellers import views as sellers_views
from .stock import commands as stock_commands
from .stock import views as stock_views
from .visits import Visit

gc.freeze()
gc.enable()

__all__ = ["create_app"]

HERE = Path(__file__).parent
ROOMS = (
    identity_views, catalogue_views, labels_views, stock_views,
    payment_views, delivery_views, sales_views, door_views, reports_views,
    floor_views,
    integration_views, post_views, sellers_views, membership_views, privacy_views,
    merging_views, opening_views, intake_views, campaigns_views, late_views,
)  # fmt: skip
COMMANDS = (
    identity_commands, catalogue_commands, labels_commands, stock_commands,
    payment_commands, sales_commands, sellers_commands, integration_commands, post_commands,
    membership_commands, privacy_commands,
    commands, intake_commands,
)  # fmt: skip


class Shop(Flask):
    """Flask, with the shop's own requests, answers and templates."""

    jinja_environment = FoldingEnvironment  # type: ignore[assignment]
    request_class = Visit
    response_class = Answer

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view is a coroutine, so none is looked at again at every request."""
        return func

    def send_static_file(self, filename: str) -> Response:
        """A file under static/, as `assets` says. Raises NotFound."""
        answer = super().send_static_file(filename)
        path = Path(str(self.static_folder), filename)
        if assets.is_packable(path):
            answer.close()
            answer = assets.packed(path, str(answer.mimetype))
            answer.make_conditional(request)
        return assets.for_a_year(answer, path)


def create_app(overrides: dict[str, Any] | None = None) -> Flask:
    """The shop as a WSGI application. `overrides` are settings that win over the environment."""
    app = Shop(
        "store",
        root_path=str(HERE),
        template_folder=str(HERE.parent / "templates"),
        static_folder=str(HERE.parent / "static"),
    )
    app.config.update(settings.load(overrides))
    daily.read_time(app.config["DAILY_MAIL_AT"])
    holidays.read(app.config["HOLIDAYS"])  # A typing error is told of now, not on some page.
    money.check_coin(app.config["CASH_ROUNDING"], app.config["CURRENCY"])
    url = app.config["DATABASE_URL"]
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = database.engine_options(url, app.config["THREADS"])
    database.db.init_app(app)
    with app.app_context():
        database.set_up_engine(database.db.engine)
        app.extensions["shop_engine"] = database.db.engine
    Migrate(app, database.db, directory=str(HERE / "migrations"))
    app.extensions["express"] = sales_views.Express(
        app.extensions["shop_engine"], app.config, app.app_context
    )
    app.extensions["board"] = floor_views.lane(app)
    web.init_app(app)
    login.init_app(app)
    app.jinja_env.globals.update(pictures=picture_url, safe_next=login.safe_next)
    for room in ROOMS:
        app.register_blueprint(room.blueprint)
    late_views.wrap(app)
    api.init_app(app)
    for room_commands in COMMANDS:
        for command in room_commands.COMMANDS:
            app.cli.add_command(command)
    return app
