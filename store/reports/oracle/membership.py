"""What the audit asks of membership: what was taken off stands in the lines, and what may be had so
many times was had no more often."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "reductions_off",
        "lines of sales whose offers are not what was taken off them",
        """SELECT COUNT(*) FROM (
             SELECT sale_id, position FROM (
               SELECT sale_id, position, off_minor AS amount FROM sale_lines WHERE off_minor <> 0
               UNION ALL
               SELECT sale_id, position, -amount_minor FROM reductions) AS sides
             GROUP BY sale_id, position HAVING SUM(amount) <> 0) AS off""",
    ),
    (
        "reduced_lines_off",
        "lines whose total is not their price less what was taken off, with the tax in it or on it",
        """SELECT COUNT(*) FROM sale_lines
            WHERE off_minor <> 0 AND kind = 'goods'
              AND total_minor <> unit_minor * quantity - off_minor
              AND total_minor <> unit_minor * quantity - off_minor + tax_minor""",
    ),
    (
        "coupons_miscounted",
        "coupons that were used otherwise than they count, or too often",
        """SELECT COUNT(*) FROM coupons c
             LEFT JOIN (SELECT coupon_id, COUNT(*) AS many FROM offer_uses
                         WHERE coupon_id IS NOT NULL GROUP BY coupon_id) AS u ON u.coupon_id = c.id
            WHERE c.used <> COALESCE(u.many, 0) OR c.used > COALESCE(c.most_uses, c.used)""",
    ),
    (
        "coupons_used_too_often_by_one",
        "members who used a coupon more often than its offer lets one member",
        """SELECT COUNT(*) FROM (
             SELECT u.coupon_id, u.member_id FROM offer_uses u
               JOIN offers o ON o.id = u.offer_id
              WHERE u.coupon_id IS NOT NULL AND u.member_id IS NOT NULL
                AND o.most_each IS NOT NULL
              GROUP BY u.coupon_id, u.member_id, o.most_each
             HAVING COUNT(*) > o.most_each) AS often""",
    ),
    (
        "coupons_without_use",
        "sales with a coupon that was not counted for them, or counted for a sale that has none",
        """SELECT COUNT(*) FROM (
             SELECT DISTINCT sale_id, coupon_id FROM reductions WHERE coupon_id IS NOT NULL
             EXCEPT SELECT sale_id, coupon_id FROM offer_uses) AS missing""",
    ),
    (
        "coupons_of_others",
        "coupons that are one member's own and were used by another",
        """SELECT COUNT(*) FROM offer_uses u
             JOIN coupons c ON c.id = u.coupon_id
            WHERE c.member_id IS NOT NULL AND COALESCE(u.member_id, 0) <> c.member_id
              AND NOT EXISTS (SELECT 1 FROM merges g
                               WHERE g.gone_id = u.member_id AND g.now_id = c.member_id)""",
    ),
)
