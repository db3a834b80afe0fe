"""Shipments: what each place sends, or hands over, of an order, step by step.

Goods are kept for the order (reserved) from the start and leave the stock in the moment in which
they leave the place: when they are shipped, or handed over. Every step is one guarded statement
and a row of history. Money is no concern of this file: `sales` does both in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from .. import clock, ids, stock
from ..db import in_transaction
from ..errors import Invalid, NotFound, Refusal
from .models import Shipment, ShipmentLine, ShipmentStep
from .sourcing import Parcel
from .states import TRANSITIONS, WAITING

__all__ = [
    "BadStep", "WrongCode", "advance", "by_code",
    "goods_of", "locked", "note", "open_shipments", "take_off",
]  # fmt: skip


class BadStep(Refusal):
    """This does not follow on the state that the shipment is in. `data`: state, event."""

    code = "bad_step"
    status = 409
    title = "This step does not follow"


class WrongCode(Refusal):
    """Nothing waits here under this code."""

    code = "wrong_code"
    status = 404
    title = "Nothing waits here under this code"


def open_shipments(
    sale_id: str,
    member_id: int,
    kind: str,
    parcels: Sequence[Parcel],
    at: datetime,
    *,
    target_id: int | None = None,
    event: str = "order",
) -> list[str]:
    """Joiner: keep the goods of these parcels for the order, and open a shipment for each; answers
    their ids. `target_id` is where goods are brought to; `event` stands in the history, "instead"
    where another place did not have them. All goods are asked for at once, so that locks are
    taken in one order. Raises OutOfStock where somebody was faster."""
    session = in_transaction()
    made = [ids.new() for _ in parcels]
    session.connection().execute(
        insert(Shipment),
        [
            {"id": id_, "sale_id": sale_id, "member_id": member_id, "kind": kind, "state": "open",
             "location_id": parcel.location_id, "target_id": target_id,
             "code": ids.short_code(), "carrier": "", "tracking": "", "created_at": at,
             "changed_at": at}
            for id_, parcel in zip(made, parcels)
        ],
    )  # fmt: skip
    session.connection().execute(
        insert(ShipmentLine),
        [
            {"shipment_id": id_, "item_id": item, "quantity": many}
            for id_, parcel in zip(made, parcels)
            for item, many in sorted(parcel.goods.items())
        ],
    )
    for id_ in made:
        _note(id_, event, "open", None, "", at)
    wants = [
        stock.Want(item, parcel.location_id, many, sale_id, member_id)
        for parcel in parcels
        for item, many in sorted(parcel.goods.items())
    ]
    stock.reserve(wants, sale_id, None, at)
    if target_id is not None:
        to = stock.location_by_id(target_id).code
        for want in wants:
            stock.open_task(
                "bring", want.location_id, want.item_id, note=f"{want.quantity} → {to}"
            )  # fmt: skip
    return made


def locked(shipment_id: str) -> Shipment:
    """Joiner: the shipment, ours until the commit. Raises NotFound."""
    query = select(Shipment).where(Shipment.id == shipment_id).with_for_update()
    found = in_transaction().scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("There is no such shipment")
    return found


def goods_of(shipment_id: str) -> dict[int, int]:
    """Quantities by item, without what was taken off. A joiner's view: read after `locked`."""
    query = select(ShipmentLine.item_id, ShipmentLine.quantity).where(
        ShipmentLine.shipment_id == shipment_id, ShipmentLine.quantity > 0
    )
    return {row[0]: row[1] for row in in_transaction().execute(query)}


def by_code(location_id: int, code: str) -> str:
    """The shipment that waits at a location under the code that a shopper shows. Raises
    WrongCode."""
    query = select(Shipment.id).where(
        Shipment.code == ids.normalise(code)[:8],
        Shipment.location_id == location_id,
        Shipment.kind == "collect",
        Shipment.state == "packed",
    )
    found = in_transaction().scalar(query)
    if found is None:
        raise WrongCode()
    return found


