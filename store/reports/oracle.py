"""The audit: what must be true of the whole database, read in one snapshot. Every count must be 0.

It reads the tables by name and trusts no code of the rooms: sums are made anew from the history.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select, text

from ..db import Base, connection, db
from . import (
    oracle_acts,
    oracle_approvals,
    oracle_bank,
    oracle_bundles,
    oracle_cards,
    oracle_costs,
    oracle_couriers,
    oracle_deposits,
    oracle_escrow,
    oracle_exit,
    oracle_guests,
    oracle_marks,
    oracle_membership,
    oracle_points,
    oracle_rounding,
    oracle_sellers,
    oracle_splits,
)
from .audit import differences

__all__ = ["Finding", "audit", "figures"]


class Finding(NamedTuple):
    name: str
    count: int  # type: ignore[assignment]  # It hides tuple.count, which nobody asks a finding for.
    meaning: str


# Each query counts rows that break a rule. They are written so that both databases run them, and
# so that one scan of each table is enough.
_RULES = (
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
    (
        "levels_off",
        "levels that are not the sum of their movements",
        """SELECT COUNT(*) FROM (
             SELECT item_id, location_id, SUM(quantity) AS total FROM (
               SELECT item_id, location_id, quantity FROM movements
               UNION ALL SELECT item_id, location_id, -on_hand FROM levels) AS sides
             GROUP BY item_id, location_id HAVING SUM(quantity) <> 0) AS off""",
    ),
    (
        "levels_below_zero",
        "levels below zero",
        "SELECT COUNT(*) FROM levels WHERE on_hand < 0",
    ),
    (
        "batches_below_zero",
        "places from which more of a batch went than came",
        """SELECT COUNT(*) FROM (
             SELECT batch_id, location_id FROM movements WHERE batch_id IS NOT NULL
             GROUP BY batch_id, location_id HAVING SUM(quantity) < 0) AS off""",
    ),
    (
        "batches_of_other_items",
        "movements of a batch that is none of the item's",
        """SELECT COUNT(*) FROM movements m LEFT JOIN batches b ON b.id = m.batch_id
            WHERE m.batch_id IS NOT NULL AND (b.id IS NULL OR b.item_id <> m.item_id)""",
    ),
    (
        "batches_over_levels",
        "places where the batches of an item are more than is on hand",
        """SELECT COUNT(*) FROM (
             SELECT m.item_id, m.location_id FROM movements m
              WHERE m.batch_id IS NOT NULL GROUP BY m.item_id, m.location_id
             HAVING SUM(m.quantity) > COALESCE((SELECT l.on_hand FROM levels l
               WHERE l.item_id = m.item_id AND l.location_id = m.location_id), 0)) AS off""",
    ),
    (
        "reservations_taken_twice",
        "places where more reservations of a sale were taken than goods left the shelf for it",
        """SELECT COUNT(*) FROM (
             SELECT sale_id, item_id, location_id, SUM(quantity) AS total FROM (
               SELECT sale_id, item_id, location_id, quantity FROM reservations WHERE how = 'taken'
               UNION ALL
               SELECT sale_id, item_id, location_id, quantity FROM movements
                WHERE reason = 'sold'
                  AND sale_id IN (SELECT sale_id FROM reservations WHERE how = 'taken')) AS sides
             GROUP BY sale_id, item_id, location_id HAVING SUM(quantity) > 0) AS off""",
    ),
    (
        "reservations_without_sale",
        "goods that are kept without an end for a sale that does not exist",
        """SELECT COUNT(*) FROM reservations r LEFT JOIN sales s ON s.id = r.sale_id
            WHERE r.ended_at IS NULL AND r.ends_at IS NULL AND s.id IS NULL""",
    ),
    (
        "sold_from_quarantine",
        "goods that were sold from a quarantine, or are kept for somebody there",
        """SELECT COUNT(*) FROM (
             SELECT m.location_id FROM movements m WHERE m.reason = 'sold'
             UNION ALL
             SELECT r.location_id FROM reservations r WHERE r.ended_at IS NULL) AS gone
             JOIN locations p ON p.id = gone.location_id WHERE p.kind = 'quarantine'""",
    ),
    (
        "transit_off",
        "items in transit that are not the sum of the transfers, and of what is brought for "
        "collections, which have left and not arrived",
        """SELECT COUNT(*) FROM (
             SELECT item_id, SUM(quantity) AS total FROM (
               SELECT v.item_id, v.on_hand AS quantity FROM levels v
                 JOIN locations p ON p.id = v.location_id WHERE p.kind = 'transit'
               UNION ALL
               SELECT l.item_id, -l.expected FROM slip_lines l JOIN slips s ON s.id = l.slip_id
                WHERE s.kind = 'transfer' AND s.sent_at IS NOT NULL AND s.ended_at IS NULL
               UNION ALL
               SELECT l.item_id, -l.quantity FROM shipment_lines l
                 JOIN shipments h ON h.id = l.shipment_id WHERE h.state = 'under_way') AS way
             GROUP BY item_id HAVING SUM(quantity) <> 0) AS off""",
    ),
    (
        "orders_not_their_deliveries",
        "lines of orders whose received pieces are not the sum of the booked deliveries",
        """SELECT COUNT(*) FROM (
             SELECT slip_id, item_id, SUM(quantity) AS total FROM (
               SELECT l.slip_id, l.item_id, l.done AS quantity FROM slip_lines l
                 JOIN slips s ON s.id = l.slip_id WHERE s.kind = 'purchase'
               UNION ALL
               SELECT s.purchase_id, l.item_id, -l.done FROM slip_lines l
                 JOIN slips s ON s.id = l.slip_id
                WHERE s.kind = 'delivery' AND s.how = 'done' AND s.purchase_id IS NOT NULL) AS came
             GROUP BY slip_id, item_id HAVING SUM(quantity) <> 0) AS off""",
    ),
    (
        "write_offs_without_movement",
        "items at places of which more was written off than movements say",
        """SELECT COUNT(*) FROM (
             SELECT w.item_id, w.location_id FROM (
               SELECT item_id, location_id, SUM(quantity) AS total FROM write_offs
                GROUP BY item_id, location_id) AS w
             LEFT JOIN (
               SELECT item_id, location_id, -SUM(quantity) AS total FROM movements
                WHERE reason = 'written_off' GROUP BY item_id, location_id) AS m
               ON m.item_id = w.item_id AND m.location_id = w.location_id
            WHERE COALESCE(m.total, 0) < w.total) AS off""",
    ),
    (
        "sales_without_charge",
        "sales that cost something and have not exactly one charge of their total, or two of which "
        "one is the account's part",
        """SELECT COUNT(*) FROM sales s
             LEFT JOIN (SELECT sale_id, COUNT(*) AS many, SUM(amount_minor) AS total
                          FROM transfers WHERE reason = 'charge' GROUP BY sale_id) AS c
               ON c.sale_id = s.id
            WHERE s.total_minor > 0 AND (c.total IS NULL OR c.total <> s.total_minor
               OR c.many <> CASE WHEN s.account_minor > 0 THEN 2 ELSE 1 END)""",
    ),
    (
        "charges_without_sale",
        "charges of no sale",
        """SELECT COUNT(*) FROM transfers t LEFT JOIN sales s ON s.id = t.sale_id
            WHERE t.reason = 'charge' AND s.id IS NULL""",
    ),
    (
        "charges_of_others",
        "charges and refunds of another account than the sale's member's, or its cash or card's",
        """SELECT COUNT(*) FROM transfers t JOIN sales s ON s.id = t.sale_id
             JOIN accounts a ON a.id = CASE t.reason WHEN 'charge' THEN t.debit_id
                                                     ELSE t.credit_id END
            WHERE t.reason IN ('charge', 'refund')
              AND NOT (COALESCE(a.member_id = s.member_id, FALSE)
                       AND (s.account_minor > 0 OR t.reason = 'refund'))
              AND CASE s.means
                WHEN 'account' THEN COALESCE(a.member_id <> s.member_id, TRUE)
                WHEN 'cash' THEN a.member_id IS NOT NULL OR a.code <> 'cash:' || s.currency
                WHEN 'card' THEN a.member_id IS NOT NULL OR a.code <> 'card:' || s.currency
                WHEN 'delivery' THEN a.member_id IS NOT NULL OR a.code <> 'delivery:' || s.currency
                ELSE a.member_id IS NOT NULL
                  OR a.code <> 'gateway:' || s.means || ':' || s.currency END""",
    ),
    (
        "sales_not_their_lines",
        "sales whose total or tax is not the sum of their lines",
        """SELECT COUNT(*) FROM sales s
             LEFT JOIN (SELECT sale_id, SUM(total_minor) AS total, SUM(tax_minor) AS tax
                          FROM sale_lines WHERE kind <> 'part'
                         GROUP BY sale_id) AS l ON l.sale_id = s.id
            WHERE l.total IS NULL OR l.total <> s.total_minor OR l.tax <> s.tax_minor""",
    ),
    (
        "sales_not_their_movements",
        "sales whose goods did not leave the shelf (or are kept to leave it), or come back with a "
        "refund, exactly once",
        """SELECT COUNT(*) FROM (
             SELECT sale_id, item_id, SUM(quantity) AS total FROM (
               SELECT l.sale_id, COALESCE(p.item_id, l.item_id) AS item_id,
                      (l.quantity - l.quantity_refunded - l.quantity_opened)
                        * COALESCE(p.quantity, 1) AS quantity
                 FROM sale_lines l LEFT JOIN bundle_parts p ON p.bundle_id = l.item_id
                WHERE l.kind IN ('goods', 'part')
               UNION ALL
               SELECT r.sale_id, r.item_id, -r.quantity FROM reservations r
                 JOIN sales s ON s.id = r.sale_id WHERE r.ended_at IS NULL
               UNION ALL
               SELECT sale_id, item_id, quantity FROM movements WHERE sale_id IS NOT NULL) AS moved
             GROUP BY sale_id, item_id HAVING SUM(quantity) <> 0) AS off""",
    ),
    (
        "shipments_not_kept",
        "goods that wait for an order and are not kept for it where they wait, or the reverse",
        """SELECT COUNT(*) FROM (
             SELECT sale_id, item_id, location_id FROM (
               SELECT h.sale_id, l.item_id, h.location_id, l.quantity
                 FROM shipment_lines l JOIN shipments h ON h.id = l.shipment_id
                WHERE h.state IN ('open', 'picked', 'packed', 'under_way')
               UNION ALL
               SELECT r.sale_id, r.item_id, r.location_id, -r.quantity FROM reservations r
                 JOIN sales s ON s.id = r.sale_id AND s.fulfilment <> 'taken'
                WHERE r.ended_at IS NULL) AS sides
             GROUP BY sale_id, item_id, location_id HAVING SUM(quantity) <> 0) AS off""",
    ),
    (
        "shipments_not_their_movements",
        "goods that left for an order and did not leave the stock of the place that sent them",
        """SELECT COUNT(*) FROM (
             SELECT sale_id, item_id, location_id FROM (
               SELECT h.sale_id, l.item_id, h.location_id, l.quantity
                 FROM shipment_lines l JOIN shipments h ON h.id = l.shipment_id
                WHERE h.state IN ('shipped', 'failed', 'delivered', 'handed_over', 'put_back')
               UNION ALL
               SELECT m.sale_id, m.item_id, m.location_id, m.quantity FROM movements m
                 JOIN sales s ON s.id = m.sale_id AND s.fulfilment <> 'taken'
                WHERE m.reason = 'sold') AS sides
             GROUP BY sale_id, item_id, location_id HAVING SUM(quantity) <> 0) AS off""",
    ),
    (
        "keys_sold_twice",
        "purchase keys with two sales of one member, or of one seller",
        """SELECT COUNT(*) FROM (
             SELECT key FROM sales
             GROUP BY key, COALESCE(-sold_by, member_id), CASE WHEN member_id IS NULL
                                                       THEN guest_id END
            HAVING COUNT(*) > 1) AS off""",
    ),
    (
        "refunds_over_paid",
        "sales that gave back more than they cost, or another amount than their refunds say",
        """SELECT COUNT(*) FROM sales s
             LEFT JOIN (SELECT sale_id, SUM(total_minor) AS total
                          FROM refunds GROUP BY sale_id) AS r ON r.sale_id = s.id
             LEFT JOIN (SELECT sale_id, SUM(amount_minor) AS total
                          FROM transfers WHERE reason = 'refund' GROUP BY sale_id) AS t
               ON t.sale_id = s.id
            WHERE COALESCE(t.total, 0) <> COALESCE(r.total, 0)
               OR COALESCE(r.total, 0) > s.total_minor""",
    ),
    (
        "refunds_not_their_lines",
        "refunds whose total or tax is not the sum of their lines",
        """SELECT COUNT(*) FROM refunds r
             LEFT JOIN (SELECT refund_id, SUM(total_minor) AS total, SUM(tax_minor) AS tax
                          FROM refund_lines GROUP BY refund_id) AS l ON l.refund_id = r.id
            WHERE l.total IS NULL OR l.total <> r.total_minor OR l.tax <> r.tax_minor""",
    ),
    (
        "refunded_units_off",
        "lines of sales whose refunded units are not those of their refunds, or gave back less or "
        "more than their share",
        """SELECT COUNT(*) FROM sale_lines l
             LEFT JOIN (SELECT r.sale_id, b.position, SUM(b.quantity) AS quantity,
                               SUM(b.total_minor) AS total, SUM(b.tax_minor) AS tax
                          FROM refund_lines b JOIN refunds r ON r.id = b.refund_id
                         GROUP BY r.sale_id, b.position) AS g
               ON g.sale_id = l.sale_id AND g.position = l.position
            WHERE COALESCE(g.quantity, 0) <> l.quantity_refunded
               OR l.quantity_opened = 0 AND (
                  COALESCE(g.total, 0) <> l.total_minor * l.quantity_refunded / l.quantity
                  OR COALESCE(g.tax, 0) <> l.tax_minor * l.quantity_refunded / l.quantity)""",
    ),
    (
        "units_on_their_way_off",
        "lines of sales whose units on their way back are not those of their open returns",
        """SELECT COUNT(*) FROM sale_lines l
             LEFT JOIN (SELECT r.sale_id, b.position, SUM(b.quantity - b.quantity_received) AS many
                          FROM return_lines b JOIN returns r ON r.id = b.return_id
                         WHERE r.state IN ('declared', 'part_received')
                         GROUP BY r.sale_id, b.position) AS o
               ON o.sale_id = l.sale_id AND o.position = l.position
            WHERE COALESCE(o.many, 0) <> l.quantity_returning""",
    ),
    (
        "returns_not_their_decisions",
        "lines of returns whose received units are not those that were decided about",
        """SELECT COUNT(*) FROM return_lines l
             LEFT JOIN (SELECT return_id, position, SUM(quantity) AS many
                          FROM return_decisions GROUP BY return_id, position) AS d
               ON d.return_id = l.return_id AND d.position = l.position
            WHERE COALESCE(d.many, 0) <> l.quantity_received""",
    ),
    (
        "decisions_not_refunded",
        "units of returns that were decided about and whose money did not go back, or went twice",
        """SELECT COUNT(*) FROM (
             SELECT d.refund_id, d.position, d.many, b.quantity FROM (
               SELECT refund_id, position, SUM(quantity) AS many
                 FROM return_decisions GROUP BY refund_id, position) AS d
               LEFT JOIN refund_lines b
                 ON b.refund_id = d.refund_id AND b.position = d.position) AS both_
            WHERE quantity IS NULL OR many <> quantity""",
    ),
    (
        "states_off",
        "sales whose state does not say whether nothing, a part or all of them was given back",
        """SELECT COUNT(*) FROM sales s
             JOIN (SELECT sale_id, SUM(quantity - quantity_opened) AS sold,
                          SUM(quantity_refunded) AS back
                     FROM sale_lines GROUP BY sale_id) AS l ON l.sale_id = s.id
            WHERE (s.state IN ('refunded', 'cancelled')) <> (l.back = l.sold)
               OR (s.state = 'part_refunded')
                  <> (l.back > 0 AND l.back < l.sold AND s.state <> 'due')""",
    ),
    (
        "charges_reversed_too_far",
        "transfers of which more was reversed than they moved, or in another order than they say",
        """SELECT COUNT(*) FROM (
             SELECT reverses_id, SUM(amount_minor) AS total,
                    MAX(reversed_before_minor + amount_minor) AS last
               FROM transfers WHERE reverses_id IS NOT NULL GROUP BY reverses_id) AS r
             JOIN transfers t ON t.id = r.reverses_id
            WHERE r.total > t.amount_minor OR r.last <> r.total""",
    ),
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
               SELECT currency, amount_minor AS held FROM disputes WHERE state = 'open'
               UNION ALL
               SELECT t.currency, -t.amount_minor FROM transfers t
                 JOIN accounts a ON a.id = t.debit_id WHERE a.code LIKE 'disputed:%'
               UNION ALL
               SELECT t.currency, t.amount_minor FROM transfers t
                 JOIN accounts a ON a.id = t.credit_id WHERE a.code LIKE 'disputed:%') AS sides
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
    (
        "passes_used_twice",
        "exit passes with two accepted checks",
        """SELECT COUNT(*) FROM (
             SELECT sale_id FROM exit_checks WHERE outcome = 'accepted'
             GROUP BY sale_id HAVING COUNT(*) > 1) AS off""",
    ),
    (
        "feed_entries_counted_twice",
        "ids of a feed of which two versions count",
        """SELECT COUNT(*) FROM (
             SELECT source_id, entry FROM feed_entries WHERE state = 'applied'
             GROUP BY source_id, entry HAVING COUNT(*) > 1) AS off""",
    ),
    (
        "outbox_without_cause",
        "outbox rows about a sale or refund that does not exist",
        """SELECT COUNT(*) FROM outbox o
             LEFT JOIN sales s ON s.id = o.subject LEFT JOIN refunds r ON r.id = o.subject
            WHERE (o.topic IN ('sale.paid', 'sale.claimed') AND s.id IS NULL)
               OR (o.topic = 'sale.refunded' AND r.id IS NULL)""",
    ),
    (
        "outbox_dead",
        "outbox rows that failed so often that a person must look",
        "SELECT COUNT(*) FROM outbox WHERE next_at IS NULL",
    ),
)


MORE = (
    *oracle_deposits.RULES, *oracle_couriers.RULES, *oracle_bundles.RULES, *oracle_costs.RULES,
    *oracle_sellers.RULES, *oracle_escrow.RULES, *oracle_splits.RULES, *oracle_membership.RULES,
    *oracle_approvals.RULES, *oracle_rounding.RULES, *oracle_marks.RULES, *oracle_acts.RULES,
    *oracle_points.RULES, *oracle_guests.RULES, *oracle_cards.RULES,
    *oracle_exit.RULES,
    *oracle_bank.RULES,
)  # fmt: skip


def audit() -> list[Finding]:
    """All rules over the whole database, in one snapshot."""
    db.session.rollback()
    conn = connection()
    if conn.dialect.name == "postgresql":
        conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    findings = [
        Finding(name, int(conn.execute(text(query)).scalar_one()), meaning)
        for name, meaning, query in (*_RULES, *MORE)
    ]
    findings.append(
        Finding(
            "takings_off", sum(differences().values()), "rows of takings that are not their sales"
        )
    )
    db.session.rollback()
    return findings


def figures() -> dict[str, int]:
    """How much there is: what an audit has looked at."""
    names = ("members", "items", "sales", "sale_lines", "transfers", "movements", "outbox")
    return {
        name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for name, table in Base.metadata.tables.items()
        if name in names
    }
