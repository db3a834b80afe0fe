"""What the audit asks of stock: levels, batches, reservations, and what is on its way."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
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
)
