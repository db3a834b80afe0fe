"""What the audit asks of money that is held for orders: it is in the account, and nowhere twice."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "escrow_off",
        "sales of which another amount is held than the ledger says",
        """SELECT COUNT(*) FROM (
             SELECT sale_id FROM (
               SELECT t.sale_id, t.amount_minor AS amount FROM transfers t
                 JOIN accounts a ON a.id = t.credit_id WHERE a.code = 'escrow:' || a.currency
               UNION ALL
               SELECT t.sale_id, -t.amount_minor FROM transfers t
                 JOIN accounts a ON a.id = t.debit_id WHERE a.code = 'escrow:' || a.currency
               UNION ALL
               SELECT sale_id, -held_minor FROM escrows) AS sides
             GROUP BY sale_id HAVING SUM(amount) <> 0) AS off""",
    ),
    (
        "escrow_over_kept",
        "sales of which more is held than was paid for what is kept of them",
        """SELECT COUNT(*) FROM escrows e JOIN sales s ON s.id = e.sale_id
             LEFT JOIN (SELECT sale_id, SUM(total_minor) AS total
                          FROM refunds GROUP BY sale_id) AS r ON r.sale_id = s.id
            WHERE e.held_minor > s.total_minor - COALESCE(r.total, 0)""",
    ),
    (
        "escrow_arrived_early",
        "sales whose time runs, or that were released by it, while something is to come",
        """SELECT COUNT(*) FROM escrows e
            WHERE (e.state = 'arrived' OR e.how = 'timer') AND EXISTS (
              SELECT 1 FROM shipments h WHERE h.sale_id = e.sale_id
                 AND h.state IN ('open', 'picked', 'packed', 'under_way', 'shipped', 'failed'))""",
    ),
    (
        "complaints_off",
        "sales that are disputed without an open complaint, or the reverse",
        """SELECT (SELECT COUNT(*) FROM escrows e
                     LEFT JOIN complaints c ON c.sale_id = e.sale_id AND c.decided_at IS NULL
                    WHERE (e.state = 'disputed') <> (c.sale_id IS NOT NULL))
                + (SELECT COUNT(*) FROM complaints c
                     LEFT JOIN refunds r ON r.id = c.refund_id
                    WHERE c.refund_id IS NOT NULL AND (r.id IS NULL OR r.sale_id <> c.sale_id))""",
    ),
)
