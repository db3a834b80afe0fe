"""refunds above a limit wait for a second person; which limit stood for a refund

Of refunds of before there was none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("refunds", sa.Column("limit_minor", BigId, nullable=True))
    op.create_table(
        "refund_requests",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("sale_id", sa.String(length=20), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("total_minor", BigId, nullable=False),
        sa.Column("limit_minor", BigId, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("asked_by", BigId, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="waiting", nullable=False),
        sa.Column("decided_by", BigId, nullable=True),
        sa.Column("decided_at", Moment(), nullable=True),
        sa.Column("decided_reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("refund_id", sa.String(length=20), nullable=True),
        *(
            sa.CheckConstraint(rule, name=op.f(f"ck_refund_requests_{name}"))
            for name, rule in _RULES
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_refund_requests_{column}_{table}")
            )
            for column, table in _OF
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_requests")),
        sa.UniqueConstraint("asked_by", "key", name=op.f("uq_refund_requests_asked_by_key")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_refund_requests_refund_id")),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "uq_refund_requests_waiting", "refund_requests", ["sale_id"], unique=True,
        sqlite_where=waiting, postgresql_where=waiting,
    )  # fmt: skip
    for column in ("sale_id", "decided_at"):
        op.create_index(f"ix_refund_requests_{column}", "refund_requests", [column])


_RULES = (
    ("state", "state IN ('waiting', 'approved', 'refused', 'withdrawn')"),
    ("amounts", "total_minor > 0 AND limit_minor > 0"),
    ("decided_at", "(state = 'waiting') = (decided_at IS NULL)"),
    ("decided_by", "(state IN ('approved', 'refused')) = (decided_by IS NOT NULL)"),
    ("second", "decided_by IS NULL OR decided_by <> asked_by"),
    ("refund", "(state = 'approved') = (refund_id IS NOT NULL)"),
)
_OF = (
    ("sale_id", "sales"), ("asked_by", "members"), ("decided_by", "members"),
    ("refund_id", "refunds"),
)  # fmt: skip


def downgrade() -> None:
    op.drop_table("refund_requests")
    with op.batch_alter_table("refunds") as batch:
        batch.drop_column("limit_minor")
