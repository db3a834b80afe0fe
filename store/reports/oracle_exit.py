"""What the audit asks of the exit: a bag that was to be looked at left only when that had ended,
and what a check charged or gave back is what the books say."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "checks_without_their_use",
        "bags that left while their check was open or refused, or did not when it had ended",
        """SELECT COUNT(*) FROM spot_checks c LEFT JOIN pass_uses u ON u.sale_id = c.sale_id
            WHERE c.kind <> 'none' AND (c.state = 'ended') <> (u.sale_id IS NOT NULL)""",
    ),
    (
        "checks_charged_off",
        "checks whose further sale is not what they charged, of that shopper, and out of the shop",
        """SELECT COUNT(*) FROM spot_checks c JOIN sales s ON s.id = c.sale_id
             LEFT JOIN sales n ON n.id = c.next_sale_id
             LEFT JOIN pass_uses u ON u.sale_id = c.next_sale_id
            WHERE c.state = 'ended' AND c.kind <> 'none'
              AND (c.charged_minor <> COALESCE(n.total_minor, 0)
                   OR (c.next_sale_id IS NOT NULL
                       AND (u.sale_id IS NULL OR n.member_id <> s.member_id)))""",
    ),
    (
        "checks_refunded_off",
        "checks whose refund is not what they say, or not of their sale",
        """SELECT COUNT(*) FROM spot_checks c LEFT JOIN refunds r ON r.id = c.refund_id
            WHERE c.state = 'ended'
              AND (c.refunded_minor <> COALESCE(r.total_minor, 0)
                   OR (r.id IS NOT NULL AND r.sale_id <> c.sale_id))""",
    ),
    (
        "checks_outcome_off",
        "checks that ended without a difference and name one, or the other way round",
        """SELECT COUNT(*) FROM spot_checks
            WHERE outcome IS NOT NULL
              AND ((outcome IN ('missing', 'both')) <> (unpaid > 0)
                   OR (outcome IN ('extra', 'both')) <> (absent > 0))""",
    ),
    (
        "away_checks_off",
        "bags that left without a network, whose pass has no use or another's, and nobody is told",
        """SELECT COUNT(*) FROM away_checks a LEFT JOIN pass_uses u ON u.sale_id = a.sale_id
            WHERE a.outcome IN ('accepted', 'looked')
              AND COALESCE(a.flag, '') NOT IN ('forged', 'double', 'skipped')
              AND (u.sale_id IS NULL OR u.key <> a.key OR u.staff_id <> a.staff_id)""",
    ),
    (
        "away_checks_twice",
        "passes with two checks that let the bag go, none of them flagged",
        """SELECT COUNT(*) FROM (
             SELECT sale_id FROM away_checks
              WHERE outcome IN ('accepted', 'looked')
                AND COALESCE(flag, '') NOT IN ('forged', 'double', 'skipped')
              GROUP BY sale_id HAVING COUNT(*) > 1) twice""",
    ),
)
