"""What the audit asks of the logbook: what it tells of has happened, and nobody is named in it."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "acts_of_refunds_off",
        "acts that tell of a refund that is not there, is another sale's or of another amount",
        """SELECT COUNT(*) FROM acts a LEFT JOIN refunds r ON r.id = a.after ->> 'refund'
            WHERE a.verb = 'refund.made'
              AND (r.id IS NULL OR r.sale_id <> a.object
                   OR CAST(a.after ->> 'total_minor' AS BIGINT) <> r.total_minor)""",
    ),
    (
        "acts_of_returns_off",
        "acts that tell of goods taken back for a refund that is not there, or another sale's",
        """SELECT COUNT(*) FROM acts a LEFT JOIN refunds r ON r.id = a.after ->> 'refund'
            WHERE a.verb = 'return.received' AND (r.id IS NULL OR r.sale_id <> a.object)""",
    ),
    (
        "acts_of_closed_tills_off",
        "acts that tell of a till's close that is not there, or of another person's",
        """SELECT COUNT(*) FROM acts a LEFT JOIN till_days d ON d.id = a.object
            WHERE a.verb = 'till.closed'
              AND (d.id IS NULL OR d.closed_at IS NULL OR d.closed_by <> a.member_id)""",
    ),
)
