"""What the audit asks of refunds and returns."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
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
)
