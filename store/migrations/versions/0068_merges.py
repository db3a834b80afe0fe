"""two accounts of one person: what was shown of the other one, and that they came together"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None

HOW = "how IN ('code', 'password', 'passkey')"


def upgrade() -> None:
    op.create_table(
        "merge_proofs",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("visit", sa.String(64), nullable=False),
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("other_id", BigId, nullable=False),
        sa.Column("how", sa.String(8), nullable=False),
        sa.Column("second_at", Moment(), nullable=True),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.CheckConstraint(HOW, name="how"),
        sa.CheckConstraint("member_id <> other_id", name="two_accounts"),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name="fk_merge_proofs_member_id_members"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["members.id"], name="fk_merge_proofs_other_id_members"
        ),
    )
    op.create_index("uq_merge_proofs_visit", "merge_proofs", ["visit"], unique=True)
    for column in ("member_id", "other_id", "expires_at"):
        op.create_index(f"ix_merge_proofs_{column}", "merge_proofs", [column])
    op.create_table(
        "merges",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("gone_id", BigId, nullable=False),
        sa.Column("kept_id", BigId, nullable=False),
        sa.Column("now_id", BigId, nullable=False),
        sa.Column("how", sa.String(8), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint(HOW, name="how"),
        sa.CheckConstraint("gone_id <> kept_id AND gone_id <> now_id", name="two_accounts"),
        sa.ForeignKeyConstraint(["gone_id"], ["members.id"], name="fk_merges_gone_id_members"),
        sa.ForeignKeyConstraint(["kept_id"], ["members.id"], name="fk_merges_kept_id_members"),
        sa.ForeignKeyConstraint(["now_id"], ["members.id"], name="fk_merges_now_id_members"),
    )
    op.create_index("uq_merges_gone_id", "merges", ["gone_id"], unique=True)
    for column in ("kept_id", "now_id"):
        op.create_index(f"ix_merges_{column}", "merges", [column])
    op.create_table(
        "merged_sales",
        sa.Column("merge_id", sa.String(20), primary_key=True),
        sa.Column("sale_id", sa.String(20), primary_key=True),
        sa.ForeignKeyConstraint(
            ["merge_id"], ["merges.id"], name="fk_merged_sales_merge_id_merges"
        ),
        sa.ForeignKeyConstraint(["sale_id"], ["sales.id"], name="fk_merged_sales_sale_id_sales"),
    )
    op.create_index("ix_merged_sales_sale_id", "merged_sales", ["sale_id"])


def downgrade() -> None:
    for table in ("merged_sales", "merges", "merge_proofs"):
        op.drop_table(table)
