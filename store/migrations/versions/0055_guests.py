"""guests: who buys without an account, and claims of what they bought"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

BOUGHT_BY_NOBODY = "SELECT 1 FROM {} WHERE guest_id IS NOT NULL AND member_id IS NULL LIMIT 1"
OLD = {
    "sales": "member_id IS NOT NULL OR sold_by IS NOT NULL",
    "attempts": "member_id IS NOT NULL OR (sold_by IS NOT NULL AND purpose = 'sale')",
}
NEW = {
    "sales": "member_id IS NOT NULL OR sold_by IS NOT NULL OR guest_id IS NOT NULL",
    "attempts": "member_id IS NOT NULL OR "
    "((sold_by IS NOT NULL OR guest_id IS NOT NULL) AND purpose = 'sale')",
}
KEYS = {"sales": ["guest_id", "key"], "attempts": ["guest_id", "key", "number"]}


def upgrade() -> None:
    op.create_table(
        "guests",
        sa.Column("id", BigId, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guests")),
        sa.UniqueConstraint("digest", name=op.f("uq_guests_digest")),
    )
    for table in ("sales", "attempts"):
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("guest_id", BigId, nullable=True))
            batch.drop_constraint(op.f(f"ck_{table}_somebody"), type_="check")
            batch.create_check_constraint(op.f(f"ck_{table}_somebody"), NEW[table])
            batch.create_check_constraint(
                op.f(f"ck_{table}_guest"), "guest_id IS NULL OR sold_by IS NULL"
            )
            if table == "sales":
                batch.create_foreign_key(
                    op.f("fk_sales_guest_id_guests"), "guests", ["guest_id"], ["id"]
                )
        op.create_index(
            f"uq_{table}_{'_'.join(KEYS[table])}", table, KEYS[table], unique=True,
            sqlite_where=sa.text("guest_id IS NOT NULL"),
            postgresql_where=sa.text("guest_id IS NOT NULL"),
        )  # fmt: skip
    _tables()


def _tables() -> None:
    op.create_table(
        "guest_mails",
        sa.Column("sale_id", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=254), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sale_id"], ["sales.id"], name=op.f("fk_guest_mails_sale_id_sales")
        ),
        sa.PrimaryKeyConstraint("sale_id", "value", name=op.f("pk_guest_mails")),
    )
    op.create_index(op.f("ix_guest_mails_value"), "guest_mails", ["value"])
    op.create_table(
        "claims",
        sa.Column("sale_id", sa.String(length=20), nullable=False),
        sa.Column("guest_id", BigId, nullable=False),
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("how", sa.String(length=8), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint("how IN ('device', 'mail', 'link')", name=op.f("ck_claims_how")),
        sa.ForeignKeyConstraint(["sale_id"], ["sales.id"], name=op.f("fk_claims_sale_id_sales")),
        sa.ForeignKeyConstraint(
            ["guest_id"], ["guests.id"], name=op.f("fk_claims_guest_id_guests")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_claims_member_id_members")
        ),
        sa.PrimaryKeyConstraint("sale_id", name=op.f("pk_claims")),
    )
    op.create_index(op.f("ix_claims_member_id"), "claims", ["member_id"])


def downgrade() -> None:
    for table in ("sales", "attempts"):
        if op.get_bind().scalar(sa.text(BOUGHT_BY_NOBODY.format(table))):
            raise RuntimeError("there are purchases of guests; they cannot be kept")
    op.drop_table("claims")
    op.drop_table("guest_mails")
    for table in ("attempts", "sales"):
        op.drop_index(f"uq_{table}_{'_'.join(KEYS[table])}", table)
        with op.batch_alter_table(table) as batch:
            if table == "sales":
                batch.drop_constraint(op.f("fk_sales_guest_id_guests"), type_="foreignkey")
            batch.drop_constraint(op.f(f"ck_{table}_guest"), type_="check")
            batch.drop_constraint(op.f(f"ck_{table}_somebody"), type_="check")
            batch.create_check_constraint(op.f(f"ck_{table}_somebody"), OLD[table])
            batch.drop_column("guest_id")
    op.drop_table("guests")
