"""Tables of sales: baskets, sales with their lines, refunds with theirs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment
from ..payment import gateways

CHANNELS = ("shelf", "web", "till")
MEANS = ("account", "cash", "card", "delivery", "bank", *gateways.NAMES)
"""What a sale is paid with: the member's account; at a till cash or a card, whose terminal stands
outside; on delivery; by bank transfer; through a gateway."""
FULFILMENTS = ("taken", "collect", "deliver")
"""How the goods of a sale come to the shopper: off the shelf at once, at a counter, at home."""
TRANSITIONS = {
    ("due", "pay_part"): "due",
    ("due", "pay_rest"): "paid",
    ("due", "pay_kept"): "part_refunded",
    ("due", "refund_part"): "due",
    ("due", "refund_due"): "part_refunded",
    ("due", "refund_rest"): "cancelled",
    ("paid", "refund_part"): "part_refunded",
    ("paid", "refund_rest"): "refunded",
    ("part_refunded", "refund_part"): "part_refunded",
    ("part_refunded", "refund_rest"): "refunded",
}
"""A sale's life: what may happen in which state, and the state it leads to. What is paid at the
door is due until then: in parts where it comes in several parcels, and less where some of it does
not come ("pay_kept", "refund_due": with that nothing is due any more, and some of it went back)."""
STANDING = ("paid", "part_refunded")
"""States in which there is something left of a sale that is the shopper's."""
REFUNDED = ("part_refunded", "refunded", "due", "cancelled")
"""States in which something may have been given back, or taken off what is due."""


