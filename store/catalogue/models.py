"""Tables of the catalogue: items, their categories, prices and pictures."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment


class Category(Base):
    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(120), unique=True)
    names: Mapped[dict[str, str]] = mapped_column(JSON)


class Item(Base):
    """What is sold. `names` and `descriptions` map a language ("en", "zh") to text; `code` is the
    short code that people type; `content` with `content_unit` (12.5 kg is 12500 of "g") gives the
    unit price; `search` is everything that a search looks at, in lower case. Of an item that
    `tracks_batches` the first to expire is sold first. `deposit_id` is the item of the books of the
    deposit that it carries. A variant of the group `group_id` has one of `option_values` (by
    language) for each of its options; `option_key` is what tells them apart. It is sold to nobody
    under `least_age` years; 0 is everybody."""

    __tablename__ = "items"
    __table_args__ = (
        CheckConstraint("tax_rate_bp >= 0 AND tax_rate_bp <= 10000", name="tax_rate"),
        CheckConstraint("content > 0", name="content"),
        CheckConstraint("least_age BETWEEN 0 AND 99", name="least_age"),
        CheckConstraint("(group_id IS NULL) = (option_key IS NULL)", name="variant"),
        UniqueConstraint("group_id", "option_key"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    gtin: Mapped[str | None] = mapped_column(String(14), unique=True)
    sku: Mapped[str | None] = mapped_column(String(64), unique=True)
    names: Mapped[dict[str, str]] = mapped_column(JSON)
    descriptions: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    brand: Mapped[str] = mapped_column(String(120), default="")
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"), index=True)
    size_text: Mapped[str] = mapped_column(String(60), default="")
    content: Mapped[int | None] = mapped_column(BigId)
    content_unit: Mapped[str | None] = mapped_column(String(4))
    tax_rate_bp: Mapped[int] = mapped_column(BigId)
    tracks_batches: Mapped[bool] = mapped_column(default=False)
    is_bundle: Mapped[bool] = mapped_column(default=False)
    least_age: Mapped[int] = mapped_column(default=0, server_default="0")
    deposit_id: Mapped[int | None] = mapped_column(ForeignKey("items.id"))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("item_groups.id"))
    option_values: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    option_key: Mapped[str | None] = mapped_column(String(200))
    picture: Mapped[str | None] = mapped_column(String(32))
    search: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    archived_at: Mapped[datetime | None] = mapped_column(Moment)


class ItemGroup(Base):
    """What the variants of an item have in common: `names` by language; `options` are the names,
    by language, of that in which they differ."""

    __tablename__ = "item_groups"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(120), unique=True)
    names: Mapped[dict[str, str]] = mapped_column(JSON)
    options: Mapped[list[dict[str, str]]] = mapped_column(JSON)


class BundlePart(Base):
    """So many of an item are in a bundle. Rows are added with the bundle and never changed."""

    __tablename__ = "bundle_parts"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("bundle_id <> item_id", name="two_items"),
    )

    bundle_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    quantity: Mapped[int] = mapped_column(BigId)


class DepositKind(Base):
    """What a bottle or a crate costs until it comes back. The amount never changes; its name and
    its tax rate are those of its item."""

    __tablename__ = "deposits"
    __table_args__ = (CheckConstraint("amount_minor > 0", name="amount"),)

    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    amount_minor: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))


class Price(Base):
    """A price, tax included, from a moment on; the newest that has started is in force. A price of
    a location wins over the one for all (`location_id` NULL). Prices are history: only added to."""

    __tablename__ = "prices"
    __table_args__ = (
        CheckConstraint("amount_minor >= 0", name="amount"),
        Index("ix_prices_item_id_starts_at", "item_id", "starts_at"),
        Index("ix_prices_item_id_location_id_starts_at", "item_id", "location_id", "starts_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    location_id: Mapped[int | None] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigId)
    starts_at: Mapped[datetime] = mapped_column(Moment)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))


class ItemCost(Base):
    """What one of an item costs the shop from a moment on, without the tax that it gets back, in
    hundredths of a minor unit; the newest that has begun counts. `why` says how it came to be, and
    `slip_id` by which delivery. History: only added to."""

    __tablename__ = "item_costs"
    __table_args__ = (
        CheckConstraint("hundredths > 0", name="hundredths"),
        CheckConstraint("why IN ('said', 'imported', 'delivered')", name="why"),
        Index("ix_item_costs_item_id_starts_at", "item_id", "starts_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    currency: Mapped[str] = mapped_column(String(3))
    hundredths: Mapped[int] = mapped_column(BigId)
    starts_at: Mapped[datetime] = mapped_column(Moment)
    why: Mapped[str] = mapped_column(String(10))
    slip_id: Mapped[int | None] = mapped_column(BigId)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))


class Seller(Base):
    """Somebody whose goods stand on our shelf: a brand's counter in a department store. `names` by
    language; what they sell is theirs from a moment on, and says so in `item_sellers`."""

    __tablename__ = "sellers"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    names: Mapped[dict[str, str]] = mapped_column(JSON)
    tax_number: Mapped[str] = mapped_column(String(40), default="")
    bank_name: Mapped[str] = mapped_column(String(120), default="")
    bank_holder: Mapped[str] = mapped_column(String(120), default="")
    bank_account: Mapped[str] = mapped_column(String(40), default="")
    contact: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    archived_at: Mapped[datetime | None] = mapped_column(Moment)


class ItemSeller(Base):
    """Whose an item is from a moment on: a seller's, or the house's own (`seller_id` NULL). The
    newest that has begun counts. History: only added to."""

    __tablename__ = "item_sellers"
    __table_args__ = (Index("ix_item_sellers_item_id_starts_at", "item_id", "starts_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    seller_id: Mapped[int | None] = mapped_column(ForeignKey("sellers.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(Moment)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))


class ReturnRule(Base):
    """For how many days after the sale an item, or the items of a category, are taken back (0 is
    never), whether opened ones are, and for how many months they have a guarantee. The newest
    counts. History: only added to."""

    __tablename__ = "return_rules"
    __table_args__ = (
        CheckConstraint("days >= 0", name="days"),
        CheckConstraint("opened IN (0, 1)", name="opened"),
        CheckConstraint("warranty_months >= 0", name="warranty"),
        CheckConstraint("(item_id IS NULL) <> (category_id IS NULL)", name="whose"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id"), index=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"), index=True)
    days: Mapped[int] = mapped_column(BigId)
    opened: Mapped[int] = mapped_column(BigId)
    warranty_months: Mapped[int] = mapped_column(BigId, default=0, server_default=text("0"))
    starts_at: Mapped[datetime] = mapped_column(Moment)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))


class MarkdownRule(Base):
    """From how many days before its last day an item, the items of a category, or everything that
    is tracked by batch costs so many percent less. The newest counts. History: only added to."""

    __tablename__ = "markdown_rules"
    __table_args__ = (
        CheckConstraint("days >= 0", name="days"),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
        CheckConstraint("item_id IS NULL OR category_id IS NULL", name="whose"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id"), index=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"), index=True)
    days: Mapped[int] = mapped_column(BigId)
    percent: Mapped[int] = mapped_column(BigId)
    starts_at: Mapped[datetime] = mapped_column(Moment)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))


class PriceMark(Base):
    """One row: a number that is another one after every change of the rules that change prices."""

    __tablename__ = "price_marks"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    mark: Mapped[int] = mapped_column(BigId)


class Picture(Base):
    """A picture at one width, re-encoded by us; `id` is a digest of what was uploaded. Pictures lie
    in the database so that a backup has them and any number of web machines can serve them."""

    __tablename__ = "pictures"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    width: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    bytes: Mapped[bytes] = mapped_column(LargeBinary)
