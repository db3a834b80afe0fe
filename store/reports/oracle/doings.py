"""What the audit asks of passes, feeds and the outbox."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "passes_used_twice",
        "exit passes with two accepted checks",
        """SELECT COUNT(*) FROM (
             SELECT sale_id FROM exit_checks WHERE outcome = 'accepted'
             GROUP BY sale_id HAVING COUNT(*) > 1) AS off""",
    ),
    (
        "feed_entries_counted_twice",
        "ids of a feed of which two versions count",
        """SELECT COUNT(*) FROM (
             SELECT source_id, entry FROM feed_entries WHERE state = 'applied'
             GROUP BY source_id, entry HAVING COUNT(*) > 1) AS off""",
    ),
    (
        "outbox_without_cause",
        "outbox rows about a sale or refund that does not exist",
        """SELECT COUNT(*) FROM outbox o
             LEFT JOIN sales s ON s.id = o.subject LEFT JOIN refunds r ON r.id = o.subject
            WHERE (o.topic IN ('sale.paid', 'sale.claimed') AND s.id IS NULL)
               OR (o.topic = 'sale.refunded' AND r.id IS NULL)""",
    ),
    (
        "outbox_dead",
        "outbox rows that failed so often that a person must look",
        "SELECT COUNT(*) FROM outbox WHERE next_at IS NULL",
    ),
)
