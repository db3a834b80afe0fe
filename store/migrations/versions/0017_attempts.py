"""attempts to pay, and everything that was said about them; top-ups become attempts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("member_id", BIG_ID, nullable=False),
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("amount_minor", BIG_ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("refunded_minor", BIG_ID, nullable=False),
        sa.Column("reference", sa.String(length=128), nullable=False),
        sa.Column("next_url", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sale_id", sa.String(length=20), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("ask_at", Moment(), nullable=False),
        sa.Column("ends_at", Moment(), nullable=False),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_attempts_amount")),
        sa.CheckConstraint(
            "refunded_minor BETWEEN 0 AND amount_minor", name=op.f("ck_attempts_refunded")
        ),
        sa.CheckConstraint("purpose IN ('top_up', 'sale')", name=op.f("ck_attempts_purpose")),
        sa.CheckConstraint(
            "state IN ('created', 'pending', 'authorised', 'captured', 'partly_refunded', "
            "'refunded', 'failed', 'expired', 'disputed')",
            name=op.f("ck_attempts_state"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_attempts_member_id_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint(
            "member_id", "key", "number", name=op.f("uq_attempts_member_id_key_number")
        ),
    )
    op.create_index("ix_attempts_state_ask_at", "attempts", ["state", "ask_at"])
    op.create_index("ix_attempts_created_at", "attempts", ["created_at"])
    op.create_index(op.f("ix_attempts_sale_id"), "attempts", ["sale_id"])
    op.create_table(
        "attempt_events",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("attempt_id", sa.String(length=20), nullable=True),
        sa.Column("gateway", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("refused", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint(
            "source IN ('start', 'return', 'notice', 'query', 'staff')",
            name=op.f("ck_attempt_events_source"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt_events")),
    )
    op.create_index("ix_attempt_events_attempt_id_id", "attempt_events", ["attempt_id", "id"])
    op.create_index("ix_attempt_events_refused_at", "attempt_events", ["refused", "at"])
    taken = sa.text("refused = '' AND digest <> ''")
    op.create_index(
        "uq_attempt_events_gateway_digest", "attempt_events", ["gateway", "digest"], unique=True,
        sqlite_where=taken, postgresql_where=taken,
    )  # fmt: skip
    op.execute(
        """INSERT INTO attempts (id, member_id, purpose, key, number, gateway, way, amount_minor,
              currency, refunded_minor, reference, next_url, code, state, created_at, ask_at,
              ends_at, settled_at)
            SELECT id, member_id, 'top_up', key, 1, SUBSTR(gateway, 1, 16), '', amount_minor,
              currency, 0, reference, next_url, '', state, created_at, created_at,
              created_at + 86400000000, settled_at
              FROM top_ups"""
    )
    op.drop_table("top_ups")
    _rename("top_up_id", "attempt_id")


def downgrade() -> None:
    """The old table has no place for anything but a top-up that came, or did not."""
    others = """SELECT 1 FROM attempts
                 WHERE purpose <> 'top_up' OR refunded_minor > 0 OR state = 'disputed' LIMIT 1"""
    if op.get_bind().scalar(sa.text(others)):
        raise RuntimeError("there are payments that are no top-ups; they cannot be kept")
    _rename("attempt_id", "top_up_id")
    op.create_table(
        "top_ups",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("member_id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", BIG_ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("gateway", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("next_url", sa.String(length=500), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'captured', 'failed', 'expired')", name=op.f("ck_top_ups_state")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_top_ups_amount")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_top_ups_member_id_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_top_ups")),
        sa.UniqueConstraint("member_id", "key", name=op.f("uq_top_ups_member_id_key")),
    )
    op.create_index("ix_top_ups_state_created_at", "top_ups", ["state", "created_at"])
    op.execute(
        """INSERT INTO top_ups (id, member_id, key, amount_minor, currency, gateway, reference,
              state, next_url, created_at, settled_at)
           SELECT id, member_id, key, amount_minor, currency, gateway, SUBSTR(reference, 1, 100),
              CASE WHEN state IN ('created', 'authorised') THEN 'pending' ELSE state END,
              SUBSTR(next_url, 1, 500), created_at, settled_at
             FROM attempts"""
    )
    op.drop_table("attempt_events")
    op.drop_table("attempts")


def _rename(old: str, new: str) -> None:
    with op.batch_alter_table("transfers") as batch:
        batch.drop_constraint(op.f(f"uq_transfers_{old}"), type_="unique")
    op.execute(f"ALTER TABLE transfers RENAME COLUMN {old} TO {new}")
    with op.batch_alter_table("transfers") as batch:
        batch.create_unique_constraint(op.f(f"uq_transfers_{new}"), [new])
