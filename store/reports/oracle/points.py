"""What the audit asks of points: balances are the sums of their entries, and what came back took
back what it had brought, to the point."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "point_balances_off",
        "members whose points are not the sum of what came and went",
        """SELECT COUNT(*) FROM (
             SELECT member_id FROM (
               SELECT member_id, points FROM point_entries
               UNION ALL
               SELECT member_id, owed - spendable FROM point_accounts) AS sides
             GROUP BY member_id HAVING SUM(points) <> 0) AS off""",
    ),
    (
        "points_below_zero",
        "members with points below zero that are not owed, or with both",
        """SELECT COUNT(*) FROM point_accounts
            WHERE spendable < 0 OR owed < 0 OR (spendable > 0 AND owed > 0)""",
    ),
    (
        "points_taken_back_off",
        "sales of which more points were taken back than they brought, or not all after all of it "
        "came back",
        """SELECT COUNT(*) FROM (
             SELECT e.sale_id FROM point_entries e JOIN sales s ON s.id = e.sale_id
              WHERE e.kind IN ('earned', 'taken_back')
              GROUP BY e.sale_id, s.state
             HAVING SUM(e.points) < 0 OR (
               s.state = 'refunded' AND SUM(e.points) <> 0
               AND SUM(CASE WHEN e.kind = 'taken_back' THEN 1 ELSE 0 END)
                   = (SELECT COUNT(*) FROM refunds r WHERE r.sale_id = e.sale_id))) AS off""",
    ),
    (
        "points_spent_off",
        "sales whose points are not those that were taken off their lines",
        """SELECT COUNT(*) FROM (
             SELECT sale_id FROM (
               SELECT sale_id, points FROM reductions WHERE points IS NOT NULL
               UNION ALL
               SELECT sale_id, points FROM point_entries WHERE kind = 'spent') AS sides
             GROUP BY sale_id HAVING SUM(points) <> 0) AS off""",
    ),
    (
        "points_given_back_off",
        "sales that gave back more points than were spent on them, or not all after all of it "
        "came back and nothing waits",
        """SELECT COUNT(*) FROM (
             SELECT e.sale_id FROM point_entries e JOIN sales s ON s.id = e.sale_id
              WHERE e.kind IN ('spent', 'given_back')
              GROUP BY e.sale_id, s.state
             HAVING SUM(e.points) > 0 OR (
               s.state IN ('refunded', 'cancelled') AND SUM(e.points) <> 0
               AND NOT EXISTS (SELECT 1 FROM refunds r JOIN outbox o ON o.subject = r.id
                                WHERE r.sale_id = e.sale_id))) AS off""",
    ),
    (
        "points_kept_for_nothing",
        "attempts to pay for which points are kept though they are over, or given back twice",
        """SELECT COUNT(*) FROM (
             SELECT e.attempt_id FROM point_entries e JOIN attempts a ON a.id = e.attempt_id
              WHERE e.kind = 'kept'
              GROUP BY e.attempt_id, a.state
             HAVING SUM(e.points) > 0 OR (
               SUM(e.points) < 0
               AND a.state NOT IN ('created', 'pending', 'authorised'))) AS off""",
    ),
    (
        "points_of_strangers",
        "sales that brought points without a sale, or before their rules held",
        """SELECT COUNT(*) FROM point_entries e
             LEFT JOIN sales s ON s.id = e.sale_id LEFT JOIN point_rules r ON r.id = e.rule_id
            WHERE e.kind = 'earned'
              AND (s.id IS NULL OR r.id IS NULL OR s.member_id IS NULL
                   OR r.made_at > s.created_at)""",
    ),
)
