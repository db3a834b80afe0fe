"""The basket as it is shown: its lines at the prices of now, with what offers take off them."""

from __future__ import annotations

from dataclasses import dataclass, field

from ... import catalogue, membership, money
from ..buying import Line

__all__ = ["Contents", "Shown"]


@dataclass(frozen=True)
class Shown:
    """A line as the basket shows it now. `seen_minor` is what it cost when it was added."""

    id: int
    item_id: int
    item_code: str
    item_path: str
    names: dict[str, str]
    picture: str | None
    quantity: int
    seen_minor: int
    unit_minor: int | None
    tax_rate_bp: int
    on_hand: int
    label_id: str | None
    in_hand: bool = False
    """The place sells what the shopper holds, whatever the book says."""
    on_top: bool = False
    """Tax comes on top of the price."""
    deposits: tuple[tuple[catalogue.Deposit, int], ...] = ()
    """What one of them carries, with how many of each."""
    off: tuple[catalogue.Off, ...] = ()
    """What offers and a coupon take off all of them."""
    least_age: int = 0

    @property
    def deposit_minor(self) -> int:
        """The deposits on one of them."""
        return sum(one.amount_minor * many for one, many in self.deposits)

    @property
    def due_minor(self) -> int:
        """What one of them costs, tax and deposit and all."""
        return self.one_minor + self.deposit_minor

    @property
    def one_minor(self) -> int:
        """What one of them costs with its tax."""
        return money.taxed(self.unit_minor or 0, self.tax_rate_bp, self.on_top).total_minor

    @property
    def full_minor(self) -> int:
        """What their prices come to, as they stand on the shelf."""
        return (self.unit_minor or 0) * self.quantity

    @property
    def priced_minor(self) -> int:
        """The same, less what offers take off."""
        return self.full_minor - sum(each.amount_minor for each in self.off)

    @property
    def total_minor(self) -> int:
        return money.taxed(self.priced_minor, self.tax_rate_bp, self.on_top).total_minor

    @property
    def tax_minor(self) -> int:
        return money.taxed(self.priced_minor, self.tax_rate_bp, self.on_top).tax_minor

    @property
    def for_sale(self) -> bool:
        return self.unit_minor is not None

    @property
    def in_stock(self) -> bool:
        return self.in_hand or self.on_hand >= self.quantity


@dataclass(frozen=True)
class Contents:
    """A basket with its lines at the prices of now."""

    basket_id: str
    location_id: int
    key: str
    lines: list[Shown] = field(default_factory=list)
    coupon: str = ""
    coupon_refusal: membership.CouponRefused | None = None
    """Why the coupon that was put in takes nothing off now."""

    with_points: bool = False
    """The member's points are to be spent on it."""
    points_there: int = 0
    """What they may spend, where points can be spent."""
    worth_minor: int = 0
    """What of it they would take off this basket, or do."""

    @property
    def points(self) -> int:
        """How many points are spent on it."""
        return sum(each.points or 0 for line in self.lines for each in line.off)

    @property
    def holding_coupon(self) -> str:
        """The coupon, where it takes something off."""
        return "" if self.coupon_refusal is not None else self.coupon

    @property
    def off_minor(self) -> int:
        """What offers and a coupon take off all of it."""
        return sum(each.amount_minor for line in self.lines for each in line.off)

    @property
    def total_minor(self) -> int:
        return self.deposit_minor + sum(line.total_minor for line in self.lines)

    @property
    def deposit_minor(self) -> int:
        return sum(line.deposit_minor * line.quantity for line in self.lines)

    @property
    def tax_minor(self) -> int:
        goods = sum(line.tax_minor for line in self.lines)
        return goods + sum(
            money.included_tax(one.amount_minor * many * line.quantity, one.tax_rate_bp)
            for line in self.lines
            for one, many in line.deposits
        )

    @property
    def on_top_minor(self) -> int:
        """The tax that comes on top of the prices."""
        return sum(line.tax_minor for line in self.lines if line.on_top)

    @property
    def least_age(self) -> int:
        """From which age all of it is; 0 is everybody."""
        return max((line.least_age for line in self.lines), default=0)

    @property
    def pieces(self) -> int:
        return sum(line.quantity for line in self.lines)

    def wanted(self, seen: dict[int, int]) -> tuple[Line, ...]:
        """The lines of a buy; `seen` is what one of each costs on the page, by item."""
        return tuple(
            Line(
                line.item_id, line.quantity, seen.get(line.item_id, line.seen_minor), line.label_id
            )
            for line in self.lines
        )
