"""What the audit asks of the ledger: that it adds up, and that no account is overdrawn."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "transfers_unbalanced",
        "currencies in which debits and credits over all accounts do not add up to zero",
        """SELECT COUNT(*) FROM (
             SELECT currency, SUM(amount) AS total FROM (
               SELECT a.currency, t.amount_minor AS amount
                 FROM transfers t JOIN accounts a ON a.id = t.credit_id
               UNION ALL
               SELECT a.currency, -t.amount_minor
                 FROM transfers t JOIN accounts a ON a.id = t.debit_id) AS sides
             GROUP BY currency HAVING SUM(amount) <> 0) AS off""",
    ),
    (
        "transfers_across_currencies",
        "transfers whose currency is not that of both accounts",
        """SELECT COUNT(*) FROM transfers t
             LEFT JOIN accounts d ON d.id = t.debit_id LEFT JOIN accounts c ON c.id = t.credit_id
            WHERE d.currency IS NULL OR c.currency IS NULL
               OR d.currency <> t.currency OR c.currency <> t.currency""",
    ),
    (
        "balances_off",
        "shoppers' accounts whose balance is not the sum of their transfers",
        """SELECT COUNT(*) FROM accounts a
             LEFT JOIN (
               SELECT account_id, SUM(amount) AS total FROM (
                 SELECT credit_id AS account_id, amount_minor AS amount FROM transfers
                 UNION ALL SELECT debit_id, -amount_minor FROM transfers) AS sides
               GROUP BY account_id) AS sums ON sums.account_id = a.id
            WHERE a.balance_minor IS NOT NULL AND a.balance_minor <> COALESCE(sums.total, 0)""",
    ),
    (
        "balances_below_zero",
        "shoppers' accounts below zero",
        "SELECT COUNT(*) FROM accounts WHERE balance_minor < 0",
    ),
)
