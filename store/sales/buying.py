"""What a buy asks for, what it is answered, and what it may be asked back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ..errors import Invalid, Refusal

MOST_LINES = 200
MOST_PIECES = 9_999


class PriceRose(Refusal):
    """An item costs more than the page said; the shopper is asked. `data`: rises, a list of item,
    seen_minor, price_minor; currency. Where an offer is over, one rise `of` "total" compares what
    all of it costs."""

    code = "price_rose"
    status = 409
    title = "The price has changed"


class BoughtJustNow(Refusal):
    """The same was bought a moment ago under another key. `data`: sale, seconds."""

    code = "bought_just_now"
    status = 409
    title = "You bought this a moment ago"


class ConfirmFirst(Refusal):
    """More than one tap may spend. `data`: total_minor, currency."""

    code = "confirm_first"
    status = 409
    title = "Please confirm this amount"


class AccountSuffices(Refusal):
    """The part that the account was to pay is all of it by now. `data`: account_minor,
    total_minor."""

    code = "account_suffices"
    status = 409
    title = "The account holds enough for all of this now"


@dataclass(frozen=True)
class Line:
    """So many of an item. `seen_minor` is what one costs as the shopper was shown it, if they were:
    with its deposit, or `without_deposit`."""

    item_id: int
    quantity: int
    seen_minor: int | None = None
    label_id: str | None = None
    without_deposit: bool = False


@dataclass(frozen=True)
class Wishes:
    """What a page asks of a buy beside the goods; None switches a question off (tills, the API)."""

    confirm_over_minor: int | None = None
    ask_again_within_s: int | None = None


@dataclass(frozen=True)
class Buy:
    """One buy as it was asked for. `key` is the purchase key, unique per member; what staff sell
    has keys that are unique per seller, in whose name it ever is, or in nobody's."""

    member_id: int | None
    location_id: int
    currency: str
    lines: tuple[Line, ...]
    key: str
    channel: str = "shelf"
    sold_by: int | None = None
    wishes: Wishes = Wishes()
    means: str = "account"
    attempt_id: str | None = None
    is_confirmed: bool = False
    """The member's PIN was given: no limit of the account holds."""
    account_minor: int = 0
    """Where a gateway brings the money: so much of it is the account's."""
    coupon: str = ""
    guest_id: int | None = None
    """The device of somebody who buys without an account."""
    points: int = 0
    """At most so many of the member's points are spent on it."""
    seen_total_minor: int | None = None
    """What all of it costs as the page said, where offers made that less than its prices."""
    age_checked: int = 0
    """Who sells it has seen that whoever takes it along is so old."""

    @property
    def sold_at(self) -> int:
        """The location whose sale it is, and whose prices count."""
        return self.location_id

    @property
    def whose(self) -> int | str:
        """Whose keys this one stands among: the member's, (below zero) the seller's, a guest's."""
        if self.guest_id is not None:
            return guest_key(self.guest_id)
        return -self.sold_by if self.sold_by is not None else self.member_id or 0

    @cached_property
    def contents(self) -> str:
        """A digest of what is bought where: the same key must come with the same contents."""
        goods = sorted((line.item_id, line.quantity) for line in self.lines)
        means = "" if self.means == "account" else f"|{self.means}"
        means += f"+{self.account_minor}" if self.account_minor else ""
        coupon = f"|coupon:{self.coupon}" if self.coupon else ""
        coupon += f"|points:{self.points}" if self.points else ""
        text = f"{self.location_id}|{self.currency}|{goods}{means}{coupon}"
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def said(self) -> tuple[str, int | None]:
        """What a key stands for: the contents, and in whose name."""
        return self.contents, self.member_id


def guest_key(guest_id: int) -> str:
    """What stands for a guest where members and sellers are numbers."""
    return f"guest:{guest_id}"


def from_account(means: str, account_minor: int, total_minor: int) -> int:
    """What of a total leaves the member's account. Raises AccountSuffices."""
    if means == "account":
        return total_minor
    if account_minor and account_minor >= total_minor:
        raise AccountSuffices(account_minor=account_minor, total_minor=total_minor)
    return account_minor


@dataclass(frozen=True)
class Bought:
    """The sale that stands. `repeated` says that it stood before: the key was seen again."""

    sale_id: str
    repeated: bool


def check_form(asked: Buy) -> None:
    """Raises Invalid for what no shop could sell."""
    check_lines(asked.lines, asked.key)
    if asked.member_id is not None:
        return
    if asked.means == "account" or (asked.sold_by is None and asked.guest_id is None):
        raise Invalid("Without a member a till is paid with cash or a card", field="member")


def check_lines(lines: Sequence[Line], key: str) -> None:
    """The bounds of every sale and every order. Raises Invalid."""
    if not 1 <= len(lines) <= MOST_LINES:
        raise Invalid(f"A sale has 1 to {MOST_LINES} lines", field="lines")
    if not 1 <= len(key) <= 64:
        raise Invalid("A purchase key has 1 to 64 characters", field="key")
    if not all(1 <= line.quantity <= MOST_PIECES for line in lines):
        raise Invalid(f"A quantity is 1 to {MOST_PIECES}", field="quantity")
