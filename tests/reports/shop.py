"""A shop whose sales were made at chosen moments: rows written as the till would write them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, update

from store import ids, outbox
from store.catalogue.models import Category, Item
from store.db import transaction
from store.identity.models import Member
from store.payment.models import Account, Transfer
from store.reports.calendar import day_number
from store.sales.models import Refund, RefundLine, Sale, SaleLine
from store.sales.refunds.refunds import share
from store.stock.models import Location

ITEMS, SHOPPERS, PLACES, CURRENCIES = 12, 7, 3, ("CNY", "JPY")


@dataclass(frozen=True)
class Sold:
    """A sale, or a refund of one, as a test reckons with it."""

    id: str
    at: datetime
    location_id: int
    channel: str
    currency: str
    member_id: int
    lines: tuple[tuple[int, int, int, int], ...]
    """(item, quantity, total, tax) of each line."""
    refund: bool = False
    means: str = "account"
    of_sale: str = ""
    """The sale that a refund is of."""
    of: Sold | None = None
    """The sale of a refund."""
    places: tuple[int, ...] = ()
    """Which of the sale's lines a refund's are, from 1."""


@dataclass
class Shop:
    """Writes sales and refunds, each with its transfer and its event, and remembers them."""

    sold: list[Sold] = field(default_factory=list)
    positions: dict[str, list[int]] = field(default_factory=dict)
    """Which lines of its sale each refund is of."""

    def open(self) -> None:
        """Places, goods and people; item 1 is of no category, the others of one of three."""
        now = datetime(2020, 1, 1, tzinfo=UTC)
        with transaction() as session:
            add = session.execute
            add(insert(Location), [
                {"id": at, "code": f"L{at}", "name": f"Shop {at}", "created_at": now}
                for at in range(1, PLACES + 1)
            ])  # fmt: skip
            add(insert(Category), [
                {"id": at, "code": f"c{at}", "names": {"en": f"Category {at}"}} for at in (1, 2, 3)
            ])  # fmt: skip
            add(insert(Item), [
                {"id": at, "code": f"ITEM{at}", "names": {"en": f"Thing {at}"}, "tax_rate_bp": 1300,
                 "category_id": 1 + at % 3 if at > 1 else None, "descriptions": {},
                 "brand": brand_of(at) or "",
                 "created_at": now, "updated_at": now}
                for at in range(1, ITEMS + 1)
            ])  # fmt: skip
            add(insert(Member), [
                {"id": at, "name": f"Shopper {at}", "created_at": now}
                for at in range(1, SHOPPERS + 1)
            ])  # fmt: skip
            add(insert(Account), [
                {"code": f"{name}-{currency}", "currency": currency}
                for currency in CURRENCIES for name in ("a", "b")
            ])  # fmt: skip

    def sell(
        self,
        at: datetime,
        *lines: tuple[int, int, int],
        location_id: int = 1,
        channel: str = "shelf",
        currency: str = "CNY",
        member_id: int = 1,
        means: str = "account",
    ) -> Sold:
        """A paid sale of (item, quantity, total) lines; at a till the member with the number of
        the place sold it."""
        taxed = tuple((item, many, total, total * 13 // 113) for item, many, total in lines)
        sale = Sold(ids.new(), at, location_id, channel, currency, member_id, taxed, means=means)
        total, tax = sum(line[2] for line in taxed), sum(line[3] for line in taxed)
        with transaction() as session:
            session.execute(insert(Sale), [{
                "id": sale.id, "member_id": member_id, "key": sale.id, "contents": "",
                "location_id": location_id, "channel": channel, "currency": currency,
                "means": means, "total_minor": total, "tax_minor": tax, "created_at": at,
                "sold_by": location_id if channel == "till" else None,
            }])  # fmt: skip
            session.execute(insert(SaleLine), [
                {"sale_id": sale.id, "position": position, "item_id": item, "quantity": quantity,
                 "names": {"en": f"Thing {item}"}, "unit_minor": 1, "total_minor": amount,
                 "tax_minor": tax, "tax_rate_bp": 1300}
                for position, (item, quantity, amount, tax) in enumerate(taxed, 1)
            ])  # fmt: skip
            self._move(session, "charge", sale.id, total, currency, at)
            outbox.put("sale.paid", sale.id)
        self.sold.append(sale)
        return sale

    def give_back(self, sale: Sold, at: datetime, *units: int) -> None:
        """Give back all of a sale, or so many units of each of its lines (none was before)."""
        refund = ids.new()
        given = [
            (position, item, many, share(total, whole, 0, many), share(tax, whole, 0, many))
            for position, ((item, whole, total, tax), many) in enumerate(
                zip(sale.lines, units or [line[1] for line in sale.lines], strict=True), 1
            )
            if many
        ]
        total, tax = sum(line[3] for line in given), sum(line[4] for line in given)
        with transaction() as session:
            session.execute(insert(Refund), [{
                "id": refund, "sale_id": sale.id, "total_minor": total, "tax_minor": tax,
                "made_by": 1, "created_at": at,
            }])  # fmt: skip
            names = ("position", "item_id", "quantity", "total_minor", "tax_minor")
            session.execute(
                insert(RefundLine),
                [{"refund_id": refund, **dict(zip(names, line, strict=True))} for line in given],
            )
            for position, _, many, *_ in given:
                line = (SaleLine.sale_id == sale.id, SaleLine.position == position)
                session.execute(update(SaleLine).where(*line).values(quantity_refunded=many))
            rest = sum(line[1] for line in sale.lines) - sum(line[2] for line in given)
            state = "part_refunded" if rest else "refunded"
            session.execute(update(Sale).where(Sale.id == sale.id).values(state=state))
            self._move(session, "refund", sale.id, total, sale.currency, at)
            outbox.put("sale.refunded", refund)
        self.positions[refund] = [line[0] for line in given]
        self.sold.append(
            Sold(refund, at, sale.location_id, sale.channel, sale.currency, sale.member_id,
                 tuple(line[1:] for line in given), refund=True, means=sale.means,
                 of_sale=sale.id, of=sale, places=tuple(line[0] for line in given))
        )  # fmt: skip

    def sold_at(self, one: Sold) -> datetime:
        """When it was sold, also of what came back later."""
        return next(each.at for each in self.sold if each.id == (one.of_sale or one.id))

    def trade(self, chance: random.Random, first: datetime, last: datetime, many: int) -> None:
        """Sales at random moments, one in five of them given back later, all of it or a part."""
        for _ in range(many):
            at = first + (last - first) * chance.random()
            at = at.replace(microsecond=chance.choice((0, 999_999, chance.randrange(10**6))))
            goods = chance.choices(range(1, ITEMS + 1), k=chance.choice((1, 1, 2, 4)))
            sale = self.sell(
                at,
                *((item, chance.randrange(1, 4), chance.randrange(0, 9999)) for item in goods),
                location_id=chance.randrange(1, PLACES + 1),
                channel=chance.choice(("shelf", "web", "till")),
                currency=chance.choice(("CNY", "CNY", "CNY", "JPY")),
                member_id=chance.randrange(1, SHOPPERS + 1),
                means=chance.choice(("account", "cash", "card")),
            )
            if chance.random() < 0.2:
                later = at + timedelta(days=chance.choice((0, 1, 40)), seconds=1)
                units = [chance.randrange(line[1] + 1) for line in sale.lines]
                if chance.random() < 0.5 or not any(units):
                    units = []
                self.give_back(sale, min(later, last), *units)

    @staticmethod
    def _move(session: Any, reason: str, sale_id: str, total: int, currency: str, at: Any) -> None:
        if not total:
            return  # The ledger has no transfers of nothing.
        debit = 1 + 2 * CURRENCIES.index(currency)
        session.execute(insert(Transfer), [{
            "debit_id": debit, "credit_id": debit + 1, "amount_minor": total, "reason": reason,
            "currency": currency, "sale_id": sale_id, "at": at,
        }])  # fmt: skip


def brand_of(item: int) -> str | None:
    """Items 1 to 3 are of no brand."""
    return f"Brand {item % 2}" if item > 3 else None


def measures(sold: list[Sold], items: set[int] | None = None) -> dict[Any, int]:
    """The figures of these sales and refunds, reckoned the slow way; nobody said what they cost."""
    totals = dict.fromkeys(
        ("sales", "refunds", "quantity", "total_minor", "tax_minor", "refunded_minor",
         "goods_minor", "costed_minor", "cost_minor"), 0
    )  # fmt: skip
    for sale in sold:
        lines = [line for line in sale.lines if items is None or line[0] in items]
        many = 1 if items is None else len({line[0] for line in lines})
        sign = -1 if sale.refund else 1
        totals["refunds" if sale.refund else "sales"] += many
        totals["quantity"] += sign * sum(line[1] for line in lines)
        totals["total_minor"] += sign * sum(line[2] for line in lines)
        totals["tax_minor"] += sign * sum(line[3] for line in lines)
        totals["goods_minor"] += sign * sum(line[2] - line[3] for line in lines)
        totals["refunded_minor"] += sum(line[2] for line in lines) if sale.refund else 0
    return totals


def local(at: datetime, zone: str) -> tuple[int, int]:
    """The day and the hour of a moment in a zone."""
    there = at.astimezone(ZoneInfo(zone))
    return day_number(there.date()), there.hour
