"""What the audit asks of the exit: a bag that was to be looked at left only when that had ended,
and what a check charged or gave back is what the books say."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "ages_not_looked_at",
        "bags that left with something that is not for everybody, and nobody had looked at an age",
        """SELECT COUNT(*) FROM sale_lines l JOIN sales s ON s.id = l.sale_id
            WHERE l.least_age > 0
              AND l.quantity > l.quantity_refunded + l.quantity_opened
              AND (s.sold_by IS NOT NULL
                   OR EXISTS (SELECT 1 FROM pass_uses u WHERE u.sale_id = s.id)
                   OR EXISTS (SELECT 1 FROM shipments p JOIN shipment_lines g
                                ON g.shipment_id = p.id
                               WHERE p.sale_id = s.id AND g.item_id = l.item_id AND g.quantity > 0
                                 AND p.state IN ('delivered', 'handed_over')))
              AND NOT EXISTS (SELECT 1 FROM age_checks a
                               WHERE a.sale_id = s.id AND a.least_age >= l.least_age
                                 AND a.state IN ('yes', 'known', 'missed'))
              AND NOT EXISTS (SELECT 1 FROM away_checks w
                               WHERE w.sale_id = s.id AND w.flag = 'age')""",
    ),
    (
        "ages_refunded_off",
        "ages that were not enough whose refund is of another sale, or is not there",
        """SELECT COUNT(*) FROM age_checks a LEFT JOIN refunds r ON r.id = a.refund_id
            WHERE a.refund_id IS NOT NULL AND (r.id IS NULL OR r.sale_id <> a.sale_id)""",
    ),
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
