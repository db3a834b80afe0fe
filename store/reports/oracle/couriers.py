"""What the audit asks of orders that are paid at the door: what is due is what the ledger says, and
the cash of every courier is what they took and have not handed in."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "dues_off",
        "sales that say that something is to be paid at the door and the ledger does not, or the "
        "reverse",
        """SELECT COUNT(*) FROM sales s
             LEFT JOIN (SELECT sale_id, SUM(amount) AS due FROM (
                 SELECT t.sale_id, t.amount_minor AS amount FROM transfers t
                   JOIN accounts a ON a.id = t.debit_id WHERE a.code = 'delivery:' || a.currency
                 UNION ALL
                 SELECT t.sale_id, -t.amount_minor FROM transfers t
                   JOIN accounts a ON a.id = t.credit_id WHERE a.code = 'delivery:' || a.currency
               ) AS sides GROUP BY sale_id) AS d ON d.sale_id = s.id
            WHERE (s.means = 'delivery' OR s.state = 'due') AND (COALESCE(d.due, 0) < 0
               OR (s.state = 'due') <> (COALESCE(d.due, 0) > 0))""",
    ),
    (
        "dues_without_parcel",
        "orders to be paid at the door of which nothing is on its way there",
        """SELECT COUNT(*) FROM sales s WHERE s.state = 'due' AND NOT EXISTS (
             SELECT 1 FROM shipments h WHERE h.sale_id = s.id
                AND h.state IN ('open', 'picked', 'packed', 'shipped', 'failed'))""",
    ),
    (
        "takings_at_the_door_off",
        "sales of which couriers took another amount than was booked, or for a parcel that did not "
        "arrive",
        """SELECT COUNT(*) FROM (
             SELECT sale_id FROM (
               SELECT sale_id, amount_minor AS amount, 0 AS stray FROM transfers
                WHERE reason = 'collected'
               UNION ALL
               SELECT c.sale_id, -c.amount_minor,
                      CASE WHEN h.state = 'delivered' AND h.sale_id = c.sale_id THEN 0 ELSE 1 END
                 FROM courier_takings c LEFT JOIN shipments h ON h.id = c.shipment_id) AS sides
             GROUP BY sale_id HAVING SUM(amount) <> 0 OR SUM(stray) > 0) AS off""",
    ),
    (
        "couriers_cash_off",
        "couriers whose account is not what they took and have not handed in",
        """SELECT COUNT(*) FROM (
             SELECT code FROM (
               SELECT a.code, t.amount_minor AS amount FROM transfers t
                 JOIN accounts a ON a.id = t.debit_id WHERE a.code LIKE 'courier:%'
               UNION ALL
               SELECT a.code, -t.amount_minor FROM transfers t
                 JOIN accounts a ON a.id = t.credit_id WHERE a.code LIKE 'courier:%'
               UNION ALL
               SELECT 'courier:' || courier_id || ':' || currency, -amount_minor
                 FROM courier_takings WHERE hand_in_id IS NULL) AS sides
             GROUP BY code HAVING SUM(amount) <> 0) AS off""",
    ),
    (
        "hand_ins_off",
        "counts of couriers' cash that are not their parcels, and currencies in which what was "
        "counted, or differed, is not booked",
        """SELECT (SELECT COUNT(*) FROM courier_hand_ins i
             LEFT JOIN (SELECT hand_in_id, SUM(amount_minor) AS total FROM courier_takings
                         WHERE hand_in_id IS NOT NULL GROUP BY hand_in_id) AS c
               ON c.hand_in_id = i.id
            WHERE COALESCE(c.total, 0) <> i.expected_minor)
           + (SELECT COUNT(*) FROM (
             SELECT currency FROM (
               SELECT currency, counted_minor AS counted, counted_minor - expected_minor AS over_
                 FROM courier_hand_ins
               UNION ALL
               SELECT currency, CASE reason WHEN 'handed_in' THEN -amount_minor ELSE 0 END,
                      CASE reason WHEN 'cash_over' THEN -amount_minor
                                  WHEN 'cash_short' THEN amount_minor ELSE 0 END
                 FROM transfers WHERE reason IN ('handed_in', 'cash_over', 'cash_short')) AS sides
             GROUP BY currency HAVING SUM(counted) <> 0 OR SUM(over_) <> 0) AS off)""",
    ),
)
