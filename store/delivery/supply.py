"""Supply: who could serve a basket now, without what other orders hold and what shelves keep."""

from __future__ import annotations

from collections.abc import Mapping

from .. import stock
from .places import spots
from .sourcing import Candidate

__all__ = ["candidates"]


def candidates(
    wanted: Mapping[int, int], kind: str, *, but: frozenset[int] = frozenset()
) -> list[Candidate]:
    """Who could give what of these goods now: never what another order holds, and not the shelf
    buffer of the place. `kind` "deliver" asks places that ship, "collect" those that hand over,
    "bring" all of them: goods go to another shop from anywhere. `but` leaves locations out. Two
    statements, however many places there are."""
    can = {"deliver": lambda one: one.ships, "collect": lambda one: one.hands_over}.get(kind)
    able = [
        one for one in spots() if one.location_id not in but and (can is None or can(one))
    ]  # fmt: skip
    free = stock.available(list(wanted), [one.location_id for one in able])
    return [
        Candidate(
            one.location_id,
            {
                item: max(0, level.available - one.buffer)
                for item in wanted
                if (level := free.get((item, one.location_id))) is not None
            },
            one.point,
            one.parcel_minor,
            one.days,
        )
        for one in able
    ]
