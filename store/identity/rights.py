"""Rights: what one person of the staff may do, where an owner has said so; else what staff usually
may. Owners may everything, shoppers nothing of it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, insert, select

from .. import clock, logbook
from ..db import connection, db, repeatable, transaction
from ..errors import Invalid
from .models import Member, StaffRight

__all__ = [
    "ALWAYS", "GRANTABLE", "PRESETS", "USUAL", "chosen", "give", "of_staff", "take_all",
    "with_always",
]  # fmt: skip

GRANTABLE = (
    "sell", "refund", "check_exit", "ship", "receive_stock", "edit_items", "change_prices",
    "print_labels", "see_people", "see_sales", "see_costs", "run_campaigns",
)  # fmt: skip
USUAL = frozenset(GRANTABLE) - {"see_sales", "see_costs", "run_campaigns"}
"""What staff may of whom nothing else was said."""
ALWAYS = frozenset({"desk"})
"""What everybody may who works here: the desk's first page, which leads to what they may."""

PRESETS: dict[str, frozenset[str]] = {
    "cashier": frozenset({"sell", "refund", "see_people"}),
    "floor": frozenset({"check_exit", "print_labels", "receive_stock"}),
    "stock": frozenset({"receive_stock", "edit_items", "print_labels", "ship"}),
    "manager": frozenset(GRANTABLE),
}


def of_staff(member_id: int) -> frozenset[str]:
    """What somebody of the staff may. Read once for a request."""
    known: dict[int, frozenset[str]] = db.session().info.setdefault("rights", {})
    if member_id not in known:
        known[member_id] = with_always(chosen(member_id))
    return known[member_id]


def with_always(said: Collection[str] | None) -> frozenset[str]:
    """What somebody of the staff may, of whom an owner has said this; None where nobody has."""
    return ALWAYS | (USUAL if said is None else frozenset(said) & frozenset(GRANTABLE))


def chosen(member_id: int) -> frozenset[str] | None:
    """The rights that an owner has chosen for this person; None where none has."""
    query = select(StaffRight.rights).where(StaffRight.member_id == member_id)
    found = connection().execute(query).scalar()
    return None if found is None else frozenset(found) & frozenset(GRANTABLE)


@repeatable
def give(member_id: int, rights: Collection[str]) -> None:
    """Opener: from now on somebody of the staff may this and nothing else. Who sees the takings, or
    runs campaigns, sees who bought. Raises Invalid for what is no right, or somebody who is no
    staff."""
    wanted = set(rights)
    if not wanted <= set(GRANTABLE):
        raise Invalid(f"A right is one of: {', '.join(GRANTABLE)}", field="right")
    if wanted & {"see_sales", "run_campaigns"}:
        wanted.add("see_people")
    with transaction() as session:
        role = session.scalar(select(Member.role).where(Member.id == member_id).with_for_update())
        if role != "staff":
            raise Invalid("Rights are for staff: an owner may everything", field="right")
        said = chosen(member_id)
        before = sorted(USUAL if said is None else said)
        take_all(member_id)
        row = {"member_id": member_id, "rights": sorted(wanted), "set_at": clock.now()}
        session.connection().execute(insert(StaffRight), [row])
        logbook.note("rights.set", member_id, before={"rights": before},
                     after={"rights": sorted(wanted)})  # fmt: skip


def take_all(member_id: int) -> None:
    """Joiner: nothing is said of this person's rights any more."""
    connection().execute(delete(StaffRight).where(StaffRight.member_id == member_id))
    db.session().info.pop("rights", None)
