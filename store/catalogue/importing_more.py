"""What a row says beyond the item itself: group and options, deposit, parts of a bundle, seller.

Rows without any of it, which is almost all of them, cost no statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, insert, or_, select

from . import owners
from .bulk import among
from .costs import costs_of
from .deposit_kinds import add_deposit
from .drafts import Draft
from .groups import known_as, option_key
from .items import category_code
from .models import BundlePart, DepositKind, Item, ItemGroup

__all__ = ["More", "new_costs"]

Fault = tuple[str, str] | None


@dataclass
class More:
    """Groups, deposits and parts that these rows name, as far as they are there."""

    groups: dict[str, Any] = field(default_factory=dict)
    variants: dict[tuple[int, str], int] = field(default_factory=dict)
    deposits: dict[int, int] = field(default_factory=dict)
    singles: dict[str, int] = field(default_factory=dict)
    contents: dict[int, dict[int, int]] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    sellers: dict[str, int] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)
    writes: bool = True

    @classmethod
    def read(
        cls, conn: Connection, drafts: Sequence[Draft], currency: str, *, writes: bool = True,
        before: More | None = None,
    ) -> More:  # fmt: skip
        """Groups and deposits that are new are made, or, unless it `writes`, stand in as if they
        had been: then `before` is what the rows before these would have brought."""
        more = cls(writes=writes)
        if before is not None:
            more.named, more.made = before.named, before.made
            more.variants = before.variants
        if any(draft.group for draft in drafts):
            more._read_groups(conn, drafts)
        if any(draft.deposit_minor for draft in drafts):
            more._read_deposits(conn, drafts, currency)
        if any(draft.parts for draft in drafts):
            more._read_parts(conn, drafts)
        if any(draft.seller for draft in drafts):
            if writes:
                owners.take_turn()
            more.sellers = {one.code: one.id for one in owners.sellers()}
        return more

    def fault(self, draft: Draft, item: Any) -> Fault:
        """What of it cannot be taken. What can is kept as taken by this row."""
        fault = self._fault_of_group(draft, item) or self._fault_of_parts(draft, item)
        fault = fault or self._fault_of_seller(draft, item)
        if fault is None and not draft.parts:
            # A part may be a row of the same file, before its bundle.
            self.named |= {each for each in (draft.short_code, draft.gtin, draft.sku) if each}
        return fault

    def fields(self, draft: Draft, item: Any = None) -> dict[str, Any]:
        """The columns of the item that the row speaks of."""
        said: dict[str, Any] = {}
        if draft.group:
            group = self.groups[category_code(draft.group)]
            values = _values(draft)
            said |= {"group_id": group.id, "option_values": values}
            said["option_key"] = option_key(values)
        if draft.deposit_minor:
            said["deposit_id"] = self._deposit(draft.deposit_minor, item)
        return said

    def moves(self, rows: Sequence[tuple[int, Draft]]) -> dict[int, int]:
        """The items that become another seller's by their rows, with that seller."""
        said = {item_id: self.sellers[draft.seller] for item_id, draft in rows if draft.seller}
        known = owners.owners_of(said) if said else {}
        return {item: seller for item, seller in said.items() if known.get(item) != seller}

    def put_owners(self, conn: Connection, rows: Sequence[tuple[int, Draft]]) -> None:
        """Whose these items are from now on, where their rows say so."""
        moved = self.moves(rows)
        if moved:
            owners.put_owners(list(moved.items()))

    def put_parts(self, conn: Connection, added: Iterable[tuple[int, Draft]]) -> None:
        """What is in the bundles that were added."""
        bundles = [(item_id, draft) for item_id, draft in added if draft.parts]
        if not bundles:
            return
        codes = {code for _, draft in bundles for _, code in draft.parts}
        self._find_singles(conn, codes)
        rows = [
            {"bundle_id": item_id, "item_id": part, "quantity": many}
            for item_id, draft in bundles
            for part, many in self._parts(draft).items()
        ]
        conn.execute(insert(BundlePart), rows)

    def _read_groups(self, conn: Connection, drafts: Sequence[Draft]) -> None:
        wanted = {category_code(draft.group): draft for draft in reversed(drafts) if draft.group}
        query = select(ItemGroup).where(among(conn, ItemGroup.code, list(wanted)))
        known = {row.code for row in conn.execute(query)}
        new = [
            {"code": code, "names": draft.group, "options": _names(draft)}
            for code, draft in wanted.items()
            if code not in known and draft.options
        ]
        if new and self.writes:
            conn.execute(insert(ItemGroup), new)
        self.groups = {row.code: row for row in conn.execute(query)}
        ids = [row.id for row in self.groups.values()]
        items = select(Item.group_id, Item.option_key, Item.id).where(Item.group_id.in_(ids))
        self.variants |= {(row[0] or 0, row[1] or ""): row[2] for row in conn.execute(items)}
        if not self.writes:
            for row in new:
                stand_in = SimpleNamespace(id=-1 - len(self.made), **row)
                self.made.setdefault(str(row["code"]), stand_in)
            self.groups = self.made | self.groups

    def _fault_of_group(self, draft: Draft, item: Any) -> Fault:
        if not draft.group:
            return ("options", "options of no group") if draft.options else None
        group = self.groups.get(category_code(draft.group))
        if group is None or not draft.options:
            return "options", "missing options"
        if any(len(pairs) != len(group.options) for pairs in draft.options.values()):
            return "options", f"the group has {len(group.options)} options"
        key = group.id, option_key(_values(draft))
        owner = item.id if item is not None else -draft.number
        if self.variants.setdefault(key, owner) != owner:
            return "options", "the group has a variant with these values"
        return None

    def _read_deposits(self, conn: Connection, drafts: Sequence[Draft], currency: str) -> None:
        query = select(DepositKind.amount_minor, DepositKind.item_id).where(
            DepositKind.currency == currency
        )
        for amount, item_id in conn.execute(query.order_by(DepositKind.item_id.desc())):
            self.deposits[amount] = item_id
        for amount in sorted({draft.deposit_minor or 0 for draft in drafts} - {0}):
            if amount not in self.deposits and not self.writes:
                self.deposits[amount] = -1
            elif amount not in self.deposits:
                names = {"en": "Deposit", "zh": "押金"}
                self.deposits[amount] = add_deposit(names, amount, currency).item_id

    def _deposit(self, amount: int, item: Any) -> int:
        """The kind of this amount; of two the one that the item has."""
        kept = None if item is None else item.deposit_id
        return self.deposits[amount] if kept is None or item.deposit_minor != amount else kept

    def _read_parts(self, conn: Connection, drafts: Sequence[Draft]) -> None:
        self._find_singles(conn, {code for draft in drafts for _, code in draft.parts})
        parts = select(BundlePart.bundle_id, BundlePart.item_id, BundlePart.quantity)
        for row in conn.execute(parts):
            self.contents.setdefault(row[0], {})[row[1]] = row[2]

    def _find_singles(self, conn: Connection, codes: set[str]) -> None:
        wanted = list(codes)
        either = [among(conn, column, wanted) for column in (Item.code, Item.gtin, Item.sku)]
        query = select(Item.id, Item.code, Item.gtin, Item.sku).where(
            or_(*either), Item.is_bundle.is_(False), Item.archived_at.is_(None)
        )
        for row in conn.execute(query):
            for code in (row.sku, row.gtin, row.code):
                if code in codes:
                    self.singles[code] = row.id

    def _fault_of_parts(self, draft: Draft, item: Any) -> Fault:
        if not draft.parts:
            return None
        unknown = [
            code for _, code in draft.parts if code not in self.singles and code not in self.named
        ]
        if unknown:
            return "parts", f"no single item has the code {unknown[0][:40]}"
        if item is not None and self.contents.get(item.id) != self._parts(draft):
            return "parts", "what is in a bundle stays as it is"
        return None

    def _fault_of_seller(self, draft: Draft, item: Any) -> Fault:
        if not draft.seller:
            return None
        if draft.seller not in self.sellers:
            return "seller", f"no seller has the code {draft.seller}"
        if draft.parts or (item is not None and item.is_bundle):
            return "seller", "a bundle belongs to whom its parts belong to"
        return None

    def _parts(self, draft: Draft) -> dict[int, int]:
        found: dict[int, int] = {}
        for many, code in draft.parts:
            part = self.singles.get(code, 0)
            found[part] = found.get(part, 0) + many
        return found


def _names(draft: Draft) -> list[dict[str, str]]:
    return _by_language(draft, 0)


def _values(draft: Draft) -> list[dict[str, str]]:
    values = _by_language(draft, 1)
    return [value if known_as(value) else {} for value in values]


def _by_language(draft: Draft, which: int) -> list[dict[str, str]]:
    most = max(len(pairs) for pairs in draft.options.values())
    return [
        {
            language: pairs[at][which]
            for language, pairs in sorted(draft.options.items())
            if at < len(pairs)
        }
        for at in range(most)
    ]


def new_costs(rows: Sequence[tuple[int, Draft]], currency: str) -> dict[int, int]:
    """The items that cost the shop another amount by their rows, with that amount."""
    said = {item_id: draft.cost for item_id, draft in rows if draft.cost}
    known = costs_of(said, currency) if said else {}
    return {item_id: cost for item_id, cost in said.items() if known.get(item_id) != cost}
