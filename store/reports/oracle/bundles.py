"""What the audit asks of bundles of which a part came back: what was opened, and for how much."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "opened_bundles_not_their_parts",
        "bundles of sales whose opened units are not the lines of their parts",
        """SELECT COUNT(*) FROM (
             SELECT sale_id, position, item_id FROM (
               SELECT l.sale_id, l.position, p.item_id, l.quantity_opened * p.quantity AS quantity
                 FROM sale_lines l JOIN bundle_parts p ON p.bundle_id = l.item_id
                WHERE l.kind = 'goods' AND l.quantity_opened > 0
               UNION ALL
               SELECT sale_id, of_position, item_id, -quantity FROM sale_lines
                WHERE kind = 'part') AS sides
             GROUP BY sale_id, position, item_id HAVING SUM(quantity) <> 0) AS off""",
    ),
    (
        "opened_bundles_not_their_price",
        "bundles of sales whose opened units and what went back of them whole are another amount "
        "than was paid for these units",
        """SELECT COUNT(*) FROM sale_lines l
             LEFT JOIN (SELECT sale_id, of_position, SUM(total_minor) AS total,
                               SUM(tax_minor) AS tax
                          FROM sale_lines WHERE kind = 'part' GROUP BY sale_id, of_position) AS p
               ON p.sale_id = l.sale_id AND p.of_position = l.position
             LEFT JOIN (SELECT r.sale_id, b.position, SUM(b.total_minor) AS total,
                               SUM(b.tax_minor) AS tax
                          FROM refund_lines b JOIN refunds r ON r.id = b.refund_id
                         GROUP BY r.sale_id, b.position) AS g
               ON g.sale_id = l.sale_id AND g.position = l.position
            WHERE l.quantity_opened > 0 AND (
                  COALESCE(p.total, 0) + COALESCE(g.total, 0)
                    <> l.total_minor * (l.quantity_refunded + l.quantity_opened) / l.quantity
               OR COALESCE(p.tax, 0) + COALESCE(g.tax, 0)
                    <> l.tax_minor * (l.quantity_refunded + l.quantity_opened) / l.quantity)""",
    ),
)
