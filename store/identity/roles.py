"""What each role may do, and which scopes a token of theirs may carry."""

from __future__ import annotations

from ..errors import Forbidden
from . import rights
from .models import Member
from .visitors import Visitor

__all__ = [
    "PERMISSIONS", "SCOPES", "ScopeNotAllowed", "allowed_scopes", "allows", "permissions_of",
]  # fmt: skip

_STAFF = rights.USUAL | rights.ALWAYS

PERMISSIONS: dict[str, frozenset[str]] = {
    "shopper": frozenset(),
    "staff": _STAFF,
    "owner": _STAFF
    | {
        "see_sales",
        "see_costs",
        "manage_staff",
        "manage_delivery",
        "manage_sellers",
        "manage_offers",
        "run_campaigns",
        "connect_systems",
        "set_rules",
        "see_log",
    },
}

# The permission that a member needs before a token of theirs may carry the scope; none where the
# scope only reaches what everybody sees, or what is the member's own.
SCOPES: dict[str, str | None] = {
    "items:read": None,
    "items:write": "edit_items",
    "stock:read": None,
    "stock:write": "receive_stock",
    "sales:read": None,
    "sales:write": None,
    "orders:write": "ship",
    "account:read": None,
    "till": "sell",
    "labels:write": "print_labels",
    "reports:read": "see_sales",
    "costs:read": "see_costs",
    "costs:write": "see_costs",
    "changes:read": "see_sales",
    "webhooks:write": "connect_systems",
}


class ScopeNotAllowed(Forbidden):
    """The token's owner may not do what the scope allows."""

    code = "scope_not_allowed"
    title = "This member may not hand out this scope"


def allows(member: Member | Visitor | None, permission: str) -> bool:
    """Whether this member may do it, by their role and, of staff, by what an owner has chosen;
    nobody may nothing."""
    return member is not None and permission in permissions_of(member)


def permissions_of(member: Member | Visitor) -> frozenset[str]:
    if member.role == "staff":
        return rights.of_staff(member.id)
    return PERMISSIONS[member.role]


def allowed_scopes(member: Member | Visitor) -> list[str]:
    """The scopes that a token of this member can carry."""
    held = permissions_of(member)
    return [scope for scope, needed in SCOPES.items() if needed is None or needed in held]
