"""Packs: what a pack says of itself when it is scanned; what nobody may buy is stopped there."""

from __future__ import annotations

from collections.abc import Mapping

from ... import stock
from ...catalogue import gs1
from ...db import db, repeatable, transaction


def refuse_pack(item_id: int, location_id: int, pack: Mapping[str, str]) -> None:
    """Refuse a pack past its date, AI (17), or of a batch that was called back, AI (10), and see
    to it that staff take it off the shelf. Raises BatchExpired, BatchRecalled."""
    expires = gs1.read_date(pack["17"]) if "17" in pack else None
    try:
        stock.refuse_blocked(item_id, batch_of(item_id, pack), expires)
    except (stock.BatchExpired, stock.BatchRecalled) as refusal:
        kind = "recalled" if isinstance(refusal, stock.BatchRecalled) else "expired"
        note = " ".join(f"({ai}){pack[ai]}" for ai in ("10", "17") if ai in pack)
        db.session.rollback()
        _tell(kind, location_id, item_id, note)
        raise


def batch_of(item_id: int, pack: Mapping[str, str]) -> str | None:
    """The batch on the pack. A slash in it was encoded, and is not any more where an address comes
    in: the batch `A/21/B` reads as batch A with serial B. A batch that the shop knows is meant."""
    batch = pack.get("10")
    if batch and "21" in pack:
        whole = f"{batch}/21/{pack['21']}"
        if stock.find_batch(item_id, whole) is not None:
            return whole
    return batch


@repeatable
def _tell(kind: str, location_id: int, item_id: int, note: str) -> None:
    """Opener: a task for the staff of the place; one, however often the pack is scanned."""
    with transaction():
        stock.open_task(kind, location_id, item_id, note)
