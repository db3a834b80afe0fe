"""What each role may do, and which scopes a token of theirs may carry."""

from __future__ import annotations

from ..errors import Forbidden
from .models import Member
from .visitors import Visitor

__all__ = ["PERMISSIONS", "SCOPES", "ScopeNotAllowed", "allowed_scopes", "allows"]

_STAFF = frozenset(
    {"check_exit", "refund", "print_labels", "receive_stock", "sell", "edit_items", "ship"}
)  # fmt: skip

PERMISSIONS: dict[str, frozenset[str]] = {
    "shopper": frozenset(),
    "staff": _STAFF,
    "owner": _STAFF
    | {
        "see_sales",
        "see_people",
        "manage_staff",
        "manage_delivery",
        "manage_sellers",
        "manage_offers",
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
    "changes:read": "see_sales",
    "webhooks:write": "connect_systems",
}


class ScopeNotAllowed(Forbidden):
    """The token's owner may not do what the scope allows."""

    code = "scope_not_allowed"
    title = "This member may not hand out this scope"


def allows(member: Member | Visitor | None, permission: str) -> bool:
    """Whether the member's role has the permission; nobody has none."""
    return member is not None and permission in PERMISSIONS[member.role]


def allowed_scopes(role: str) -> list[str]:
    """The scopes that a token of a member with this role can carry."""
    held = PERMISSIONS[role]
    return [scope for scope, needed in SCOPES.items() if needed is None or needed in held]
