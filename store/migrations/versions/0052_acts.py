"""the logbook: acts of staff, which nobody can change or remove"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

SAID = "the logbook is only added to"


def upgrade() -> None:
    op.create_table(
        "acts",
        sa.Column("id", BigId, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("member_id", BigId, nullable=True),
        sa.Column("via", sa.String(8), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("verb", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("object", sa.String(64), nullable=False),
        sa.Column("place_id", BigId, nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.CheckConstraint("via IN ('page', 'key', 'command')", name=op.f("ck_acts_via")),
        sa.CheckConstraint("via = 'command' OR member_id IS NOT NULL", name=op.f("ck_acts_member")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_acts_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["place_id"], ["locations.id"], name=op.f("fk_acts_place_id_locations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acts")),
    )
    op.create_index("ix_acts_at", "acts", ["at", "id"])
    op.create_index("ix_acts_member", "acts", ["member_id", "at", "id"])
    op.create_index("ix_acts_verb", "acts", ["verb", "at", "id"])
    op.create_index("ix_acts_member_verb", "acts", ["member_id", "verb", "at", "id"])
    op.create_index("ix_acts_object", "acts", ["kind", "object", "at", "id"])
    if op.get_bind().dialect.name == "sqlite":
        for what in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER acts_no_{what} BEFORE {what.upper()} ON acts "
                f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION acts_only_added_to() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{SAID}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER acts_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON acts "
        "FOR EACH STATEMENT EXECUTE FUNCTION acts_only_added_to()"
    )


def downgrade() -> None:
    op.drop_table("acts")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION acts_only_added_to()")
