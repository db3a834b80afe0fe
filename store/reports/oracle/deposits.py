"""What the audit asks of deposits: what is owed is what was sold less what came back."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "deposits_owed_off",
        "currencies in which the account of deposits is not what was sold less what came back",
        """SELECT COUNT(*) FROM (
             SELECT currency FROM (
               SELECT a.currency, t.amount_minor AS amount FROM transfers t
                 JOIN accounts a ON a.id = t.credit_id WHERE a.code = 'deposits:' || a.currency
               UNION ALL
               SELECT a.currency, -t.amount_minor FROM transfers t
                 JOIN accounts a ON a.id = t.debit_id WHERE a.code = 'deposits:' || a.currency
               UNION ALL
               SELECT s.currency, -l.total_minor FROM sale_lines l
                 JOIN sales s ON s.id = l.sale_id WHERE l.kind = 'deposit'
               UNION ALL
               SELECT s.currency, b.total_minor FROM refund_lines b
                 JOIN refunds r ON r.id = b.refund_id JOIN sales s ON s.id = r.sale_id
                 JOIN sale_lines l ON l.sale_id = s.id AND l.position = b.position
                WHERE l.kind = 'deposit'
               UNION ALL
               SELECT currency, total_minor FROM empties) AS sides
             GROUP BY currency HAVING SUM(amount) <> 0) AS off""",
    ),
    (
        "deposits_without_goods",
        "deposits that did not come with their goods, or did not go back with them",
        """SELECT COUNT(*) FROM sale_lines d
             LEFT JOIN sale_lines l ON l.sale_id = d.sale_id AND l.position = d.of_position
            WHERE d.kind = 'deposit' AND COALESCE(l.quantity_opened, 0) = 0
              AND (l.kind IS NULL OR l.kind <> 'goods' OR d.quantity % l.quantity <> 0
                   OR d.quantity * l.quantity_refunded <> d.quantity_refunded * l.quantity)""",
    ),
    (
        "empties_not_paid_once",
        "empties whose deposit is not the sum of their lines, or was not paid out exactly once",
        """SELECT COUNT(*) FROM (
             SELECT id FROM (
               SELECT id, total_minor AS amount, 0 AS line, 1 AS many FROM empties
               UNION ALL
               SELECT note, -amount_minor, 0, -1 FROM transfers WHERE reason = 'empties'
               UNION ALL
               SELECT id, 0, total_minor, 0 FROM empties
               UNION ALL
               SELECT empties_id, 0, -total_minor, 0 FROM empty_lines) AS sides
             GROUP BY id HAVING SUM(amount) <> 0 OR SUM(line) <> 0 OR SUM(many) <> 0) AS off""",
    ),
)
