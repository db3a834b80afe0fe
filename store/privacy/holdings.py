"""Holdings: where something about a person stands, and what becomes of it when they go.

As the audit does, this reads the tables by name: what a room keeps of a person is found here
whatever its code thinks. A test holds the list to the tables: one that is new must be in it.
`:member` is the number of the account; `:values` are the addresses and numbers that it has proven,
but for those that are somebody else's by now.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["CLEARED", "GOES", "SECTIONS", "STAYS", "Child", "Section"]

_SALES = "IN (SELECT id FROM sales WHERE member_id = :member)"
_ATTEMPTS = "IN (SELECT id FROM attempts WHERE member_id = :member)"
_DISPUTES = """IN (SELECT d.id FROM disputes d JOIN attempts a ON a.id = d.attempt_id
                   WHERE a.member_id = :member)"""
_BASKETS = "IN (SELECT id FROM baskets WHERE member_id = :member)"
_RETURNS = """IN (SELECT r.id FROM returns r JOIN sales s ON s.id = r.sale_id
                  WHERE s.member_id = :member)"""
_SHIPMENTS = "IN (SELECT id FROM shipments WHERE member_id = :member)"
# Theirs under another number, too: an account of theirs that came into this one.
_THEIRS = (
    "(member_id = :member OR member_id IN (SELECT gone_id FROM merges WHERE now_id = :member))"
)
_ACCOUNTS = f"IN (SELECT id FROM accounts WHERE {_THEIRS})"  # noqa: S608


class Child(NamedTuple):
    """Rows that belong to those of a section: their table, the column that names the parent."""

    name: str
    table: str
    parent: str
    columns: tuple[str, ...]


class Section(NamedTuple):
    """Rows about a person: a condition that says which are theirs, the columns that are told, and
    those by which pages go on."""

    name: str
    table: str
    mine: str
    columns: tuple[str, ...]
    by: tuple[str, ...] = ("id",)
    children: tuple[Child, ...] = ()


_PLACE = ("name", "phone", "street", "city", "postcode", "country")

SECTIONS = (
    Section("account", "members", "id = :member", ("name", "language", "created_at")),
    Section(
        "signs", "identifiers", "member_id = :member", ("kind", "value", "proven_at", "first_at")
    ),
    Section(
        "sign_history", "identifier_changes", _THEIRS, ("kind", "value", "what", "at")
    ),
    Section(
        "sign_ins", "sign_ins", "member_id = :member",
        ("device", "address", "created_at", "seen_at", "ended_at"),
    ),
    Section("passkeys", "passkeys", "member_id = :member", ("name", "created_at", "used_at")),
    Section(
        "outside_accounts", "outside_accounts", "member_id = :member",
        ("provider", "subject", "openid", "created_at", "used_at"),
    ),
    Section(
        "cards", "member_cards", "member_id = :member OR value IN :values",
        ("number", "made_at", "ended_at"),
    ),
    Section("keys", "tokens", "member_id = :member", ("name", "scopes", "created_at", "ended_at")),
    Section("age", "known_ages", "member_id = :member", ("least_age", "checked_at", "wanted_at"),
            ("member_id",)),
    Section("addresses", "addresses", "member_id = :member", (*_PLACE, "used_at")),
    Section(
        "balances", "accounts", "member_id = :member",
        ("currency", "balance_minor", "most_buy_minor", "most_day_minor"),
    ),
    Section(
        "movements_in", "transfers", f"credit_id {_ACCOUNTS}",
        ("amount_minor", "currency", "reason", "sale_id", "note", "at"),
    ),
    Section(
        "movements_out", "transfers", f"debit_id {_ACCOUNTS}",
        ("amount_minor", "currency", "reason", "sale_id", "note", "at"),
    ),
    Section(
        "sales", "sales", "member_id = :member",
        ("id", "created_at", "channel", "means", "state", "total_minor", "tax_minor", "currency"),
        ("created_at", "id"),
        (
            Child("lines", "sale_lines", "sale_id", (
                "position", "names", "quantity", "unit_minor", "off_minor", "total_minor",
                "tax_minor", "quantity_refunded",
            )),
            Child("refunds", "refunds", "sale_id", ("id", "total_minor", "reason", "created_at")),
            Child("offers", "reductions", "sale_id", ("position", "names", "amount_minor")),
            Child("checks", "spot_checks", "sale_id", (
                "rule", "kind", "state", "outcome", "unpaid", "absent", "at",
            )),
            Child("ages", "age_checks", "sale_id", ("least_age", "way", "state", "at")),
        ),
    ),
    Section("order_addresses", "order_addresses", "member_id = :member", ("sale_id", *_PLACE),
            ("sale_id",)),
    Section(
        "shipments", "shipments", "member_id = :member",
        ("id", "sale_id", "kind", "state", "carrier", "tracking"),
    ),
    Section(
        "returns", "returns", f"sale_id {_SALES}",
        ("id", "sale_id", "way", "reason", "address", "state", "created_at"),
    ),
    Section(
        "payments", "attempts", "member_id = :member",
        ("id", "purpose", "gateway", "amount_minor", "currency", "state", "reference",
         "created_at"),
    ),
    Section(
        "kept_cards", "saved_means", "member_id = :member",
        ("gateway", "brand", "last4", "exp_month", "exp_year", "state", "wanted_at"),
    ),
    Section(
        "bank_transfers", "bank_entries", f"attempt_id {_ATTEMPTS}",
        ("id", "amount_minor", "currency", "booked_on", "said", "payer", "payer_account",
         "reference", "state", "sent_to"),
    ),
    Section(
        "complaints", "complaints", f"sale_id {_SALES}", ("sale_id", "reason", "decision", "note"),
        ("sale_id",),
    ),
    Section(
        "disputes", "disputes", f"attempt_id {_ATTEMPTS}",
        ("id", "gateway", "kind", "state", "reason", "words", "phone", "opened_at", "closed_at"),
        ("id",),
        (Child("answers", "dispute_answers", "dispute_id", ("words", "outcome", "state", "at")),),
    ),
    Section(
        "points", "point_entries", _THEIRS,
        ("kind", "points", "sale_id", "at", "expires_at"), ("at", "id"),
    ),
    Section(
        "consents", "consents", _THEIRS,
        ("channel", "what", "place", "words", "language", "version", "at"),
    ),
    Section(
        "campaigns", "campaign_members", _THEIRS,
        ("channel", "held", "state", "turn_at", "told_at"), ("member_id", "campaign_id"),
        (Child("campaign_words", "campaigns", "id", ("texts",)),),
    ),
    Section("coupons", "coupons", _THEIRS, ("code", "used", "made_at")),
    Section("offers_used", "offer_uses", "member_id = :member", ("sale_id",)),
    Section("claims", "claims", _THEIRS, ("sale_id", "how", "at"), ("sale_id",)),
    Section("pay_ins", "pay_ins", _THEIRS,
            ("id", "amount_minor", "currency", "means", "at")),
    Section(
        "merges", "merges", "now_id = :member", ("id", "how", "at"), ("at", "id"),
        (Child("sales", "merged_sales", "merge_id", ("sale_id",)),),
    ),
    Section("empties", "empties", "member_id = :member", ("id", "means", "currency", "sale_id")),
    Section(
        "baskets", "baskets", "member_id = :member", ("id", "coupon"), ("id",),
        (Child("lines", "basket_lines", "basket_id", ("item_id", "quantity")),),
    ),
    Section(
        "daily_mails", "daily_mails", "member_id = :member", ("since",), ("member_id",)
    ),
    Section("mail_wishes", "mail_wishes", "member_id = :member", ("member_id",), ("member_id",)),
    Section(
        "letters", "letters", '"to" IN :values', ("kind", "to", "state", "created_at"),
    ),
    Section(
        "looked_at", "acts", "kind = 'member' AND object = CAST(:member AS VARCHAR(20))",
        ("at", "verb"), ("at", "id"),
    ),
)  # fmt: skip

# What goes, rows and all, those first that others need.
GOES: tuple[tuple[str, str], ...] = (
    ("basket_lines", f"basket_id {_BASKETS}"),
    *(
        (table, "member_id = :member")
        for table in (
            "baskets", "passkeys", "challenges", "outside_accounts", "half_sign_ins", "sign_ins",
            "factors", "recovery_codes", "tokens", "pins", "mail_wishes", "mails_asked",
            "daily_mails",
            "addresses", "api_answers", "erasure_notices", "known_ages", "late_acts",
            "staff_rights",
        )
    ),
    ("merge_proofs", "member_id = :member OR other_id = :member"),
    ("letters", '"to" IN :values'),
    ("guest_mails", f"value IN :values OR sale_id {_SALES}"),
    (
        "codes",
        "value IN :values OR value IN (SELECT value FROM identifiers WHERE member_id = :member)",
    ),
    ("identifier_changes", f"{_THEIRS} OR value IN :values"),
    ("member_cards", "member_id = :member OR value IN :values"),
    ("identifiers", "member_id = :member"),
)  # fmt: skip

_NOBODY: dict[str, Any] = dict.fromkeys(_PLACE[:5], "")

_ASKED = {"parts": None, "to_account": False, "hand_in": None}

_NO_PAYER = {"said": "", "payer": "", "payer_account": "", "reason": ""}

# What loses its words and stays: the law and the books want that it happened, not with whom.
CLEARED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("order_addresses", _NOBODY, "member_id = :member"),
    ("shipments", {"tracking": ""}, "member_id = :member"),
    ("shipment_steps", {"note": ""}, f"shipment_id {_SHIPMENTS}"),
    ("return_decisions", {"note": ""}, f"return_id {_RETURNS}"),
    ("returns", {"reason": "", "address": "", "allowed_reason": ""}, f"sale_id {_SALES}"),
    ("refunds", {"reason": ""}, f"sale_id {_SALES}"),
    ("refund_requests", {"reason": "", "decided_reason": "", "asked": _ASKED}, f"sale_id {_SALES}"),
    ("complaints", {"reason": "", "note": ""}, f"sale_id {_SALES}"),
    ("movements", {"note": ""}, f"note <> '' AND sale_id {_SALES}"),
    ("transfers", {"note": ""}, f"note <> '' AND sale_id {_SALES}"),
    ("transfers", {"note": ""}, f"note <> '' AND credit_id {_ACCOUNTS}"),
    ("transfers", {"note": ""}, f"note <> '' AND debit_id {_ACCOUNTS}"),
    ("dispute_answers", {"words": ""}, f"dispute_id {_DISPUTES}"),
    ("disputes", {"reason": "", "words": "", "phone": ""}, f"attempt_id {_ATTEMPTS}"),
    ("attempts", {"next_url": "", "code": "", "back_to": ""}, "member_id = :member"),
    (
        "saved_means",
        {"brand": "", "last4": "", "exp_month": 0, "exp_year": 0},
        "member_id = :member",
    ),  # The worker tells their provider to keep them no longer.
    ("bank_entries", _NO_PAYER, f"attempt_id {_ATTEMPTS}"),
    ("bank_entries", {"sent_to": "-"}, f"sent_to <> '' AND attempt_id {_ATTEMPTS}"),
    ("holds", {"order": None}, f"attempt_id {_ATTEMPTS}"),
)

# Tables that name an account, or have room for words, and keep neither of a person who has gone:
# what stays of them in these is the number of an account that is nobody's.
STAYS = frozenset({
    # The books: who is a number, what was said there is the shop's own.
    "account_marks", "accounts", "asides", "attempt_events", "claims", "empties", "empty_lines",
    "escrows", "guests", "pay_ins",
    "offer_uses", "paybacks", "reductions", "refund_lines", "reservations", "return_lines",
    "sale_lines", "sales", "shares", "shipment_lines", "takings", "takings_of_items",
    "takings_of_members", "consents", "campaign_members", "point_accounts", "point_entries",
    "point_waits", "merges", "merged_sales",
    # What staff did; their accounts are closed, not erased, while they work here.
    "bank_files",
    "acts", "batches", "courier_hand_ins", "courier_takings", "couriers", "exit_checks",
    "age_checks", "away_checks", "exit_rules", "spot_checks", "spot_scans", "intakes",
    "item_sellers", "labels", "markdown_rules", "means_terms", "offers", "pass_uses",
    "payout_steps", "prices", "print_jobs", "return_rules", "seller_contracts", "settlement_files",
    "settlement_lines", "slip_scans", "slips", "tasks", "till_counts", "till_days", "till_entries",
    "till_moves", "till_tries", "tills", "work_taken", "write_offs",
    # The shop's own.
    "bad_stickers", "walks", "walk_finds", "walk_shelves", "point_rules", "tier_plans",
    "label_scans", "label_sales",
    "bundle_parts",
    "categories", "change_marks", "changes", "cohorts", "coupons", "deliveries", "deposits",
    "feed_entries", "feed_sources", "intake_codes", "intake_items", "intake_pieces",
    "item_groups", "items", "levels", "locations", "outbox",
    "payouts", "pictures", "places", "price_marks", "reckoning", "seller_settlements", "sellers",
    "segments", "campaigns", "item_costs", "slip_costs", "stock_flows", "stock_flow_marks",
    "order_counts",
    "settlement_rejects", "shipping_rates", "shipping_zones", "slip_lines",
    "sourcing_weights", "tries", "used_states", "webhooks", "woo_products",
})  # fmt: skip
