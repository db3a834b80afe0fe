"""What the audit asks of purchases without an account: each is claimed once, if at all."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "guest_sales_off",
        "sales of guests that came into a name without a claim, or into another one than it says",
        """SELECT COUNT(*) FROM sales s LEFT JOIN claims c ON c.sale_id = s.id
             LEFT JOIN merges m ON m.gone_id = c.member_id
            WHERE (s.guest_id IS NOT NULL AND (s.member_id IS NULL) <> (c.sale_id IS NULL))
               OR (c.sale_id IS NOT NULL
                   AND (COALESCE(m.now_id, c.member_id) <> s.member_id
                        OR COALESCE(c.guest_id <> s.guest_id, TRUE)))""",
    ),
    (
        "guest_sales_from_accounts",
        "sales of guests that were not paid by a provider alone",
        """SELECT COUNT(*) FROM sales WHERE guest_id IS NOT NULL
              AND (account_minor <> 0 OR channel <> 'shelf'
                   OR means IN ('account', 'cash', 'card', 'delivery'))""",
    ),
    (
        "guest_money_to_accounts",
        "money that went to an account for a sale of a guest which is in nobody's name",
        """SELECT COUNT(*) FROM transfers t JOIN sales s ON s.id = t.sale_id
             JOIN accounts a ON a.id = t.credit_id
            WHERE s.guest_id IS NOT NULL AND s.member_id IS NULL AND a.member_id IS NOT NULL""",
    ),
)
