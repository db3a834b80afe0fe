"""What the audit asks of sales and orders: their money, their lines and their goods."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
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
             LEFT JOIN merges m ON m.gone_id = a.member_id
            WHERE t.reason IN ('charge', 'refund')
              AND NOT (COALESCE(COALESCE(m.now_id, a.member_id) = s.member_id, FALSE)
                       AND (s.account_minor > 0 OR t.reason = 'refund'))
              AND CASE s.means
                WHEN 'account' THEN COALESCE(COALESCE(m.now_id, a.member_id) <> s.member_id, TRUE)
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
)
