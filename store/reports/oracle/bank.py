"""The oracle's lines for the bank: what came in is in the books once, and what lies there is what
nobody has yet."""

from __future__ import annotations

__all__ = ["RULES"]

_LIES = "'new', 'open', 'returning'"

RULES = (
    (
        "bank_entries_not_booked",
        "transfers that came in without their posting, and postings without such a transfer",
        """SELECT (SELECT COUNT(*) FROM bank_entries e LEFT JOIN transfers t ON t.id = e.transfer_id
                LEFT JOIN accounts d ON d.id = t.debit_id LEFT JOIN accounts c ON c.id = t.credit_id
               WHERE t.id IS NULL OR t.reason <> 'bank_in' OR t.amount_minor <> e.amount_minor
                  OR t.currency <> e.currency OR d.code <> 'bank:' || e.currency
                  OR c.code <> 'gateway:bank:' || e.currency)
             + (SELECT COUNT(*) FROM transfers t WHERE t.reason = 'bank_in'
                   AND NOT EXISTS (SELECT 1 FROM bank_entries e WHERE e.transfer_id = t.id))""",
    ),
    (
        "bank_entries_not_their_payment",
        "transfers that settled another payment than theirs, and payments that none has settled",
        """SELECT (SELECT COUNT(*) FROM bank_entries e LEFT JOIN attempts a ON a.id = e.attempt_id
               WHERE e.state = 'settled' AND (a.id IS NULL OR a.gateway <> 'bank'
                  OR a.currency <> e.currency OR a.amount_minor <> e.amount_minor - e.surplus_minor
                  OR a.state NOT IN ('captured', 'partly_refunded', 'refunded', 'disputed')))
             + (SELECT COUNT(*) FROM attempts a WHERE a.gateway = 'bank'
                   AND a.state IN ('captured', 'partly_refunded', 'refunded', 'disputed')
                   AND (SELECT COUNT(*) FROM bank_entries e
                         WHERE e.attempt_id = a.id AND e.state = 'settled') <> 1)""",
    ),
    (
        "bank_entries_gone_wrong",
        "transfers that left the books, or not, against what their state says",
        """SELECT COUNT(*) FROM bank_entries e
             LEFT JOIN transfers t ON t.reverses_id = e.transfer_id
            WHERE CASE e.state WHEN 'returned' THEN 'bank_out' WHEN 'repeated' THEN 'bank_repeated'
                       ELSE '' END <> COALESCE(t.reason, '')
               OR (t.id IS NOT NULL AND t.amount_minor <> e.amount_minor)""",
    ),
    (
        "bank_account_off",
        "currencies in which what lies with bank transfers is not what nobody has, and goes back",
        f"""SELECT COUNT(*) FROM (
             SELECT currency FROM (
               SELECT t.currency, t.amount_minor AS amount FROM transfers t
                 JOIN accounts a ON a.id = t.debit_id WHERE a.code = 'gateway:bank:' || t.currency
               UNION ALL
               SELECT t.currency, -t.amount_minor FROM transfers t
                 JOIN accounts a ON a.id = t.credit_id WHERE a.code = 'gateway:bank:' || t.currency
               UNION ALL
               SELECT e.currency, e.amount_minor FROM bank_entries e WHERE e.state IN ({_LIES})
               UNION ALL
               SELECT p.currency, p.amount_minor FROM paybacks p
                 JOIN attempts a ON a.id = p.attempt_id
                WHERE a.gateway = 'bank' AND p.state = 'waiting') AS sides
             GROUP BY currency HAVING SUM(amount) <> 0) AS off""",  # noqa: S608 - our own words
    ),
)