class Sale(Base):
    """A sale that stands. `key` is the purchase key, unique per member; `contents` is a digest of
    what was asked for, so that the same key with other contents is refused. A till may sell to
    somebody it does not know: then nobody's name is on it. A till's key is unique per seller,
    whoever buys, so that a basket that was paid is not paid again by other means. What a guest
    bought at the shelf (`guest_id` is their device) is in nobody's name until somebody claims it;
    its key is unique per guest. Where a gateway brought the money, `account_minor` of the total
    stood on the member's account. What was paid in cash is the total and `rounding_minor`, as coins
    can pay it."""

    __tablename__ = "sales"
    __table_args__ = (
        UniqueConstraint("member_id", "key"),
        CheckConstraint(
            "state IN ('due', 'paid', 'part_refunded', 'refunded', 'cancelled')", name="state"
        ),
        CheckConstraint("state NOT IN ('due', 'cancelled') OR means = 'delivery'", name="due"),
        CheckConstraint("channel IN ('shelf', 'web', 'till')", name="channel"),
        CheckConstraint("fulfilment IN ('taken', 'collect', 'deliver')", name="fulfilment"),
        CheckConstraint("total_minor >= 0", name="total"),
        CheckConstraint(f"means IN {MEANS!r}", name="means"),
        CheckConstraint(
            "account_minor = 0 OR (account_minor BETWEEN 1 AND total_minor - 1 "
            "AND member_id IS NOT NULL AND means <> 'account')",
            name="account",
        ),
        CheckConstraint(
            "member_id IS NOT NULL OR sold_by IS NOT NULL OR guest_id IS NOT NULL", name="somebody"
        ),
        CheckConstraint("guest_id IS NULL OR sold_by IS NULL", name="guest"),
        CheckConstraint("member_id IS NOT NULL OR means <> 'account'", name="whose_account"),
        CheckConstraint(
            "rounding_minor = 0 OR (means = 'cash' AND total_minor + rounding_minor >= 0)",
            name="rounding",
        ),
        Index(
            "uq_sales_sold_by_key",
            "sold_by",
            "key",
            unique=True,
            sqlite_where=text("sold_by IS NOT NULL"),
            postgresql_where=text("sold_by IS NOT NULL"),
        ),
        Index(
            "uq_sales_guest_id_key",
            "guest_id",
            "key",
            unique=True,
            sqlite_where=text("guest_id IS NOT NULL"),
            postgresql_where=text("guest_id IS NOT NULL"),
        ),
        Index(
            "ix_sales_due",
            "created_at",
            sqlite_where=text("state = 'due'"),
            postgresql_where=text("state = 'due'"),
        ),
        Index("ix_sales_member_id_created_at", "member_id", "created_at"),
        Index("ix_sales_created_at", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    key: Mapped[str] = mapped_column(String(64))
    contents: Mapped[str] = mapped_column(String(64))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    channel: Mapped[str] = mapped_column(String(8))
    means: Mapped[str] = mapped_column(String(16), default="account")
    state: Mapped[str] = mapped_column(String(16), default="paid")
    currency: Mapped[str] = mapped_column(String(3))
    total_minor: Mapped[int] = mapped_column(BigId)
    tax_minor: Mapped[int] = mapped_column(BigId)
    account_minor: Mapped[int] = mapped_column(BigId, server_default="0")
    rounding_minor: Mapped[int] = mapped_column(BigId, server_default="0")
    sold_by: Mapped[int | None] = mapped_column(BigId)
    guest_id: Mapped[int | None] = mapped_column(ForeignKey("guests.id"))
    fulfilment: Mapped[str] = mapped_column(String(8), server_default="taken")
    created_at: Mapped[datetime] = mapped_column(Moment)


class Hold(Base):
    """What an attempt to pay is for: the goods, and the prices that stand while the shopper pays.
    `key` is the purchase key that the sale will have. `order` says of a web order how it comes to
    the shopper, what that costs, and where its goods are kept (`order_holds`)."""

    __tablename__ = "holds"

    attempt_id: Mapped[str] = mapped_column(ForeignKey("attempts.id"), primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    key: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(8))
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    order: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class SaleLine(Base):
    """One item of a sale, with its name, price and tax as they were then. What delivery costs is a
    line of its own kind, "shipping": money and tax like any other, no goods. So is a deposit; it
    goes back with the units of the line at `of_position`. `quantity_refunded`
    are the units whose money went back, `quantity_returning` those on their way back: the guard
    against giving a unit back twice. `quantity_opened` are units of a bundle whose parts go back
    one by one: each of them is a line of the kind "part", whose total is its share of what was paid
    for these units, and counts in no sum of the sale. `off_minor` is what offers took off its units
    at `unit_minor`; membership knows which. Nobody under `least_age` years was to get it.
    `cost_minor` is what the goods cost the shop by what was known when they were sold, booked
    after the sale (`costing`); NULL is not known."""

    __tablename__ = "sale_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("kind IN ('goods', 'shipping', 'deposit', 'part')", name="kind"),
        CheckConstraint(
            "(kind IN ('deposit', 'part')) = (of_position IS NOT NULL)", name="of_position"
        ),
        CheckConstraint("quantity_refunded BETWEEN 0 AND quantity", name="quantity_refunded"),
        CheckConstraint(
            "quantity_returning >= 0 AND quantity_opened >= 0 AND "
            "quantity_refunded + quantity_returning + quantity_opened <= quantity",
            name="quantity_returning",
        ),
        CheckConstraint("quantity_opened = 0 OR kind = 'goods'", name="quantity_opened"),
        CheckConstraint("off_minor BETWEEN 0 AND unit_minor * quantity", name="off"),
        CheckConstraint("least_age BETWEEN 0 AND 99", name="least_age"),
    )

    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), index=True)
    names: Mapped[dict[str, str]] = mapped_column(JSON)
    quantity: Mapped[int] = mapped_column(BigId)
    unit_minor: Mapped[int] = mapped_column(BigId)
    total_minor: Mapped[int] = mapped_column(BigId)
    tax_minor: Mapped[int] = mapped_column(BigId)
    tax_rate_bp: Mapped[int] = mapped_column(BigId)
    label_id: Mapped[str | None] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(8), server_default="goods")
    of_position: Mapped[int | None] = mapped_column()
    quantity_refunded: Mapped[int] = mapped_column(BigId, server_default="0")
    quantity_returning: Mapped[int] = mapped_column(BigId, server_default="0")
    quantity_opened: Mapped[int] = mapped_column(BigId, server_default="0")
    off_minor: Mapped[int] = mapped_column(BigId, server_default="0")
    least_age: Mapped[int] = mapped_column(default=0, server_default="0")
    cost_minor: Mapped[int | None] = mapped_column(BigId)


