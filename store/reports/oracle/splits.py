"""What the audit asks of purchases that an account and a gateway paid together, and of refunds that
went to an account instead of their source."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "asides_off",
        "currencies in which another amount is set aside than the open payments say",
        """SELECT COUNT(*) FROM (
             SELECT currency FROM (
               SELECT currency, amount_minor AS held FROM asides WHERE ended_at IS NULL
               UNION ALL
               SELECT t.currency, t.amount_minor FROM transfers t
                 JOIN accounts a ON a.id = t.debit_id WHERE a.code LIKE 'aside:%'
               UNION ALL
               SELECT t.currency, -t.amount_minor FROM transfers t
                 JOIN accounts a ON a.id = t.credit_id WHERE a.code LIKE 'aside:%') AS sides
             GROUP BY currency HAVING SUM(held) <> 0) AS off""",
    ),
    (
        "asides_not_their_attempts",
        "parts that are set aside for a payment which has ended, or came back before it did",
        """SELECT COUNT(*) FROM asides s JOIN attempts a ON a.id = s.attempt_id
            WHERE (s.ended_at IS NULL) <> (a.state IN ('created', 'pending', 'authorised'))
               OR a.member_id <> s.member_id OR a.currency <> s.currency""",
    ),
    (
        "account_parts_off",
        "sales of which the account paid another part than they say",
        """SELECT COUNT(*) FROM sales s
             LEFT JOIN (SELECT t.sale_id, SUM(t.amount_minor) AS total FROM transfers t
                          JOIN accounts a ON a.id = t.debit_id AND a.member_id IS NOT NULL
                         WHERE t.reason = 'charge' GROUP BY t.sale_id) AS c ON c.sale_id = s.id
            WHERE s.means <> 'account' AND COALESCE(c.total, 0) <> s.account_minor""",
    ),
    (
        "refunds_to_accounts_off",
        "sales of which the account got back another amount than their refunds say",
        """SELECT COUNT(*) FROM sales s
             LEFT JOIN (SELECT sale_id, SUM(account_minor) AS total
                          FROM refunds GROUP BY sale_id) AS r ON r.sale_id = s.id
             LEFT JOIN (SELECT t.sale_id, SUM(t.amount_minor) AS total FROM transfers t
                          JOIN accounts a ON a.id = t.credit_id AND a.member_id IS NOT NULL
                         WHERE t.reason = 'refund' GROUP BY t.sale_id) AS b ON b.sale_id = s.id
            WHERE COALESCE(r.total, 0)
                  <> CASE WHEN s.means = 'account' THEN 0 ELSE COALESCE(b.total, 0) END""",
    ),
)
