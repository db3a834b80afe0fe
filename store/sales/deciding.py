"""Deciding: what is true when buys are settled is read in a handful of statements, and each buy in
turn is decided on what the ones before it leave.

    the member's sales with these keys     key used with other contents: refused; same: same sale
    quotes, accounts, levels               refused: not for sale, price rose, sold out, no funds
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn

from .. import catalogue, clock, ids, money, payment, stock
from ..errors import Invalid, Refusal
from .ages import ages
from .buying import Bought, BoughtJustNow, Buy, ConfirmFirst, Line, PriceRose, from_account
from .earlier import Known, Recent, earlier_sales
from .goods import (
    Deposited,
    Parts,
    counted,
    deposited,
    due_minor,
    for_sale,
    in_hand,
    parts_of,
    tracked,
)
from .limits import Guard
from .offers import Offers, refuse_dearer
from .till.marked import (
    Marked,
    marked_at,
    reduced,
    taken,
)

Outcome = Bought | BaseException


@dataclass
class Accepted:
    sale_id: str
    asked: Buy
    quotes: list[catalogue.Quote]
    amounts: list[money.Taxed]
    """What each line comes to, and the tax in it."""
    total_minor: int
    tax_minor: int
    found: dict[tuple[int, int], int]
    deposits: list[Deposited]


@dataclass
class Till:
    """What is true when these buys are decided, and what the accepted ones leave of it."""

    at: datetime
    known: Known
    recent: list[Recent]
    quotes: dict[tuple[int, int, str], catalogue.Quote]
    accounts: dict[str, payment.Accounts]
    balances: dict[tuple[int, str], int]
    levels: dict[tuple[int, int], int]
    parts: Parts
    marked: dict[tuple[int, int], Marked]
    stood: Sequence[catalogue.Quote] = ()
    """Prices that stood before, line by line; offers are in them."""
    offers: Offers = field(default_factory=Offers)
    limits: Guard = field(default_factory=Guard)
    accepted: list[Accepted] = field(default_factory=list)

    @classmethod
    def read(
        cls,
        buys: Sequence[Buy],
        stood: Sequence[catalogue.Quote] = (),
        parts: Parts | None = None,
    ) -> Till:
        at = clock.now()
        members = sorted({asked.member_id for asked in buys if asked.member_id is not None})
        places = {(line.item_id, asked.location_id) for asked in buys for line in asked.lines}
        known, recent = earlier_sales(buys, members, at)
        accounts = {
            currency: payment.accounts(members, currency)
            for currency in sorted({asked.currency for asked in buys})
        }
        quotes = _quotes(buys)
        for quote in stood:
            quotes[quote.item_id, buys[0].location_id, buys[0].currency] = quote
        parts = parts_of(quotes.values()) if parts is None else parts
        return cls(
            at=at,
            known=known,
            recent=recent,
            quotes=quotes,
            accounts=accounts,
            balances={
                (member, currency): found.balance_of(member)
                for currency, found in accounts.items()
                for member in members
            },
            levels=for_sale(places, quotes.values(), parts),
            parts=parts,
            stood=stood,
            offers=Offers() if stood else Offers.read(buys, quotes.values()),
            limits=Guard.read(accounts) if _from_accounts(buys) else Guard(),
            # Prices that stood before stand as they are.
            marked={}
            if stood
            else marked_at([place for place in places if place[0] in tracked(quotes.values())]),
        )

    def decide(self, asked: Buy) -> Outcome:
        earlier = self.known.get((asked.whose, asked.key))
        if earlier is not None:
            sale_id, contents = earlier
            if contents != asked.said:
                return payment.KeyReused("The purchase key was used for other goods")
            return Bought(sale_id, repeated=True)
        try:
            accepted = self.accept(asked)
        except Refusal as refusal:
            return refusal
        self.accepted.append(accepted)
        self.known[asked.whose, asked.key] = (accepted.sale_id, asked.said)
        self.recent.append((asked.whose, asked.contents, accepted.sale_id, self.at))
        return Bought(accepted.sale_id, repeated=False)

    def accept(self, asked: Buy) -> Accepted:
        quotes = [*self.stood] or [self._quote(asked, line) for line in asked.lines]
        if self.marked:
            wanted = self._wanted(asked)
            quotes = [reduced(each, asked.location_id, wanted, self.marked) for each in quotes]
        refuse_rises(asked.lines, quotes, self.parts, asked.currency)
        if not self.stood:
            many = [line.quantity for line in asked.lines]
            quotes = self.offers.price(asked, quotes, many, self.at)
        if asked.sold_by is not None and not self.stood:
            ages.refuse(quotes, self.parts, asked.age_checked)
        wanted, found = self._refuse_shortage(asked, quotes)
        lines = [(q, line.quantity) for q, line in zip(quotes, asked.lines)]
        deposits = deposited(lines, self.parts, asked.currency)
        amounts = [quote.taxed(many) for quote, many in lines]
        total = sum(each.total_minor for each in amounts)
        total += sum(each.total_minor for each in deposits)
        if total > money.LARGEST_MINOR:
            raise Invalid("The total is larger than any sale", field="quantity")
        refuse_dearer(asked.seen_total_minor, total, asked.currency, quotes)
        self._ask(asked, total)
        if part := from_account(asked.means, asked.account_minor, total):
            self._spend((asked.member_id or 0, asked.currency), part, asked.is_confirmed)
        taken(self.marked, wanted.items())
        self.offers.taken(asked, quotes)
        for place, quantity in wanted.items():
            self.levels[place] = self.levels.get(place, 0) + found.get(place, 0) - quantity
        tax = sum(each.tax_minor for each in amounts)
        tax += sum(each.tax_minor for each in deposits)
        return Accepted(ids.new(), asked, quotes, amounts, total, tax, found, deposits)

    def _spend(self, owner: tuple[int, str], total: int, is_confirmed: bool) -> None:
        if self.balances[owner] < total:
            raise payment.InsufficientFunds(
                balance_minor=self.balances[owner], needed_minor=total, currency=owner[1]
            )
        if not is_confirmed:
            self.limits.refuse(owner, total)
        self.limits.spend(owner, total)
        self.balances[owner] -= total

    def _quote(self, asked: Buy, line: Line) -> catalogue.Quote:
        found = self.quotes.get((line.item_id, asked.location_id, asked.currency))
        if found is None:
            raise catalogue.ItemNotForSale("This item is not for sale here")
        return found

    def _refuse_shortage(
        self, asked: Buy, quotes: list[catalogue.Quote]
    ) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]:
        """What is wanted of each place, two lines of one item counted together; and what of it the
        book does not have, where the shopper holds it and the place sells all the same."""
        found: dict[tuple[int, int], int] = {}
        wanted = self._wanted(asked)
        for quote in quotes:
            for item, each in counted(quote.item_id, 1, self.parts):
                place = (item, asked.location_id)
                missing = wanted[place] - self.levels.get(place, 0)
                if missing <= 0:
                    continue
                if not in_hand(asked.channel, asked.location_id, quote, missing):
                    self._out_of_stock(quote, wanted[place], wanted[place] - missing, each)
                found[place] = missing
        return wanted, found

    def _wanted(self, asked: Buy) -> dict[tuple[int, int], int]:
        wanted: dict[tuple[int, int], int] = {}
        for line in asked.lines:
            for item, many in counted(line.item_id, line.quantity, self.parts):
                place = (item, asked.location_id)
                wanted[place] = wanted.get(place, 0) + many
        return wanted

    def _out_of_stock(self, quote: catalogue.Quote, wanted: int, left: int, each: int) -> NoReturn:
        """`each` is how many of what is short are in one of the item."""
        left, asked = left // each, -(-wanted // each)
        raise stock.OutOfStock(
            f"{left} of {quote.code} left here, {asked} asked for",
            item=quote.code, left=left, asked=asked,
        )  # fmt: skip

    def _ask(self, asked: Buy, total: int) -> None:
        """Questions that a page wants asked: the same again so soon, so much at one tap?"""
        wishes = asked.wishes
        if wishes.ask_again_within_s is not None:
            since = self.at - timedelta(seconds=wishes.ask_again_within_s)
            for member, contents, sale_id, at in self.recent:
                if (member, contents) == (asked.whose, asked.contents) and at > since:
                    seconds = int((self.at - at).total_seconds())
                    raise BoughtJustNow(sale=sale_id, seconds=seconds)
        if wishes.confirm_over_minor is not None and total > wishes.confirm_over_minor:
            raise ConfirmFirst(total_minor=total, currency=asked.currency)


def _from_accounts(buys: Sequence[Buy]) -> bool:
    return any(
        (asked.means == "account" or asked.account_minor) and not asked.is_confirmed
        for asked in buys
    )


def refuse_rises(
    lines: Sequence[Line], quotes: Sequence[catalogue.Quote], parts: Parts, currency: str
) -> None:
    """A drop is passed on silently; a rise asks."""
    rises = []
    for quote, line in zip(quotes, lines):
        if line.seen_minor is None:
            continue
        now = quote.amount_minor
        if not line.without_deposit:
            now = due_minor(quote, parts, currency)
        if now > line.seen_minor:
            rises.append({"item": quote.code, "seen_minor": line.seen_minor, "price_minor": now})
    if rises:
        raise PriceRose(rises=rises, currency=currency)


def _quotes(buys: Sequence[Buy]) -> dict[tuple[int, int, str], catalogue.Quote]:
    wanted: dict[tuple[int, str], set[int]] = {}
    for asked in buys:
        items = wanted.setdefault((asked.location_id, asked.currency), set())
        items.update(line.item_id for line in asked.lines)
    return {
        (item, location, currency): quote
        for (location, currency), items in sorted(wanted.items())
        for item, quote in catalogue.quotes(sorted(items), location, currency).items()
    }
