"""Watching: what those may do who look at something for hours, asked again every few seconds for
all of them at once."""

from __future__ import annotations

from collections.abc import Collection

from ..prepared import Many, Prepared, one_of
from . import rights
from .models import SignIn, StaffRight
from .roles import PERMISSIONS
from .sign_ins import visitors_query

__all__ = ["rights_by_visit"]

_visitors = Prepared(
    lambda dialect: (
        visitors_query(one_of(SignIn.digest, "digests", dialect))
        .outerjoin(StaffRight, StaffRight.member_id == SignIn.member_id)
        .add_columns(SignIn.digest, StaffRight.rights)
    )
)


def rights_by_visit(digests: Collection[str]) -> dict[str, frozenset[str]]:
    """What the members with these visits (their digests) may do at this moment, in one statement. A
    visit that is over, or nobody's, is not in the answer."""
    return {
        row.digest: (
            rights.with_always(row.rights) if row.member_role == "staff"
            else PERMISSIONS[row.member_role]
        )
        for row in _visitors.all(digests=Many(digests))
    }  # fmt: skip
