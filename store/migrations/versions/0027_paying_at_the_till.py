"""attempts to pay at a till, of somebody whose name nobody knows"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SOMEBODY = "member_id IS NOT NULL OR (sold_by IS NOT NULL AND purpose = 'sale')"


def upgrade() -> None:
    with op.batch_alter_table("attempts") as batch:
        batch.add_column(sa.Column("sold_by", BIG_ID, nullable=True))
        batch.alter_column("member_id", existing_type=BIG_ID, nullable=True)
        batch.create_check_constraint(op.f("ck_attempts_somebody"), SOMEBODY)
    op.create_index(
        "uq_attempts_sold_by_key_number",
        "attempts",
        ["sold_by", "key", "number"],
        unique=True,
        sqlite_where=sa.text("sold_by IS NOT NULL"),
        postgresql_where=sa.text("sold_by IS NOT NULL"),
    )


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT 1 FROM attempts WHERE sold_by IS NOT NULL LIMIT 1")):
        raise RuntimeError("there are payments of a till; they cannot be kept")
    op.drop_index("uq_attempts_sold_by_key_number", "attempts")
    with op.batch_alter_table("attempts") as batch:
        batch.drop_constraint(op.f("ck_attempts_somebody"), type_="check")
        batch.alter_column("member_id", existing_type=BIG_ID, nullable=False)
        batch.drop_column("sold_by")
