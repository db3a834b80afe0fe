"""tills, their days, counts and what each day was made of"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _tills()
    _counts()


def _member(table: str, column: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_members")
    return sa.ForeignKeyConstraint([column], ["members.id"], name=name)


def _day(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_day_id_till_days")
    return sa.ForeignKeyConstraint(["day_id"], ["till_days.id"], name=name)


def _till(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_till_id_tills")
    return sa.ForeignKeyConstraint(["till_id"], ["tills.id"], name=name)


def _tills() -> None:
    op.create_table(
        "tills",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("location_id", BIG_ID, nullable=False),
        sa.Column("seller_id", BIG_ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("first_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_tills_location_id_locations")
        ),
        _member("tills", "seller_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tills")),
        sa.UniqueConstraint(
            "location_id",
            "seller_id",
            "currency",
            name=op.f("uq_tills_location_id_seller_id_currency"),
        ),
    )
    closed = "(closed_at IS NULL) = (number IS NULL) AND (closed_at IS NULL) = (closed_by IS NULL)"
    op.create_table(
        "till_days",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("till_id", BIG_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("left_minor", BIG_ID, nullable=False),
        sa.Column("opening_minor", BIG_ID, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("opened_by", BIG_ID, nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("closed_by", BIG_ID, nullable=True),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.Column("closing_minor", BIG_ID, nullable=True),
        sa.Column("banked_minor", BIG_ID, nullable=True),
        sa.CheckConstraint(
            "opening_minor >= 0 AND left_minor >= 0", name=op.f("ck_till_days_opening")
        ),
        sa.CheckConstraint(
            "opening_minor = left_minor OR reason <> ''", name=op.f("ck_till_days_reason")
        ),
        sa.CheckConstraint(closed, name=op.f("ck_till_days_closed")),
        sa.CheckConstraint(
            "closed_at IS NULL OR (closing_minor >= 0 AND banked_minor >= 0)",
            name=op.f("ck_till_days_closing"),
        ),
        _till("till_days"),
        _member("till_days", "opened_by"),
        _member("till_days", "closed_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_till_days")),
        sa.UniqueConstraint("till_id", "number", name=op.f("uq_till_days_till_id_number")),
    )
    open_ = sa.text("closed_at IS NULL")
    op.create_index(
        "uq_till_days_open",
        "till_days",
        ["till_id"],
        unique=True,
        sqlite_where=open_,
        postgresql_where=open_,
    )
    op.create_index("ix_till_days_closed_at", "till_days", ["closed_at"])
    op.create_table(
        "till_moves",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("till_id", BIG_ID, nullable=False),
        sa.Column("amount_minor", BIG_ID, nullable=False),
        sa.Column("place", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("made_by", BIG_ID, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint("amount_minor <> 0 AND reason <> ''", name=op.f("ck_till_moves_amount")),
        sa.CheckConstraint("place IN ('safe', 'expenses')", name=op.f("ck_till_moves_place")),
        _till("till_moves"),
        _member("till_moves", "made_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_till_moves")),
        sa.UniqueConstraint("made_by", "key", name=op.f("uq_till_moves_made_by_key")),
    )
    op.create_index("ix_till_moves_till_id_at", "till_moves", ["till_id", "at"])


def _counts() -> None:
    op.create_table(
        "till_tries",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("day_id", sa.String(length=20), nullable=False),
        sa.Column("counted", sa.JSON(), nullable=False),
        sa.Column("seen", sa.String(length=64), nullable=False),
        sa.Column("made_by", BIG_ID, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        _day("till_tries"),
        _member("till_tries", "made_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_till_tries")),
    )
    op.create_index("ix_till_tries_day_id", "till_tries", ["day_id"])
    op.create_table(
        "till_counts",
        sa.Column("day_id", sa.String(length=20), nullable=False),
        sa.Column("means", sa.String(length=16), nullable=False),
        sa.Column("expected_minor", BIG_ID, nullable=False),
        sa.Column("counted_minor", BIG_ID, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "counted_minor IS NULL OR counted_minor = expected_minor OR reason <> ''",
            name=op.f("ck_till_counts_reason"),
        ),
        sa.CheckConstraint(
            "means <> 'cash' OR counted_minor >= 0", name=op.f("ck_till_counts_cash")
        ),
        _day("till_counts"),
        sa.PrimaryKeyConstraint("day_id", "means", name=op.f("pk_till_counts")),
    )
    op.create_table(
        "till_entries",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("source_id", sa.String(length=20), nullable=False),
        sa.Column("day_id", sa.String(length=20), nullable=False),
        sa.Column("means", sa.String(length=16), nullable=False),
        sa.Column("amount_minor", BIG_ID, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('sale', 'refund', 'empties', 'courier', 'move')",
            name=op.f("ck_till_entries_kind"),
        ),
        _day("till_entries"),
        sa.PrimaryKeyConstraint("kind", "source_id", "means", name=op.f("pk_till_entries")),
    )
    op.create_index("ix_till_entries_day_id", "till_entries", ["day_id"])


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT 1 FROM till_days LIMIT 1")):
        raise RuntimeError("there are days of tills; they cannot be kept")
    for table in ("till_entries", "till_counts", "till_tries", "till_moves", "till_days", "tills"):
        op.drop_table(table)
