"""what each means costs, and providers' settlement files"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _terms()
    _files()
    _lines()


def _terms() -> None:
    op.create_table(
        "means_terms",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("means", sa.String(length=16), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("fee_ppm", sa.Integer(), nullable=False),
        sa.Column("fixed_minor", BIG_ID, nullable=False),
        sa.Column("least_minor", BIG_ID, nullable=False),
        sa.Column("most_minor", BIG_ID, nullable=True),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("working_days", sa.Boolean(), nullable=False),
        sa.Column("fee_back", sa.Boolean(), nullable=False),
        sa.Column("made_by", BIG_ID, nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint("fee_ppm BETWEEN 0 AND 1000000", name=op.f("ck_means_terms_fee")),
        sa.CheckConstraint(
            "fixed_minor >= 0 AND least_minor >= 0", name=op.f("ck_means_terms_amounts")
        ),
        sa.CheckConstraint(
            "most_minor IS NULL OR most_minor >= least_minor", name=op.f("ck_means_terms_most")
        ),
        sa.CheckConstraint("days BETWEEN 0 AND 400", name=op.f("ck_means_terms_days")),
        sa.ForeignKeyConstraint(
            ["made_by"], ["members.id"], name=op.f("fk_means_terms_made_by_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_means_terms")),
    )
    op.create_index(
        "ix_means_terms_means_valid_from", "means_terms", ["means", "currency", "valid_from", "id"]
    )


def _files() -> None:
    op.create_table(
        "settlement_files",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("means", sa.String(length=16), nullable=False),
        sa.Column("layout", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("staged", sa.Integer(), nullable=False),
        sa.Column("taken_by", BIG_ID, nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("done_at", Moment(), nullable=True),
        sa.CheckConstraint(
            "state IN ('staging', 'matching', 'done')", name=op.f("ck_settlement_files_state")
        ),
        sa.CheckConstraint(
            "(state = 'done') = (done_at IS NOT NULL)", name=op.f("ck_settlement_files_done")
        ),
        sa.ForeignKeyConstraint(
            ["taken_by"], ["members.id"], name=op.f("fk_settlement_files_taken_by_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_files")),
        sa.UniqueConstraint("means", "digest", name=op.f("uq_settlement_files_means_digest")),
    )
    _partial("ix_settlement_files_state", "settlement_files", ["at"], "state = 'matching'")
    op.create_table(
        "settlement_rejects",
        sa.Column("file_id", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("said", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"],
            ["settlement_files.id"],
            name=op.f("fk_settlement_rejects_file_id_settlement_files"),
        ),
        sa.PrimaryKeyConstraint("file_id", "number", name=op.f("pk_settlement_rejects")),
    )


def _lines() -> None:
    kinds = "kind IN ('payment', 'refund', 'dispute', 'fee', 'payout', 'other')"
    states = "state IN ('staged', 'matched', 'open', 'repeated', 'noted', 'accepted', 'replaced')"
    op.create_table(
        "settlement_lines",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("file_id", sa.String(length=20), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("means", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=128), nullable=False),
        sa.Column("gross_minor", BIG_ID, nullable=False),
        sa.Column("fee_minor", BIG_ID, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("at", Moment(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("problem", sa.String(length=16), nullable=False),
        sa.Column("transfer_id", BIG_ID, nullable=True),
        sa.Column("agreed_minor", BIG_ID, nullable=True),
        sa.Column("accepted_by", BIG_ID, nullable=True),
        sa.Column("accepted_at", Moment(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint(kinds, name=op.f("ck_settlement_lines_kind")),
        sa.CheckConstraint(states, name=op.f("ck_settlement_lines_state")),
        sa.CheckConstraint(
            "state <> 'open' OR problem <> ''", name=op.f("ck_settlement_lines_problem")
        ),
        sa.CheckConstraint(
            "state <> 'accepted' OR (reason <> '' AND accepted_at IS NOT NULL)",
            name=op.f("ck_settlement_lines_reason"),
        ),
        sa.CheckConstraint(
            "kind <> 'fee' OR (gross_minor = 0 AND fee_minor <> 0)",
            name=op.f("ck_settlement_lines_fee"),
        ),
        sa.ForeignKeyConstraint(
            ["file_id"],
            ["settlement_files.id"],
            name=op.f("fk_settlement_lines_file_id_settlement_files"),
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"],
            ["transfers.id"],
            name=op.f("fk_settlement_lines_transfer_id_transfers"),
        ),
        sa.ForeignKeyConstraint(
            ["accepted_by"], ["members.id"], name=op.f("fk_settlement_lines_accepted_by_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_lines")),
        sa.UniqueConstraint("file_id", "number", name=op.f("uq_settlement_lines_file_id_number")),
    )
    live = "state IN ('matched', 'noted', 'accepted')"
    _partial("uq_settlement_lines_means_key", "settlement_lines", ["means", "key"], live, True)
    settles = "state IN ('matched', 'accepted') AND kind <> 'fee'"
    _partial("uq_settlement_lines_transfer_id", "settlement_lines", ["transfer_id"], settles, True)
    op.create_index("ix_settlement_lines_key", "settlement_lines", ["key"])
    op.create_index("ix_settlement_lines_transfer", "settlement_lines", ["transfer_id"])
    _partial("ix_settlement_lines_problem", "settlement_lines", ["means", "id"], "problem <> ''")


def _partial(name: str, table: str, columns: list[str], where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )


def downgrade() -> None:
    for table in ("settlement_lines", "settlement_files", "means_terms"):
        if op.get_bind().scalar(sa.select(sa.literal(1)).select_from(sa.table(table)).limit(1)):
            raise RuntimeError(f"there are rows in {table}; they cannot be kept")
    for table in ("settlement_lines", "settlement_rejects", "settlement_files", "means_terms"):
        op.drop_table(table)