def advance(
    shipment: Shipment,
    event: str,
    *,
    made_by: int | None,
    note: str = "",
    carrier: str = "",
    tracking: str = "",
) -> str:
    """Joiner: let an event happen to a shipment, and the goods with it; answers its new state.
    Shipping and handing over take the goods out of stock, putting back returns them, cancelling
    lets them go. Raises BadStep, Invalid (no carrier), OutOfStock where a shopper at the shelf was
    faster."""
    state = TRANSITIONS[shipment.kind].get((shipment.state, event))
    if state is None:
        raise BadStep(state=shipment.state, event=event)
    if event in ("ship", "ship_again") and not carrier.strip():
        raise Invalid("Say who carries it", field="carrier")
    at = clock.now()
    values: dict[str, object] = {"state": state, "changed_at": at}
    goes_to = stock.in_transit() if event == "send" else shipment.target_id
    if event in ("send", "arrive"):
        values |= {"location_id": goes_to}
    if event == "arrive":
        values |= {"kind": "collect"}
    if carrier:
        values |= {"carrier": carrier.strip()[:60], "tracking": tracking.strip()[:80]}
    moved = in_transaction().execute(
        update(Shipment)
        .where(Shipment.id == shipment.id, Shipment.state == shipment.state)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise BadStep(state=shipment.state, event=event)
    _note(shipment.id, event, state, made_by, note, at)
    if event in ("ship", "hand_over"):
        kept, parts = _kept_for(shipment)
        stock.take_reserved(shipment.sale_id, at, kept, quantities=parts, member_id=made_by)
    elif event in ("send", "arrive"):
        kept, parts = _kept_for(shipment)
        stock.carry(shipment.sale_id, at, kept, goes_to or 0, quantities=parts, member_id=made_by)
        _bring_tasks_done(shipment, goods_of(shipment.id), made_by)
    elif event == "put_back":
        goods = goods_of(shipment.id)
        stock.put_back(
            [stock.Want(item, shipment.location_id, many, shipment.sale_id, made_by)
             for item, many in goods.items()],
            at, note=note,
        )  # fmt: skip
    elif event == "cancel":
        _let_go(shipment, goods_of(shipment.id), at)
        _bring_tasks_done(shipment, goods_of(shipment.id), made_by)
    return state


def take_off(
    shipment: Shipment, short: Mapping[int, int], *, made_by: int | None, note: str, event: str
) -> dict[int, int]:
    """Joiner: what is not there goes off a shipment that waits, and is kept here no longer; answers
    what was taken off, which is more than asked where older orders hold all that is left. The
    shipment is cancelled when nothing is left of it. `event` is "short" for the history. Raises
    Invalid, BadStep."""
    if shipment.state not in WAITING:
        raise BadStep(state=shipment.state, event=event)
    session, goods, at = in_transaction(), goods_of(shipment.id), clock.now()
    if not short or not all(1 <= many <= goods.get(item, 0) for item, many in short.items()):
        raise Invalid("So many are not in this shipment", field="quantity")
    place = [(item, shipment.location_id) for item in short]
    _let_go(shipment, {item: goods[item] for item in short}, at)
    free = stock.available([item for item, _ in place], [shipment.location_id])
    off: dict[int, int] = {}
    for item, many in short.items():
        level = free.get((item, shipment.location_id))
        stays = min(goods[item] - many, max(0, level.available if level else 0))
        off[item] = goods[item] - stays
        if stays:
            want = stock.Want(item, shipment.location_id, stays, shipment.sale_id, made_by)
            stock.reserve([want], shipment.sale_id, None, at)
        line = (ShipmentLine.shipment_id == shipment.id, ShipmentLine.item_id == item)
        session.execute(update(ShipmentLine).where(*line).values(quantity=stays))
    _note(shipment.id, event, shipment.state, made_by, note, at)
    if not goods_of(shipment.id):
        advance(shipment, "cancel", made_by=made_by)
    _bring_tasks_done(shipment, off, made_by)
    return off


def note(shipment: Shipment, event: str, made_by: int | None) -> None:
    """Joiner: something happened to a shipment that leads to no other state."""
    _note(shipment.id, event, shipment.state, made_by, "", clock.now())


def _bring_tasks_done(shipment: Shipment, goods: Mapping[int, int], made_by: int | None) -> None:
    """Joiner: of these goods the ones that nobody has to bring from this place any more."""
    waits = select(ShipmentLine.item_id).join(Shipment, Shipment.id == ShipmentLine.shipment_id)
    mine = (Shipment.kind == "bring", Shipment.location_id == shipment.location_id)
    still = waits.where(*mine, Shipment.state.in_(WAITING), ShipmentLine.quantity > 0)
    done = sorted(goods.keys() - set(in_transaction().scalars(still)))
    if shipment.kind == "bring" and done:
        stock.close_tasks(("bring",), shipment.location_id, done, made_by)


def _kept_for(shipment: Shipment) -> tuple[list[int], dict[int, int]]:
    """Joiner: the reservations that a shipment's goods are kept by, and where not all of one is
    this shipment's, how much of it."""
    left, kept, parts = goods_of(shipment.id), list[int](), dict[int, int]()
    for held in _held_for(shipment, left):
        wanted = left.get(held.item_id, 0)
        if not wanted:
            continue
        kept.append(held.id)
        left[held.item_id] = wanted - min(wanted, held.quantity)
        if wanted < held.quantity:
            parts[held.id] = wanted
    if any(left.values()):
        raise stock.ReservationEnded(sale=shipment.sale_id)
    return kept, parts


def _let_go(shipment: Shipment, goods: Mapping[int, int], at: datetime) -> None:
    """Joiner: keep these goods at the shipment's place no longer. A reservation that is shared with
    another shipment of the order is kept on for that one."""
    left = dict(goods)
    for held in _held_for(shipment, goods):
        wanted = left.get(held.item_id, 0)
        if not wanted:
            continue
        stock.release(shipment.sale_id, at, [held.id])
        left[held.item_id] = wanted - min(wanted, held.quantity)
        if wanted < held.quantity:
            rest = held.quantity - wanted
            want = stock.Want(held.item_id, held.location_id, rest, shipment.sale_id)
            stock.reserve([want], shipment.sale_id, None, at)


def _held_for(shipment: Shipment, goods: Mapping[int, int]) -> list[stock.Held]:
    """What is kept for the order at the shipment's place; first what fits exactly, which is its
    own where the order has several shipments there."""
    here = [
        held for held in stock.kept_for(shipment.sale_id)
        if held.location_id == shipment.location_id
    ]  # fmt: skip
    return sorted(here, key=lambda held: (held.quantity != goods.get(held.item_id), held.id))


def _note(
    shipment_id: str, event: str, state: str, made_by: int | None, note: str, at: datetime
) -> None:
    row = {"shipment_id": shipment_id, "event": event, "state": state, "made_by": made_by,
           "note": note[:200], "at": at}  # fmt: skip
    in_transaction().connection().execute(insert(ShipmentStep), [row])
