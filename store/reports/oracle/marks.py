"""What the audit asks of the marks along busy accounts."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "account_marks_off",
        "accounts whose newest mark says another sum than their transfers up to it",
        """SELECT COUNT(*) FROM account_marks m
            WHERE NOT EXISTS (SELECT 1 FROM account_marks n WHERE n.account_id = m.account_id
                                 AND n.transfer_id > m.transfer_id)
              AND (m.came_minor <> (SELECT COALESCE(SUM(t.amount_minor), 0) FROM transfers t
                                     WHERE t.credit_id = m.account_id AND t.id <= m.transfer_id)
                OR m.went_minor <> (SELECT COALESCE(SUM(t.amount_minor), 0) FROM transfers t
                                     WHERE t.debit_id = m.account_id AND t.id <= m.transfer_id))""",
    ),
)
