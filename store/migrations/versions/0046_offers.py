"""offers, coupons, and what they take off the lines of sales"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "price_marks",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("mark", BIG_ID, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_price_marks_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_marks")),
    )
    _offers()
    op.create_table(
        "coupons",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("offer_id", BIG_ID, nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("most_uses", BIG_ID, nullable=True),
        sa.Column("used", BIG_ID, server_default="0", nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.CheckConstraint(
            "used >= 0 AND (most_uses IS NULL OR used <= most_uses)", name=op.f("ck_coupons_used")
        ),
        sa.CheckConstraint("most_uses IS NULL OR most_uses > 0", name=op.f("ck_coupons_most_uses")),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offers.id"], name=op.f("fk_coupons_offer_id_offers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupons")),
        sa.UniqueConstraint("code", name=op.f("uq_coupons_code")),
    )
    op.create_index("ix_coupons_offer_id", "coupons", ["offer_id"])
    _uses()
    op.create_table(
        "reductions",
        sa.Column("sale_id", sa.String(length=20), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("offer_id", BIG_ID, nullable=False),
        sa.Column("coupon_id", BIG_ID, nullable=True),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("amount_minor", BIG_ID, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_reductions_amount")),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offers.id"], name=op.f("fk_reductions_offer_id_offers")
        ),
        sa.ForeignKeyConstraint(
            ["coupon_id"], ["coupons.id"], name=op.f("fk_reductions_coupon_id_coupons")
        ),
        sa.PrimaryKeyConstraint("sale_id", "position", "number", name=op.f("pk_reductions")),
    )
    op.create_index("ix_reductions_offer_id", "reductions", ["offer_id"])
    with op.batch_alter_table("sale_lines") as table:
        table.add_column(sa.Column("off_minor", BIG_ID, server_default="0", nullable=False))
        table.create_check_constraint(
            op.f("ck_sale_lines_off"), "off_minor BETWEEN 0 AND unit_minor * quantity"
        )
    with op.batch_alter_table("baskets") as table:
        table.add_column(
            sa.Column("coupon", sa.String(length=32), server_default="", nullable=False)
        )


def _offers() -> None:
    op.create_table(
        "offers",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", BIG_ID, nullable=False),
        sa.Column("pays", BIG_ID, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("item_id", BIG_ID, nullable=True),
        sa.Column("category_id", BIG_ID, nullable=True),
        sa.Column("location_id", BIG_ID, nullable=True),
        sa.Column("channel", sa.String(length=8), nullable=True),
        sa.Column("audience", sa.String(length=8), nullable=False),
        sa.Column("starts_at", Moment(), nullable=False),
        sa.Column("ends_at", Moment(), nullable=True),
        sa.Column("days", BIG_ID, nullable=False),
        sa.Column("from_minute", BIG_ID, nullable=True),
        sa.Column("to_minute", BIG_ID, nullable=True),
        sa.Column("by_code", BIG_ID, nullable=False),
        sa.Column("least_minor", BIG_ID, nullable=False),
        sa.Column("most_each", BIG_ID, nullable=True),
        sa.Column("made_by", BIG_ID, nullable=True),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("ended_by", BIG_ID, nullable=True),
        *(sa.CheckConstraint(rule, name=op.f(f"ck_offers_{name}")) for name, rule in _RULES),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_offers_{column}_{table}")
            )
            for column, table in _OF
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    op.create_index("ix_offers_item_id", "offers", ["item_id"])
    op.create_index("ix_offers_category_id", "offers", ["category_id"])
    op.create_index(
        "ix_offers_open", "offers", ["id"],
        sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip


_RULES = (
    ("kind", "kind IN ('percent', 'amount', 'price', 'n_for_m')"),
    ("audience", "audience IN ('all', 'members', 'first')"),
    ("value", "value > 0 OR (kind = 'price' AND value = 0)"),
    ("percent", "kind <> 'percent' OR value <= 100"),
    (
        "pays",
        "(kind = 'n_for_m') = (pays IS NOT NULL) AND "
        "(pays IS NULL OR pays BETWEEN 1 AND value - 1)",
    ),
    ("whose", "item_id IS NULL OR category_id IS NULL"),
    ("days", "days BETWEEN 1 AND 127"),
    ("hours", "(from_minute IS NULL) = (to_minute IS NULL)"),
    ("ends_at", "ends_at IS NULL OR ends_at > starts_at"),
    ("least", "least_minor >= 0"),
    ("most_each", "most_each IS NULL OR most_each > 0"),
    ("coupon_kind", "by_code = 0 OR kind IN ('percent', 'amount')"),
)
_OF = (
    ("item_id", "items"), ("category_id", "categories"), ("location_id", "locations"),
    ("made_by", "members"), ("ended_by", "members"),
)  # fmt: skip


def _uses() -> None:
    op.create_table(
        "offer_uses",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("offer_id", BIG_ID, nullable=False),
        sa.Column("coupon_id", BIG_ID, nullable=True),
        sa.Column("member_id", BIG_ID, nullable=True),
        sa.Column("nth", BIG_ID, nullable=True),
        sa.Column("first_of", BIG_ID, nullable=True),
        sa.Column("sale_id", sa.String(length=20), nullable=True),
        sa.Column("attempt_id", sa.String(length=20), nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint(
            "(coupon_id IS NULL) <> (first_of IS NULL)", name=op.f("ck_offer_uses_what")
        ),
        sa.CheckConstraint(
            "sale_id IS NOT NULL OR attempt_id IS NOT NULL", name=op.f("ck_offer_uses_of")
        ),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offers.id"], name=op.f("fk_offer_uses_offer_id_offers")
        ),
        sa.ForeignKeyConstraint(
            ["coupon_id"], ["coupons.id"], name=op.f("fk_offer_uses_coupon_id_coupons")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_offer_uses_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["first_of"], ["members.id"], name=op.f("fk_offer_uses_first_of_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_uses")),
        sa.UniqueConstraint(
            "coupon_id", "member_id", "nth", name=op.f("uq_offer_uses_coupon_id_member_id_nth")
        ),
        sa.UniqueConstraint("first_of", name=op.f("uq_offer_uses_first_of")),
    )
    for column in ("member_id", "sale_id", "attempt_id"):
        op.create_index(f"ix_offer_uses_{column}", "offer_uses", [column])


def downgrade() -> None:
    with op.batch_alter_table("baskets") as table:
        table.drop_column("coupon")
    with op.batch_alter_table("sale_lines") as table:
        table.drop_constraint(op.f("ck_sale_lines_off"), type_="check")
        table.drop_column("off_minor")
    for name in ("reductions", "offer_uses", "coupons", "offers", "price_marks"):
        op.drop_table(name)
