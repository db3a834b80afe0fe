"""What items have in common: kinds of deposit that they carry, groups whose variants they are."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate
from sqlalchemy import select

from .. import catalogue, logbook, money
from ..catalogue import groups
from ..catalogue.figures import read_rate
from ..catalogue.models import Item, ItemGroup
from ..db import connection, in_transaction
from ..errors import NotFound
from ..payment import KeyReused
from . import items, keys
from .access import caller
from .answers import amount, answer, currency, following
from .reading import Exactly, Strict, line
from .resource import Resource
from .shapes import Money, Page, Texts, next_link

resource = Resource("kinds", "Kinds of deposit, and groups of variants.")

MOST_OPTIONS = 3


class ShownDeposit(Strict):
    code = fields.String(required=True)
    names = Texts(required=True)
    amount = fields.Nested(Money, required=True)
    tax_rate = fields.String(required=True, metadata={"description": "Percent, inside it."})


class Deposits(Strict):
    deposits = fields.List(fields.Nested(ShownDeposit), required=True)


class NewDeposit(Strict):
    names = Texts(required=True)
    amount = fields.String(
        required=True,
        validate=Exactly(r"^[0-9]{1,15}(\.[0-9]{1,4})?$", error="Not an amount like 0.25."),
    )
    tax_rate = fields.String(load_default="0", validate=line(10, 1))


class ShownGroup(Strict):
    group = fields.String(required=True, metadata={"description": "Its code."})
    names = Texts(required=True)
    options = fields.List(Texts(), required=True, metadata={"description": "Size, colour …"})


class Variant(Strict):
    item = fields.String(required=True, metadata={"description": "Its short code."})
    values = fields.List(Texts(), required=True, metadata={"description": "One for each option."})


class GroupWithVariants(ShownGroup):
    variants = fields.List(fields.Nested(Variant), required=True)


class Groups(Strict):
    groups = fields.List(fields.Nested(GroupWithVariants), required=True)
    next = next_link()


class NewGroup(Strict):
    names = Texts(required=True)
    options = fields.List(Texts(), required=True, validate=validate.Length(1, MOST_OPTIONS))


class NewVariant(Strict):
    item = fields.String(required=True, validate=validate.Length(1, 1000))
    values = fields.List(Texts(), required=True, validate=validate.Length(1, MOST_OPTIONS))


@resource.offers("GET", "/deposits", scopes=("items:read",), answers=Deposits())
def deposits() -> Response:
    """Every kind of deposit, the first one first."""
    return answer({"deposits": [_deposit(each) for each in catalogue.deposits(currency())]})


@resource.offers(
    "POST", "/deposits", scopes=("items:write",), body=NewDeposit(), answers=ShownDeposit(),
    refuses=(KeyReused,),
)  # fmt: skip
def add_deposit(body: dict[str, Any]) -> Response:
    """A new kind, in the shop's currency. None is ever changed: another amount is another kind."""

    def add() -> dict[str, Any]:
        minor = money.parse(body["amount"], currency(), field="amount")
        rate = read_rate(body["tax_rate"])
        return _deposit(catalogue.add_deposit(body["names"], minor, currency(), rate))

    made, replayed = keys.once(caller().member.id, "deposits", body, add)
    return answer(made, 201, replayed=replayed)


@resource.offers("GET", "/item-groups", scopes=("items:read",), query=Page(), answers=Groups())
def item_groups(query: dict[str, Any]) -> Response:
    """Groups with the variants that are for sale, in the order in which they were made."""
    limit, after = query["limit"], int(query.get("cursor", 0))
    columns = (ItemGroup.id, ItemGroup.code, ItemGroup.names, ItemGroup.options)
    some = select(*columns).where(ItemGroup.id > after).order_by(ItemGroup.id).limit(limit + 1)
    found = connection().execute(some).all()
    shown = found[:limit]
    variants: dict[int, list[dict[str, Any]]] = {}
    mine = select(Item.group_id, Item.code, Item.option_values).where(
        Item.group_id.in_([row.id for row in shown]), Item.archived_at.is_(None)
    )
    for group_id, code, values in connection().execute(mine.order_by(Item.id)):
        variants.setdefault(group_id or 0, []).append({"item": code, "values": values})
    return answer({
        "groups": [_group(row) | {"variants": variants.get(row.id, [])} for row in shown],
        "next": following(shown[-1].id) if len(found) > limit else None,
    })  # fmt: skip


@resource.offers(
    "POST", "/item-groups", scopes=("items:write",), body=NewGroup(), answers=ShownGroup(),
    refuses=(KeyReused,),
)  # fmt: skip
def add_group(body: dict[str, Any]) -> Response:
    """A new group, with the names of what its variants differ in."""

    def add() -> dict[str, Any]:
        made = groups.add_group(body["names"], body["options"])
        logbook.note("group.added", made.id, after={"names": made.names})
        return _group(made)

    made, replayed = keys.once(caller().member.id, "item-groups", body, add)
    return answer(made, 201, replayed=replayed)


@resource.offers(
    "POST", "/item-groups/<group>/variants", scopes=("items:write",), body=NewVariant(),
    answers=Variant(),
    refuses=(KeyReused, NotFound, catalogue.ItemNotForSale, items.CodeFault),
)  # fmt: skip
def put_in(group: str, body: dict[str, Any]) -> Response:
    """An item becomes a variant of the group, or gets other values in it."""
    item_id = items.find(body["item"]).id

    def put() -> dict[str, Any]:
        session = in_transaction()
        into = session.scalar(select(ItemGroup).where(ItemGroup.code == group[:200]))
        if into is None:
            raise NotFound("There is no such group")
        item = session.get_one(Item, item_id, with_for_update=True, populate_existing=True)
        groups.put_in(item, into, body["values"])
        logbook.note("variant.put_in", into.id, after={"item": item.id})
        return {"item": item.code, "values": item.option_values}

    asked = body | {"group": group[:200]}
    made, replayed = keys.once(caller().member.id, "item-groups.variants", asked, put)
    return answer(made, 201, replayed=replayed)


def _deposit(kind: catalogue.Deposit) -> dict[str, Any]:
    rate = kind.tax_rate_bp
    return {
        "code": kind.code, "names": kind.names, "amount": amount(kind.amount_minor, kind.currency),
        "tax_rate": f"{rate // 100}.{rate % 100:02}",
    }  # fmt: skip


def _group(row: Any) -> dict[str, Any]:
    return {"group": row.code, "names": row.names, "options": row.options}
