"""points: rules, what each member has, and how it came"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = "('earned', 'taken_back', 'spent', 'given_back', 'kept', 'expired', 'moved')"


def upgrade() -> None:
    op.create_table(
        "point_rules",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("points", BIG_ID, nullable=False),
        sa.Column("each_minor", BIG_ID, nullable=False),
        sa.Column("least_minor", BIG_ID, nullable=False),
        sa.Column("basis", sa.String(length=5), nullable=False),
        sa.Column("factors", sa.JSON(), nullable=False),
        sa.Column("worth_points", BIG_ID, nullable=False),
        sa.Column("worth_minor", BIG_ID, nullable=False),
        sa.Column("lives_days", BIG_ID, nullable=True),
        sa.Column("made_by", BIG_ID, nullable=True),
        sa.Column("made_at", Moment(), nullable=False),
        sa.CheckConstraint(
            "points >= 0 AND each_minor > 0 AND least_minor >= 0",
            name=op.f("ck_point_rules_earning"),
        ),
        sa.CheckConstraint("basis IN ('gross', 'net')", name=op.f("ck_point_rules_basis")),
        sa.CheckConstraint(
            "worth_points >= 0 AND worth_minor >= 0 AND (worth_points = 0) = (worth_minor = 0)",
            name=op.f("ck_point_rules_worth"),
        ),
        sa.CheckConstraint(
            "lives_days IS NULL OR lives_days > 0", name=op.f("ck_point_rules_lives_days")
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["members.id"], name=op.f("fk_point_rules_made_by_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_rules")),
    )
    op.create_table(
        "point_accounts",
        sa.Column("member_id", BIG_ID, nullable=False),
        sa.Column("spendable", BIG_ID, server_default="0", nullable=False),
        sa.Column("owed", BIG_ID, server_default="0", nullable=False),
        sa.Column("over_at", Moment(), nullable=True),
        sa.CheckConstraint(
            "spendable >= 0 AND owed >= 0", name=op.f("ck_point_accounts_not_below")
        ),
        sa.CheckConstraint("spendable = 0 OR owed = 0", name=op.f("ck_point_accounts_one_of")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_point_accounts_member_id_members")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_point_accounts")),
    )
    op.create_index(
        "ix_point_accounts_over_at", "point_accounts", ["over_at"],
        sqlite_where=sa.text("over_at IS NOT NULL"),
        postgresql_where=sa.text("over_at IS NOT NULL"),
    )  # fmt: skip
    _entries()
    op.create_table(
        "point_waits",
        sa.Column("sale_id", sa.String(length=20), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("sale_id", name=op.f("pk_point_waits")),
    )


def _entries() -> None:
    op.create_table(
        "point_entries",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("member_id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("points", BIG_ID, nullable=False),
        sa.Column("base_minor", BIG_ID, server_default="0", nullable=False),
        sa.Column("rule_id", BIG_ID, nullable=True),
        sa.Column("factors", sa.JSON(), nullable=True),
        sa.Column("sale_id", sa.String(length=20), nullable=True),
        sa.Column("attempt_id", sa.String(length=20), nullable=True),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("booked_at", Moment(), nullable=False),
        sa.CheckConstraint(f"kind IN {KINDS}", name=op.f("ck_point_entries_kind")),
        sa.CheckConstraint(
            "kind <> 'earned' OR (points >= 0 AND base_minor >= 0)",
            name=op.f("ck_point_entries_earned"),
        ),
        sa.CheckConstraint(
            "kind <> 'taken_back' OR (points <= 0 AND base_minor <= 0)",
            name=op.f("ck_point_entries_back"),
        ),
        sa.CheckConstraint("kind <> 'spent' OR points < 0", name=op.f("ck_point_entries_spent")),
        sa.CheckConstraint(
            "kind <> 'given_back' OR points > 0", name=op.f("ck_point_entries_given")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_point_entries_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["point_rules.id"], name=op.f("fk_point_entries_rule_id_point_rules")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_entries")),
        sa.UniqueConstraint("key", name=op.f("uq_point_entries_key")),
    )
    op.create_index("ix_point_entries_member_id_at", "point_entries", ["member_id", "at"])
    op.create_index("ix_point_entries_sale_id", "point_entries", ["sale_id"])
    op.create_index("ix_point_entries_attempt_id", "point_entries", ["attempt_id"])


def downgrade() -> None:
    op.drop_table("point_waits")
    op.drop_table("point_entries")
    op.drop_table("point_accounts")
    op.drop_table("point_rules")
