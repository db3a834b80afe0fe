"""What the audit asks of providers' settlement files: each line booked once and as it says, no
posting settled twice, and what is owed is what nothing has settled yet."""

from __future__ import annotations

from . import tills

__all__ = ["RULES"]

_OWN = "('settled', 'settled_back', 'fee', 'fee_back', 'unmatched', 'unmatched_back')"

_RULES = (
    (
        "settlements_off",
        "lines of providers' files that did not book what they say, exactly once, to the bank and "
        "to the fees",
        """SELECT COUNT(*) FROM (
             SELECT note FROM (
               SELECT t.note, CASE WHEN t.reason LIKE 'settled%' THEN
                        CASE WHEN a.code LIKE 'bank:%' THEN t.amount_minor ELSE -t.amount_minor END
                      ELSE 0 END AS bank,
                      CASE WHEN t.reason LIKE 'fee%' THEN
                        CASE WHEN a.code LIKE 'fees:%' THEN t.amount_minor ELSE -t.amount_minor END
                      ELSE 0 END AS fees
                 FROM transfers t JOIN accounts a ON a.id = t.debit_id WHERE t.reason IN OWN_REASONS
               UNION ALL
               SELECT 'settlement ' || l.id, COALESCE(l.fee_minor, 0) - l.gross_minor,
                      -COALESCE(l.fee_minor, 0)
                 FROM settlement_lines l
                WHERE l.state IN ('matched', 'accepted') AND l.file_id IS NOT NULL) AS sides
             GROUP BY note HAVING SUM(bank) <> 0 OR SUM(fees) <> 0) AS off""",
    ),
    (
        "postings_settled_twice",
        "postings that several lines settle, or one of another means, currency or amount",
        """SELECT (SELECT COUNT(*) FROM (
             SELECT transfer_id FROM settlement_lines
              WHERE state IN ('matched', 'accepted') AND kind <> 'fee' AND transfer_id IS NOT NULL
              GROUP BY transfer_id HAVING COUNT(*) > 1) AS twice)
           + (SELECT COUNT(*) FROM settlement_lines l
                JOIN transfers t ON t.id = l.transfer_id
                JOIN accounts d ON d.id = t.debit_id JOIN accounts c ON c.id = t.credit_id
               WHERE l.state IN ('matched', 'accepted') AND l.kind <> 'fee'
                 AND (t.currency <> l.currency
                      OR CASE WHEN l.means = 'card' THEN 'card:' ELSE 'gateway:' || l.means || ':'
                         END || l.currency NOT IN (d.code, c.code)
                      OR (l.state = 'matched' AND t.amount_minor <> ABS(l.gross_minor))))""",
    ),
    (
        "owed_by_means_off",
        "accounts of what a means owes us that are not the postings which nothing has settled",
        """SELECT COUNT(*) FROM (
             SELECT account_id FROM (
               SELECT t.debit_id AS account_id,
                      CASE WHEN t.reason IN OWN_REASONS OR l.id IS NOT NULL
                           THEN t.amount_minor ELSE 0 END AS amount
                 FROM transfers t LEFT JOIN settlement_lines l ON l.transfer_id = t.id
                  AND l.state IN ('matched', 'accepted') AND l.kind <> 'fee'
               UNION ALL
               SELECT t.credit_id, CASE WHEN t.reason IN OWN_REASONS OR l.id IS NOT NULL
                        THEN -t.amount_minor ELSE 0 END
                 FROM transfers t LEFT JOIN settlement_lines l ON l.transfer_id = t.id
                  AND l.state IN ('matched', 'accepted') AND l.kind <> 'fee') AS sides
               JOIN accounts a ON a.id = sides.account_id
              WHERE a.code LIKE 'gateway:%' OR a.code LIKE 'card:%'
             GROUP BY account_id HAVING SUM(amount) <> 0) AS off""",
    ),
    (
        "settlement_files_half",
        "files that are done and have rows which nobody has decided on",
        """SELECT COUNT(*) FROM settlement_files f WHERE f.state = 'done' AND EXISTS (
             SELECT 1 FROM settlement_lines l WHERE l.file_id = f.id AND l.state = 'staged')""",
    ),
)

RULES = (
    *((name, meaning, query.replace("OWN_REASONS", _OWN)) for name, meaning, query in _RULES),
    *tills.RULES,
)
