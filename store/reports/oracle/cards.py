"""What the audit asks of the cards that providers keep for members."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "cards_not_theirs",
        "payments by a kept card of another member or provider, or by one that was never kept",
        """SELECT COUNT(*) FROM attempts a LEFT JOIN saved_means s ON s.id = a.saved_id
            WHERE a.saved_id IS NOT NULL
              AND (s.id IS NULL OR s.token = '' OR a.member_id IS NULL
                   OR s.member_id <> a.member_id OR s.gateway <> a.gateway)""",
    ),
    (
        "cards_without_their_payment",
        "cards that are kept without a payment of their member that came and asked for it, and "
        "such payments without their card",
        """SELECT (SELECT COUNT(*) FROM saved_means s JOIN attempts a ON a.id = s.attempt_id
                    WHERE NOT a.keeps OR a.member_id <> s.member_id OR a.gateway <> s.gateway
                       OR a.state IN ('created', 'pending', 'authorised', 'failed', 'expired'))
                + (SELECT COUNT(*) FROM attempts a
                     LEFT JOIN saved_means s ON s.attempt_id = a.id
                    WHERE a.keeps AND s.id IS NULL
                      AND a.state IN ('captured', 'partly_refunded', 'refunded', 'disputed'))""",
    ),
)
