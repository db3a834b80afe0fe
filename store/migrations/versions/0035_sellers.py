"""sellers under one roof: contracts, shares of what was sold, settlements, payouts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _sellers()
    _contracts()
    _settlements()
    _shares()
    _payouts()


def downgrade() -> None:
    for table in ("payout_steps", "payouts", "shares", "seller_settlements", "seller_contracts",
                  "item_sellers", "sellers"):  # fmt: skip
        op.drop_table(table)


def _sellers() -> None:
    op.create_table(
        "sellers",
        _id(),
        _text("code", 20),
        sa.Column("names", sa.JSON(), nullable=False),
        *(_text(name, long) for name, long in (
            ("tax_number", 40), ("bank_name", 120), ("bank_holder", 120), ("bank_account", 40),
            ("contact", 200),
        )),
        _moment("created_at"),
        _moment("archived_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sellers")),
        sa.UniqueConstraint("code", name=op.f("uq_sellers_code")),
    )  # fmt: skip
    op.create_table(
        "item_sellers",
        _id(),
        _number("item_id"),
        _number("seller_id", nullable=True),
        _moment("starts_at"),
        _number("made_by", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_sellers")),
        *_keys("item_sellers", item_id="items.id", seller_id="sellers.id", made_by="members.id"),
    )
    op.create_index("ix_item_sellers_item_id_starts_at", "item_sellers", ["item_id", "starts_at"])
    op.create_index(op.f("ix_item_sellers_seller_id"), "item_sellers", ["seller_id"])


def _contracts() -> None:
    op.create_table(
        "seller_contracts",
        _id(),
        _number("seller_id"),
        *(_number(name) for name in ("commission_bp", "line_fee_minor", "fee_bp")),
        _text("calendar", 8),
        _number("calendar_day"),
        _moment("starts_at"),
        _number("made_by", nullable=True),
        _moment("made_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seller_contracts")),
        sa.UniqueConstraint(
            "seller_id", "starts_at", name=op.f("uq_seller_contracts_seller_id_starts_at")
        ),
        *_keys("seller_contracts", seller_id="sellers.id", made_by="members.id"),
        *_checks(
            "seller_contracts",
            commission="commission_bp BETWEEN 0 AND 10000",
            fee="fee_bp BETWEEN 0 AND 10000",
            line_fee="line_fee_minor >= 0",
            calendar="(calendar = 'days' AND calendar_day BETWEEN 1 AND 90) OR "
            "(calendar = 'weekly' AND calendar_day BETWEEN 1 AND 7) OR "
            "(calendar = 'monthly' AND calendar_day BETWEEN 1 AND 28)",
        ),
    )


def _settlements() -> None:
    amounts = (
        "entries", "total_minor", "returned_minor", "commission_minor", "fee_minor", "share_minor",
        "carried_minor", "payout_minor", "left_minor",
    )  # fmt: skip
    op.create_table(
        "seller_settlements",
        _text("id", 20),
        _number("seller_id"),
        _number("number"),
        _moment("until"),
        _text("state", 9),
        _text("currency", 3),
        *(_number(name) for name in amounts),
        _moment("began_at"),
        _moment("closed_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seller_settlements")),
        sa.UniqueConstraint(
            "seller_id", "number", name=op.f("uq_seller_settlements_seller_id_number")
        ),
        *_keys("seller_settlements", seller_id="sellers.id"),
        *_checks(
            "seller_settlements",
            state="state IN ('gathering', 'closed')",
            closed="(state = 'closed') = (closed_at IS NOT NULL)",
            share="share_minor = total_minor - returned_minor - commission_minor - fee_minor",
            signs="carried_minor <= 0 AND left_minor <= 0 AND payout_minor >= 0",
            payout="carried_minor + share_minor = payout_minor + left_minor AND "
            "(payout_minor = 0 OR left_minor = 0)",
        ),
    )


def _shares() -> None:
    op.create_table(
        "shares",
        _id(),
        _text("sale_id", 20),
        _text("refund_id", 20),
        _number("position"),
        _number("item_id"),
        _number("seller_id", nullable=True),
        _number("contract_id", nullable=True),
        _number("weight"),
        _number("quantity"),
        _text("currency", 3),
        *(_number(name) for name in (
            "total_minor", "commission_minor", "fee_minor", "share_minor",
        )),
        _moment("at"),
        _moment("booked_at"),
        _text("settlement_id", 20, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
        sa.UniqueConstraint(
            "sale_id", "refund_id", "position", "item_id",
            name=op.f("uq_shares_sale_id_refund_id_position_item_id"),
        ),
        *_keys(
            "shares", sale_id="sales.id", item_id="items.id", seller_id="sellers.id",
            contract_id="seller_contracts.id", settlement_id="seller_settlements.id",
        ),
        *_checks(
            "shares",
            total="share_minor + commission_minor + fee_minor = total_minor",
            signs="(refund_id = '' AND total_minor >= 0 AND commission_minor >= 0 AND "
            "fee_minor >= 0 AND share_minor >= 0) OR (refund_id <> '' AND total_minor <= 0 AND "
            "commission_minor <= 0 AND fee_minor <= 0 AND share_minor <= 0)",
            contract="(seller_id IS NULL) = (contract_id IS NULL)",
            house="seller_id IS NOT NULL OR settlement_id IS NULL",
        ),
    )  # fmt: skip
    op.create_index("ix_shares_seller_id", "shares", ["seller_id", "settlement_id", "at"])


def _payouts() -> None:
    op.create_table(
        "payouts",
        _text("settlement_id", 20),
        _number("seller_id"),
        _number("amount_minor"),
        _text("currency", 3),
        _text("state", 8),
        _text("reference", 80),
        _number("steps"),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("settlement_id", name=op.f("pk_payouts")),
        *_keys("payouts", settlement_id="seller_settlements.id", seller_id="sellers.id"),
        *_checks(
            "payouts",
            amount="amount_minor > 0",
            state="state IN ('due', 'paid')",
            reference="(state = 'paid') = (reference <> '')",
        ),
    )
    op.create_index("ix_payouts_seller_id_state", "payouts", ["seller_id", "state"])
    op.create_table(
        "payout_steps",
        _text("settlement_id", 20),
        sa.Column("number", BIG_ID, autoincrement=False, nullable=False),
        _text("event", 8),
        _text("reference", 80),
        _text("reason", 200),
        _number("made_by", nullable=True),
        _moment("at"),
        sa.PrimaryKeyConstraint("settlement_id", "number", name=op.f("pk_payout_steps")),
        *_keys("payout_steps", settlement_id="payouts.settlement_id", made_by="members.id"),
        *_checks("payout_steps", event="event IN ('pay', 'fail')"),
    )


def _id() -> sa.Column[int]:
    return sa.Column("id", BIG_ID, nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, BIG_ID, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _keys(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [name], [of], name=op.f(f"fk_{table}_{name}_{of.partition('.')[0]}")
        )
        for name, of in columns.items()
    ]


def _checks(table: str, **conditions: str) -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))
        for name, condition in conditions.items()
    ]
