"""goods brought for a collection, returns fetched at the door, prices by place"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = (
    "'open', 'picked', 'packed', 'shipped', 'delivered', 'failed', 'put_back', 'handed_over',"
    " 'cancelled'"
)


def upgrade() -> None:
    op.create_index(
        op.f("ix_prices_item_id_location_id_starts_at"), "prices",
        ["item_id", "location_id", "starts_at"],
    )  # fmt: skip
    with op.batch_alter_table("shipments") as batch_op:
        batch_op.add_column(sa.Column("target_id", BIG_ID, nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_shipments_target_id_locations"), "locations", ["target_id"], ["id"]
        )
        _check(batch_op, "kind", "kind IN ('collect', 'deliver', 'bring')")
        _check(batch_op, "state", f"state IN ({STATES}, 'under_way')")
        batch_op.create_check_constraint(
            op.f("ck_shipments_target"), "kind <> 'bring' OR target_id IS NOT NULL"
        )
    op.create_index(
        op.f("ix_shipments_target_id"), "shipments", ["target_id"],
        sqlite_where=sa.text("target_id IS NOT NULL"),
        postgresql_where=sa.text("target_id IS NOT NULL"),
    )  # fmt: skip
    with op.batch_alter_table("returns") as batch_op:
        batch_op.add_column(sa.Column("fetched_at", Moment(), nullable=True))
        batch_op.add_column(sa.Column("fetched_by", BIG_ID, nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_returns_fetched_by_members"), "members", ["fetched_by"], ["id"]
        )
        batch_op.create_check_constraint(
            op.f("ck_returns_fetched"), "fetched_at IS NULL OR way = 'pick_up'"
        )
        batch_op.create_check_constraint(
            op.f("ck_returns_fetched_by"), "(fetched_at IS NULL) = (fetched_by IS NULL)"
        )


def _check(batch_op, name: str, condition: str) -> None:  # type: ignore[no-untyped-def]
    batch_op.drop_constraint(op.f(f"ck_shipments_{name}"), type_="check")
    batch_op.create_check_constraint(op.f(f"ck_shipments_{name}"), condition)


def downgrade() -> None:
    """What is being brought has no place in the old table: it must arrive, or be cancelled."""
    if op.get_bind().scalar(sa.text("SELECT 1 FROM shipments WHERE kind = 'bring' LIMIT 1")):
        raise RuntimeError("there are goods that are brought for a collection; they cannot be kept")
    with op.batch_alter_table("returns") as batch_op:
        batch_op.drop_constraint(op.f("ck_returns_fetched_by"), type_="check")
        batch_op.drop_constraint(op.f("ck_returns_fetched"), type_="check")
        batch_op.drop_constraint(op.f("fk_returns_fetched_by_members"), type_="foreignkey")
        batch_op.drop_column("fetched_by")
        batch_op.drop_column("fetched_at")
    op.drop_index(op.f("ix_prices_item_id_location_id_starts_at"), table_name="prices")
    op.drop_index(op.f("ix_shipments_target_id"), table_name="shipments")
    with op.batch_alter_table("shipments") as batch_op:
        batch_op.drop_constraint(op.f("ck_shipments_target"), type_="check")
        _check(batch_op, "state", f"state IN ({STATES})")
        _check(batch_op, "kind", "kind IN ('collect', 'deliver')")
        batch_op.drop_constraint(op.f("fk_shipments_target_id_locations"), type_="foreignkey")
        batch_op.drop_column("target_id")
