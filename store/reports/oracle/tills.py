"""What the audit asks of tills: closed days are numbered without gaps, are what they were made of,
and the cash that came, went or differed is booked."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "till_numbers_off",
        "tills whose closed days are not numbered from 1 on without gaps, or with two days open",
        """SELECT COUNT(*) FROM (
             SELECT till_id FROM till_days GROUP BY till_id
             HAVING COUNT(number) <> COALESCE(MAX(number), 0)
                OR SUM(CASE WHEN closed_at IS NULL THEN 1 ELSE 0 END) > 1) AS off""",
    ),
    (
        "till_days_off",
        "closed days of which a means should hold another sum than their entries add up to",
        """SELECT COUNT(*) FROM (
             SELECT day_id, means FROM (
               SELECT day_id, means, expected_minor AS amount FROM till_counts
               UNION ALL
               SELECT day_id, means, -amount_minor FROM till_entries
               UNION ALL
               SELECT id, 'cash', -opening_minor FROM till_days WHERE closed_at IS NOT NULL) AS s
             GROUP BY day_id, means HAVING SUM(amount) <> 0) AS off""",
    ),
    (
        "till_entries_off",
        "sales, refunds, empties, moves and money paid in that stand in a closed day with another "
        "sum than their own",
        """SELECT (SELECT COUNT(*) FROM till_entries e LEFT JOIN sales s ON s.id = e.source_id
               WHERE e.kind = 'sale' AND (s.id IS NULL OR s.means <> e.means
                  OR s.total_minor + s.rounding_minor <> e.amount_minor))
           + (SELECT COUNT(*) FROM till_entries e LEFT JOIN refunds r ON r.id = e.source_id
               WHERE e.kind = 'refund' AND (r.id IS NULL
                  OR r.account_minor - r.total_minor - r.rounding_minor <> e.amount_minor))
           + (SELECT COUNT(*) FROM till_entries e LEFT JOIN empties m ON m.id = e.source_id
               WHERE e.kind = 'empties' AND (m.id IS NULL
                  OR -m.total_minor - m.rounding_minor <> e.amount_minor))
           + (SELECT COUNT(*) FROM till_entries e LEFT JOIN till_moves m ON m.id = e.source_id
               WHERE e.kind = 'move' AND (m.id IS NULL OR m.amount_minor <> e.amount_minor))
           + (SELECT COUNT(*) FROM till_entries e LEFT JOIN pay_ins p ON p.id = e.source_id
               WHERE e.kind = 'pay_in' AND (p.id IS NULL OR p.amount_minor <> e.amount_minor))""",
    ),
    (
        "pay_ins_not_booked_once",
        "money paid in or out at a till that is not booked exactly once in its member's account, "
        "or is booked without a till that says so",
        """SELECT COUNT(*) FROM (
             SELECT id FROM (
               SELECT id, member_id, amount_minor, 1 AS many FROM pay_ins
               UNION ALL
               SELECT t.note, a.member_id, -t.amount_minor, -1 FROM transfers t
                 JOIN accounts a ON a.id = t.credit_id WHERE t.reason = 'paid_in'
               UNION ALL
               SELECT t.note, a.member_id, t.amount_minor, -1 FROM transfers t
                 JOIN accounts a ON a.id = t.debit_id WHERE t.reason = 'paid_out') AS sides
             GROUP BY id, member_id HAVING SUM(amount_minor) <> 0 OR SUM(many) <> 0) AS off""",
    ),
    (
        "till_cash_off",
        "currencies in which the cash that tills moved, banked or differed by is not booked",
        """SELECT COUNT(*) FROM (
             SELECT currency FROM (
               SELECT t.currency, c.counted_minor - c.expected_minor AS differed, 0 AS banked,
                      0 AS moved
                 FROM till_counts c JOIN till_days d ON d.id = c.day_id
                 JOIN tills t ON t.id = d.till_id WHERE c.means = 'cash'
               UNION ALL
               SELECT t.currency, d.opening_minor - d.left_minor, COALESCE(d.banked_minor, 0), 0
                 FROM till_days d JOIN tills t ON t.id = d.till_id
               UNION ALL
               SELECT t.currency, 0, 0, m.amount_minor FROM till_moves m
                 JOIN tills t ON t.id = m.till_id
               UNION ALL
               SELECT t.currency, 0, 0, f.left_minor FROM tills t
                 JOIN till_days f ON f.till_id = t.id
                WHERE f.opened_at = (SELECT MIN(o.opened_at) FROM till_days o
                                      WHERE o.till_id = t.id)
               UNION ALL
               SELECT currency,
                      CASE reason WHEN 'till_over' THEN -amount_minor
                                  WHEN 'till_short' THEN amount_minor ELSE 0 END,
                      CASE reason WHEN 'till_banked' THEN -amount_minor ELSE 0 END,
                      CASE reason WHEN 'till_in' THEN -amount_minor
                                  WHEN 'till_out' THEN amount_minor ELSE 0 END
                 FROM transfers WHERE reason IN
                  ('till_over', 'till_short', 'till_banked', 'till_in', 'till_out')) AS sides
             GROUP BY currency
            HAVING SUM(differed) <> 0 OR SUM(banked) <> 0 OR SUM(moved) <> 0) AS off""",
    ),
)