class Refund(Base):
    """Money given back for a sale, or for some units of it. Where other means than the account had
    paid, `account_minor` of it went to the account. In cash the rest was given, and
    `rounding_minor`. `limit_minor` is the limit above which a second person had to approve it then,
    if there was one. History: rows are only added."""

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("total_minor >= 0", name="total"),
        CheckConstraint("account_minor BETWEEN 0 AND total_minor", name="account"),
        CheckConstraint(
            "rounding_minor = 0 OR total_minor - account_minor + rounding_minor >= 0",
            name="rounding",
        ),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"), index=True)
    total_minor: Mapped[int] = mapped_column(BigId)
    tax_minor: Mapped[int] = mapped_column(BigId)
    account_minor: Mapped[int] = mapped_column(BigId, server_default="0")
    limit_minor: Mapped[int | None] = mapped_column(BigId)
    rounding_minor: Mapped[int] = mapped_column(BigId, server_default="0")
    reason: Mapped[str] = mapped_column(String(200), default="")
    made_by: Mapped[int] = mapped_column(ForeignKey("members.id"))
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)


class RefundLine(Base):
    """The units of one line of a sale that a refund is for, with exactly what was paid for them;
    `cost_minor` is the share of what the line cost the shop."""

    __tablename__ = "refund_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    refund_id: Mapped[str] = mapped_column(ForeignKey("refunds.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), index=True)
    quantity: Mapped[int] = mapped_column(BigId)
    total_minor: Mapped[int] = mapped_column(BigId)
    tax_minor: Mapped[int] = mapped_column(BigId)
    cost_minor: Mapped[int | None] = mapped_column(BigId)


class Empties(Base):
    """Empties that came back at a location, and the deposit that was paid for them: to a member's
    account, in cash, or off the sale at hand (`sale_id`). In cash the total and `rounding_minor`
    were given, or came off. `key` is unique per member of the staff. History: rows are only
    added."""

    __tablename__ = "empties"
    __table_args__ = (
        UniqueConstraint("made_by", "key"),
        CheckConstraint("total_minor > 0", name="total"),
        CheckConstraint("means IN ('account', 'cash', 'card')", name="means"),
        CheckConstraint("member_id IS NOT NULL OR means <> 'account'", name="whose_account"),
        CheckConstraint("sale_id IS NOT NULL OR means <> 'card'", name="card_of_sale"),
        CheckConstraint(
            "rounding_minor = 0 OR (means = 'cash' AND total_minor + rounding_minor >= 0)",
            name="rounding",
        ),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    means: Mapped[str] = mapped_column(String(16))
    sale_id: Mapped[str | None] = mapped_column(ForeignKey("sales.id"), index=True)
    currency: Mapped[str] = mapped_column(String(3))
    total_minor: Mapped[int] = mapped_column(BigId)
    rounding_minor: Mapped[int] = mapped_column(BigId, server_default="0")
    made_by: Mapped[int] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)


class EmptyLine(Base):
    """So many empties of one kind of deposit."""

    __tablename__ = "empty_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    empties_id: Mapped[str] = mapped_column(ForeignKey("empties.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    quantity: Mapped[int] = mapped_column(BigId)
    total_minor: Mapped[int] = mapped_column(BigId)


class Basket(Base):
    """What was scanned at one location and not yet paid. A guest's is known by `secret`, which the
    browser's cookie holds; `key` is the purchase key of the basket as it is shown, made anew with
    every change. `code` lets one more browser join a guest's basket, until a moment."""

    __tablename__ = "baskets"
    __table_args__ = (
        UniqueConstraint("member_id", "location_id"),
        UniqueConstraint("secret", "location_id"),
        CheckConstraint("(code IS NULL) = (code_ends_at IS NULL)", name="code"),
        Index("uq_baskets_code", "code", unique=True),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    secret: Mapped[str | None] = mapped_column(String(43))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    key: Mapped[str] = mapped_column(String(64))
    updated_at: Mapped[datetime] = mapped_column(Moment, index=True)
    code: Mapped[str | None] = mapped_column(String(8))
    code_ends_at: Mapped[datetime | None] = mapped_column(Moment)
    coupon: Mapped[str] = mapped_column(String(32), server_default="")
    with_points: Mapped[int] = mapped_column(BigId, server_default="0")


class BasketLine(Base):
    __tablename__ = "basket_lines"
    __table_args__ = (
        UniqueConstraint("basket_id", "item_id"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    basket_id: Mapped[str] = mapped_column(ForeignKey("baskets.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    quantity: Mapped[int] = mapped_column(BigId)
    seen_minor: Mapped[int] = mapped_column(BigId)
    label_id: Mapped[str | None] = mapped_column(String(16))
