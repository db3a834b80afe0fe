"""statement files of the bank, and what came in by them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_files",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("layout", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("incoming", sa.Integer(), nullable=False),
        sa.Column("outgoing", sa.Integer(), nullable=False),
        sa.Column("taken_by", BigId, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["taken_by"], ["members.id"], name=op.f("fk_bank_files_taken_by_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_files")),
        sa.UniqueConstraint("digest", name=op.f("uq_bank_files_digest")),
    )
    op.create_table(
        "bank_entries",
        sa.Column("id", BigId, nullable=False),
        sa.Column("file_id", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", BigId, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("said", sa.String(length=300), nullable=False),
        sa.Column("payer", sa.String(length=140), nullable=False),
        sa.Column("payer_account", sa.String(length=34), nullable=False),
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("problem", sa.String(length=16), nullable=False),
        sa.Column("transfer_id", BigId, nullable=False),
        sa.Column("attempt_id", sa.String(length=20), nullable=True),
        sa.Column("surplus_minor", BigId, nullable=False),
        sa.Column("sent_to", sa.String(length=34), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("decided_by", BigId, nullable=True),
        sa.Column("decided_at", Moment(), nullable=True),
        *(sa.CheckConstraint(rule, name=op.f(f"ck_bank_entries_{name}")) for name, rule in _RULES),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_bank_entries_{column}_{table}")
            )
            for column, table in _OF
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_entries")),
        sa.UniqueConstraint("key", name=op.f("uq_bank_entries_key")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_bank_entries_transfer_id")),
    )
    settled, lies = (
        sa.text(rule) for rule in ("state = 'settled'", "state IN ('new', 'open', 'returning')")
    )
    op.create_index(
        "uq_bank_entries_settled", "bank_entries", ["attempt_id"], unique=True,
        sqlite_where=settled, postgresql_where=settled,
    )  # fmt: skip
    op.create_index("ix_bank_entries_attempt_id", "bank_entries", ["attempt_id"])
    op.create_index(
        "ix_bank_entries_lies", "bank_entries", ["state", "id"],
        sqlite_where=lies, postgresql_where=lies,
    )  # fmt: skip


_RULES = (
    ("amount", "amount_minor > 0"),
    ("surplus", "surplus_minor >= 0 AND surplus_minor < amount_minor"),
    (
        "state",
        "state IN ('new', 'open', 'settled', 'account', 'returning', 'returned', 'repeated')",
    ),
    ("problem", "state <> 'open' OR problem <> ''"),
    ("whose", "state NOT IN ('settled', 'account') OR attempt_id IS NOT NULL"),
    (
        "decided",
        "state NOT IN ('account', 'returning', 'returned', 'repeated') "
        "OR (decided_by IS NOT NULL AND decided_at IS NOT NULL)",
    ),
    ("sent", "(state = 'returned') = (sent_to <> '')"),
)
_OF = (
    ("file_id", "bank_files"), ("transfer_id", "transfers"), ("attempt_id", "attempts"),
    ("decided_by", "members"),
)  # fmt: skip


def downgrade() -> None:
    op.drop_table("bank_entries")
    op.drop_table("bank_files")
