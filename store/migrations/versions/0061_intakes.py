"""lists of items that are brought in by page, piece by piece"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    counts = ("row_count", "pieces", "taken", "added", "updated", "unchanged", "rejected")
    op.create_table(
        "intakes",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("encoding", sa.String(length=20), nullable=False),
        sa.Column("separator", sa.String(length=1), nullable=False),
        sa.Column("headings", sa.JSON(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("tax_rate_bp", sa.Integer(), nullable=False),
        sa.Column("price_minor", BigId, nullable=True),
        sa.Column("quantity", BigId, nullable=True),
        sa.Column("location_id", BigId, nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
        sa.Column("made_by", BigId, nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("begun_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        *(sa.CheckConstraint(rule, name=op.f(f"ck_intakes_{name}")) for name, rule in _RULES),
        _of("intakes", "location_id", "locations"),
        _of("intakes", "made_by", "members"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intakes")),
    )
    running = sa.text("state = 'running'")
    op.create_index(
        "ix_intakes_running", "intakes", ["at"], sqlite_where=running, postgresql_where=running
    )
    op.create_index("ix_intakes_at", "intakes", ["at"])
    _create(
        "intake_pieces", ("intake_id", "number"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rows", sa.LargeBinary(), nullable=False),
        sa.Column("rejects", sa.JSON(), nullable=True),
    )  # fmt: skip
    _create(
        "intake_codes", ("intake_id", "field", "code"),
        sa.Column("field", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
    )  # fmt: skip
    _create(
        "intake_items", ("intake_id", "item_id"),
        sa.Column("item_id", BigId, nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        _of("intake_items", "item_id", "items"),
    )  # fmt: skip


_RULES = (
    ("state", "state IN ('staging', 'open', 'running', 'done', 'stopped')"),
    ("taken", "taken BETWEEN 0 AND pieces"),
    ("ended", "(state IN ('done', 'stopped')) = (ended_at IS NOT NULL)"),
    (
        "whole",
        "state <> 'done' OR (taken = pieces"
        " AND added + updated + unchanged + rejected = row_count)",
    ),
    ("counts", "added + updated + unchanged + rejected <= row_count"),
    ("tax", "tax_rate_bp BETWEEN 0 AND 10000"),
    ("price", "price_minor > 0"),
)


def _create(table: str, key: tuple[str, ...], *columns: sa.Column | sa.Constraint) -> None:
    op.create_table(
        table,
        sa.Column("intake_id", sa.String(length=20), nullable=False),
        *columns,
        _of(table, "intake_id", "intakes"),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}")),
    )


def _of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name)


def downgrade() -> None:
    for table in ("intake_items", "intake_codes", "intake_pieces", "intakes"):
        op.drop_table(table)
