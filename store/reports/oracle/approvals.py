"""What the audit asks of refunds above the limit: each has the approval of another person."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "refunds_without_second_person",
        "sales of which one person gave back more than the limit of then, and nobody approved it",
        """SELECT COUNT(*) FROM (
             SELECT r.sale_id, r.made_by FROM refunds r
               LEFT JOIN refund_requests q
                 ON q.refund_id = r.id AND q.state = 'approved' AND q.asked_by = r.made_by
                AND q.decided_by <> q.asked_by
              WHERE r.limit_minor IS NOT NULL AND q.id IS NULL
              GROUP BY r.sale_id, r.made_by
             HAVING SUM(r.total_minor) > MAX(r.limit_minor)) AS alone""",
    ),
    (
        "refund_requests_off",
        "approved refunds of another sale or another amount than was asked for",
        """SELECT COUNT(*) FROM refund_requests q
             LEFT JOIN refunds r ON r.id = q.refund_id
            WHERE q.state = 'approved'
              AND (r.id IS NULL OR r.sale_id <> q.sale_id OR r.total_minor <> q.total_minor)""",
    ),
)
