"""returns say why in a word that reports can count"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None

REASONS = ("damaged", "spoiled", "wrong_item", "not_as_expected", "mistake", "other")
# What the page has proposed so far, in both languages.
PROPOSED = {
    "damaged": ("Damaged", "损坏"), "mistake": ("Bought by mistake", "买错了"),
    "not_as_expected": ("Not as expected", "与预期不符"),
}  # fmt: skip


def upgrade() -> None:
    with op.batch_alter_table("returns") as batch:
        batch.add_column(sa.Column("why", sa.String(16), nullable=False, server_default=""))
        batch.create_check_constraint(op.f("ck_returns_why"), f"why IN {('', *REASONS)!r}")
    returns = sa.table("returns", sa.column("why"), sa.column("reason"))
    op.execute(returns.update().where(returns.c.reason != "").values(why="other"))
    for why, words in PROPOSED.items():
        # The word says it; what else was said stays.
        of = returns.update().where(returns.c.reason.in_(words))
        op.execute(of.values(why=why, reason=""))


def downgrade() -> None:
    returns = sa.table("returns", sa.column("why"), sa.column("reason"))
    for why, words in PROPOSED.items():
        said = sa.and_(returns.c.why == why, returns.c.reason == "")
        op.execute(returns.update().where(said).values(reason=words[0]))
    with op.batch_alter_table("returns") as batch:
        batch.drop_constraint(op.f("ck_returns_why"), type_="check")
        batch.drop_column("why")
