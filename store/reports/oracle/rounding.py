"""What the audit asks of rounding: the drawer has what was paid as coins could pay it, and the
account of the differences is their sum."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "rounding_not_booked",
        "sales, refunds and empties whose rounding is not booked exactly once, or is booked for "
        "nothing",
        """SELECT COUNT(*) FROM (
             SELECT id FROM (
               SELECT id, rounding_minor AS amount, 1 AS many FROM sales WHERE rounding_minor <> 0
               UNION ALL
               SELECT id, -rounding_minor, 1 FROM refunds WHERE rounding_minor <> 0
               UNION ALL
               SELECT id, -rounding_minor, 1 FROM empties WHERE rounding_minor <> 0
               UNION ALL
               SELECT t.note, CASE WHEN a.code = 'cash:' || t.currency
                                   THEN -t.amount_minor ELSE t.amount_minor END, -1
                 FROM transfers t JOIN accounts a ON a.id = t.debit_id
                WHERE t.reason = 'rounding') AS sides
             GROUP BY id HAVING SUM(amount) <> 0 OR SUM(many) <> 0) AS off""",
    ),
    (
        "rounding_account_off",
        "currencies in which the account of rounding is not what was rounded",
        """SELECT COUNT(*) FROM (
             SELECT currency FROM (
               SELECT a.currency, t.amount_minor AS amount FROM transfers t
                 JOIN accounts a ON a.id = t.credit_id WHERE a.code = 'rounding:' || a.currency
               UNION ALL
               SELECT a.currency, -t.amount_minor FROM transfers t
                 JOIN accounts a ON a.id = t.debit_id WHERE a.code = 'rounding:' || a.currency
               UNION ALL
               SELECT currency, -rounding_minor FROM sales WHERE rounding_minor <> 0
               UNION ALL
               SELECT s.currency, r.rounding_minor FROM refunds r
                 JOIN sales s ON s.id = r.sale_id WHERE r.rounding_minor <> 0
               UNION ALL
               SELECT currency, rounding_minor FROM empties WHERE rounding_minor <> 0) AS sides
             GROUP BY currency HAVING SUM(amount) <> 0) AS off""",
    ),
    (
        "cash_of_sales_off",
        "sales in cash whose sum in the drawer is not their rounded total less what was given back "
        "in cash, or that gave back more than was paid",
        """SELECT COUNT(*) FROM (
             SELECT id FROM (
               SELECT id, total_minor + rounding_minor AS amount,
                      total_minor + rounding_minor AS kept
                 FROM sales WHERE means = 'cash'
               UNION ALL
               SELECT s.id, r.account_minor - r.total_minor - r.rounding_minor,
                      r.account_minor - r.total_minor - r.rounding_minor
                 FROM refunds r JOIN sales s ON s.id = r.sale_id WHERE s.means = 'cash'
               UNION ALL
               SELECT t.sale_id, -t.amount_minor, 0 FROM transfers t
                 JOIN accounts a ON a.id = t.debit_id AND a.code = 'cash:' || t.currency
                 JOIN sales s ON s.id = t.sale_id WHERE s.means = 'cash'
               UNION ALL
               SELECT t.sale_id, t.amount_minor, 0 FROM transfers t
                 JOIN accounts a ON a.id = t.credit_id AND a.code = 'cash:' || t.currency
                 JOIN sales s ON s.id = t.sale_id WHERE s.means = 'cash') AS sides
             GROUP BY id HAVING SUM(amount) <> 0 OR SUM(kept) < 0) AS off""",
    ),
)
