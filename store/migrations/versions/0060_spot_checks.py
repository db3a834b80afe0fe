"""spot checks at the exit: the rules, what they decided, what was scanned"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exit_rules",
        sa.Column("id", BigId, nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("set_by", BigId, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["set_by"], ["members.id"], name=op.f("fk_exit_rules_set_by_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exit_rules")),
    )
    _spot_checks()
    _spot_scans()


def _spot_checks() -> None:
    def key(column: str, table: str) -> sa.ForeignKeyConstraint:
        return sa.ForeignKeyConstraint(
            [column], [f"{table}.id"], name=op.f(f"fk_spot_checks_{column}_{table}")
        )

    def check(name: str, rule: str) -> sa.CheckConstraint:
        return sa.CheckConstraint(rule, name=op.f(f"ck_spot_checks_{name}"))

    op.create_table(
        "spot_checks",
        sa.Column("sale_id", sa.String(20), nullable=False),
        sa.Column("location_id", BigId, nullable=False),
        sa.Column("rules_id", BigId, nullable=False),
        sa.Column("rule", sa.String(8), nullable=True),
        sa.Column("rate_bp", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("newcomer", sa.Boolean(), nullable=False),
        sa.Column("pieces", BigId, nullable=False),
        sa.Column("sample", BigId, nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("outcome", sa.String(8), nullable=True),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("ended_by", BigId, nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("unpaid", BigId, nullable=False),
        sa.Column("absent", BigId, nullable=False),
        sa.Column("charged_minor", BigId, nullable=False),
        sa.Column("refunded_minor", BigId, nullable=False),
        sa.Column("next_sale_id", sa.String(20), nullable=True),
        sa.Column("refund_id", sa.String(20), nullable=True),
        check("kind", "kind IN ('none', 'sight', 'rescan')"),
        check("state", "state IN ('open', 'asked', 'refused', 'ended')"),
        check("rule", "(kind = 'none') = (rule IS NULL)"),
        check("none", "kind <> 'none' OR state = 'ended'"),
        check("outcome", "outcome IN ('ok', 'missing', 'extra', 'both')"),
        check("has_outcome", "(outcome IS NOT NULL) = (state = 'ended' AND kind <> 'none')"),
        check("ended", "(ended_at IS NULL) = (state IN ('open', 'asked'))"),
        check("rate", "rate_bp BETWEEN 0 AND 10000"),
        key("sale_id", "sales"),
        key("location_id", "locations"),
        key("rules_id", "exit_rules"),
        key("staff_id", "members"),
        key("ended_by", "members"),
        key("next_sale_id", "sales"),
        key("refund_id", "refunds"),
        sa.PrimaryKeyConstraint("sale_id", name=op.f("pk_spot_checks")),
    )
    op.create_index(
        op.f("ix_spot_checks_location_id_at"), "spot_checks", ["location_id", "at"], unique=False
    )


def _spot_scans() -> None:
    op.create_table(
        "spot_scans",
        sa.Column("id", BigId, nullable=False),
        sa.Column("sale_id", sa.String(20), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("item_id", BigId, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint("quantity IN (1, -1)", name=op.f("ck_spot_scans_quantity")),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_spot_scans_item_id_items")
        ),
        sa.ForeignKeyConstraint(
            ["sale_id"], ["spot_checks.sale_id"], name=op.f("fk_spot_scans_sale_id_spot_checks")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["members.id"], name=op.f("fk_spot_scans_staff_id_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_scans")),
        sa.UniqueConstraint("sale_id", "key", name=op.f("uq_spot_scans_sale_id_key")),
    )


def downgrade() -> None:
    op.drop_table("spot_scans")
    op.drop_index(op.f("ix_spot_checks_location_id_at"), table_name="spot_checks")
    op.drop_table("spot_checks")
    op.drop_table("exit_rules")
