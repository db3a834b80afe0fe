"""How migrations run: one transaction for each, with the foreign keys checked before its commit."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

from store.api import models as api_models
from store.catalogue import intake_models
from store.catalogue import models as catalogue_models
from store.db import Base, db
from store.delivery import models as delivery_models
from store.door import models as door_models
from store.floor import models as floor_models
from store.identity import models as identity_models
from store.integration import models as integration_models
from store.labels import models as labels_models
from store.membership import models as membership_models
from store.membership import tier_models
from store.outbox import Outbox
from store.payment import models as payment_models
from store.payment.bank import models as bank_models
from store.payment.costs import models as costs_models
from store.reports import models as reports_models
from store.reports.customers import customer_models
from store.sales import models as sales_models
from store.sales.guests import guest_models
from store.sales.refunds import approval_models
from store.sales.returns import return_models
from store.sales.till import till_models
from store.sellers import models as sellers_models
from store.stock import models as stock_models
from store.stock import work_models as stock_work_models

# Importing the modules is what fills the metadata that autogenerate compares with.
TABLES = (
    Outbox, api_models, approval_models, bank_models, catalogue_models, costs_models,
    customer_models, delivery_models, door_models, floor_models, guest_models, identity_models,
    intake_models,
    integration_models, labels_models, payment_models, reports_models, return_models, sales_models,
    membership_models, sellers_models, stock_models, stock_work_models, tier_models, till_models,
)  # fmt: skip


def upgrade_online() -> None:
    with db.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            # Batch mode copies tables; the keys are checked as a whole before the commit instead.
            _keys(connection, "OFF")
        connection = connection.execution_options(writes=True)
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            user_module_prefix="",
            on_version_apply=_check_keys,
            **current_app.extensions["migrate"].configure_args | {"render_as_batch": sqlite},
        )
        with context.begin_transaction():
            context.run_migrations()
        if sqlite:
            _keys(connection, "ON")


def _keys(connection: Connection, whether: str) -> None:
    """Inside a transaction SQLite lets this pass without doing it, and SQLAlchemy begins one before
    every statement: so the driver is told."""
    connection.rollback()
    driver: Any = connection.connection.dbapi_connection
    driver.execute(f"PRAGMA foreign_keys={whether}")


def _check_keys(ctx: Any, step: Any, heads: Any, run_args: Any) -> None:
    connection: Connection = ctx.connection
    if connection.dialect.name == "sqlite":
        broken = connection.execute(text("PRAGMA foreign_key_check")).all()
        if broken:
            raise RuntimeError(f"this migration would break foreign keys: {broken[:5]}")


upgrade_online()
