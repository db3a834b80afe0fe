"""What the audit asks of money from outside: attempts, notices, disputes, what goes back."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "attempts_not_booked_once",
        "attempts whose money came and is not booked exactly once, or is booked and did not come",
        """SELECT COUNT(*) FROM (
             SELECT id FROM (
               SELECT id, amount_minor FROM attempts
                WHERE state IN ('captured', 'partly_refunded', 'refunded', 'disputed')
               UNION ALL
               SELECT attempt_id, -amount_minor FROM transfers
                WHERE attempt_id IS NOT NULL) AS both_
             GROUP BY id HAVING SUM(amount_minor) <> 0) AS off""",
    ),
    (
        "attempts_not_their_sale",
        "attempts for a sale whose money came and neither made that sale nor goes back, or both",
        """SELECT COUNT(*) FROM attempts a
             LEFT JOIN transfers t ON t.attempt_id = a.id
            WHERE a.purpose = 'sale' AND COALESCE(t.reason, '') <> CASE
                WHEN a.state NOT IN ('captured', 'partly_refunded', 'refunded', 'disputed') THEN ''
                WHEN a.sale_id IS NULL THEN 'late' ELSE 'charge' END
               OR (t.reason = 'charge' AND t.sale_id <> a.sale_id)""",
    ),
    (
        "paybacks_off",
        "attempts of which another amount is on its way back than was given back, or whose state "
        "says another",
        """SELECT COUNT(*) FROM attempts a
             LEFT JOIN (SELECT attempt_id, SUM(amount_minor) AS asked,
                               SUM(CASE state WHEN 'done' THEN amount_minor ELSE 0 END) AS gone
                          FROM paybacks WHERE state <> 'refused' GROUP BY attempt_id) AS p
               ON p.attempt_id = a.id
            WHERE COALESCE(p.asked, 0) <> a.refunded_minor
               OR (a.state <> 'disputed'
                   AND (a.state = 'refunded') <> (COALESCE(p.gone, 0) = a.amount_minor))""",
    ),
    (
        "disputes_not_held",
        "currencies in which another amount is held for disputes than their open ones say",
        """SELECT COUNT(*) FROM (
             SELECT currency FROM (
               SELECT currency, amount_minor AS held FROM disputes
                WHERE state = 'open' AND kind = 'dispute'
               UNION ALL
               SELECT t.currency, -t.amount_minor FROM transfers t
                 JOIN accounts a ON a.id = t.debit_id WHERE a.code LIKE 'disputed:%'
               UNION ALL
               SELECT t.currency, t.amount_minor FROM transfers t
                 JOIN accounts a ON a.id = t.credit_id WHERE a.code LIKE 'disputed:%') AS sides
             GROUP BY currency HAVING SUM(held) <> 0) AS off""",
    ),
    (
        "disputes_not_their_payment",
        "disputes and complaints over money that did not come, of another provider or currency, "
        "or over more than came",
        """SELECT COUNT(*) FROM disputes d JOIN attempts a ON a.id = d.attempt_id
            WHERE a.state NOT IN ('captured', 'partly_refunded', 'refunded', 'disputed')
               OR d.gateway <> a.gateway OR d.currency <> a.currency
               OR d.amount_minor > a.amount_minor
               OR (d.phone <> '' AND d.closed_at IS NOT NULL)""",
    ),
    (
        "withheld_not_held",
        "currencies in which another amount is withheld for disputes than their open ones say",
        """SELECT COUNT(*) FROM (
             SELECT currency FROM (
               SELECT currency, withheld_minor AS held FROM disputes WHERE state = 'open'
               UNION ALL
               SELECT t.currency, t.amount_minor FROM transfers t
                 JOIN accounts a ON a.id = t.debit_id WHERE a.code LIKE 'withheld:%'
               UNION ALL
               SELECT t.currency, -t.amount_minor FROM transfers t
                 JOIN accounts a ON a.id = t.credit_id WHERE a.code LIKE 'withheld:%') AS sides
             GROUP BY currency HAVING SUM(held) <> 0) AS off""",
    ),
    (
        "goods_kept_for_no_payment",
        "goods that are kept for a payment which is not open any more",
        """SELECT COUNT(*) FROM reservations r JOIN attempts a ON a.id = r.sale_id
            WHERE r.ended_at IS NULL AND r.ends_at > a.settled_at
              AND a.state NOT IN ('created', 'pending', 'authorised')""",
    ),
    (
        "notices_taken_twice",
        "notices that were taken more than once",
        """SELECT COUNT(*) FROM (
             SELECT digest FROM attempt_events WHERE refused = '' AND digest <> ''
             GROUP BY gateway, digest HAVING COUNT(*) > 1) AS off""",
    ),
    (
        "attempts_not_their_events",
        "attempts that are in another state than the last event that moved them says",
        """SELECT COUNT(*) FROM attempts a
             JOIN attempt_events e ON e.id = (
               SELECT MAX(id) FROM attempt_events WHERE attempt_id = a.id AND refused = '')
            WHERE e.state <> a.state""",
    ),
)
