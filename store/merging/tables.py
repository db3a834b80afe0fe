"""Tables: what becomes of a row that names a member, when their account comes into another one.

As erasure does, this reads the tables by name. A test holds the list to the tables: one that is new
and names a member must be in it. A room that keeps something more difficult (a wish, a consent, a
counter) joins it itself, in a file `joining.py`, called from `joining.py` here.
"""

from __future__ import annotations

__all__ = ["GOES", "JOINED", "MOVES", "STAYS"]

MOVES: tuple[tuple[str, str], ...] = (
    ("shipments", "member_id"), ("order_addresses", "member_id"), ("addresses", "member_id"),
    ("escrows", "member_id"), ("asides", "member_id"), ("saved_means", "member_id"),
    ("empties", "member_id"), ("member_cards", "member_id"), ("coupons", "member_id"),
)  # fmt: skip
"""Whose it is by now: table and column."""

GOES: tuple[tuple[str, str], ...] = (
    ("api_answers", "member_id"), ("erasure_notices", "member_id"), ("late_acts", "member_id"),
    ("known_ages", "member_id"), ("daily_mails", "member_id"),
)  # fmt: skip
"""What is of no use without a way into the account."""

JOINED = frozenset({
    # By identity.merges.
    "members", "identifiers", "identifier_changes", "passkeys", "outside_accounts", "sign_ins",
    "half_sign_ins", "tokens", "pins", "factors", "recovery_codes", "challenges", "merge_proofs",
    "merges",
    # By the rooms' own files.
    "accounts", "attempts", "point_accounts", "offer_uses", "sales", "baskets", "mail_wishes",
    "mails_asked", "takings_of_members",
})  # fmt: skip

STAYS = frozenset({
    # History: it was this account then.
    "campaign_members", "claims", "consents", "pay_ins", "point_entries", "movements", "refunds",
    "returns", "return_decisions", "shipment_steps", "acts",
    # What staff did; who works here never goes, but may have worked here before.
    "staff_rights", "age_checks", "away_checks", "bank_entries", "bank_files", "courier_hand_ins",
    "courier_takings", "exit_checks", "exit_rules", "intakes", "item_sellers", "labels",
    "markdown_rules", "means_terms", "offers", "pass_uses", "payout_steps", "point_rules",
    "prices", "print_jobs", "tier_plans", "refund_requests", "return_rules", "segments",
    "campaigns", "item_costs", "seller_contracts",
    "settlement_files", "settlement_lines", "slip_scans", "spot_checks", "spot_scans",
    "till_days", "till_moves", "till_tries", "tills", "walk_finds", "work_taken", "write_offs",
})  # fmt: skip
