"""What the audit asks of sellers under one roof: every line of theirs is divided once and exactly,
settlements are their entries, and payouts are their settlements."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "shares_missing",
        "lines of goods of a seller that are not divided, though no event of their sale waits, or "
        "are divided for somebody else",
        """SELECT (SELECT COUNT(*) FROM sale_lines l JOIN sales s ON s.id = l.sale_id
             JOIN items i ON i.id = l.item_id
             LEFT JOIN shares h ON h.sale_id = l.sale_id AND h.refund_id = ''
                               AND h.position = l.position AND h.item_id = l.item_id
            WHERE l.kind = 'goods' AND NOT i.is_bundle
              AND l.item_id IN (SELECT item_id FROM item_sellers)
              AND COALESCE((SELECT o.seller_id FROM item_sellers o WHERE o.item_id = l.item_id
                    AND o.starts_at <= s.created_at
                  ORDER BY o.starts_at DESC, o.id DESC LIMIT 1), 0) <> COALESCE(h.seller_id, 0)
              AND NOT EXISTS (SELECT 1 FROM outbox q
                    WHERE q.subject = s.id AND q.topic = 'sale.paid'))
           + (SELECT COUNT(*) FROM sale_lines l JOIN sales s ON s.id = l.sale_id
             JOIN bundle_parts b ON b.bundle_id = l.item_id
             LEFT JOIN shares h ON h.sale_id = l.sale_id AND h.refund_id = ''
                               AND h.position = l.position AND h.item_id = b.item_id
            WHERE l.kind = 'goods' AND b.item_id IN (SELECT item_id FROM item_sellers)
              AND COALESCE((SELECT o.seller_id FROM item_sellers o WHERE o.item_id = b.item_id
                    AND o.starts_at <= s.created_at
                  ORDER BY o.starts_at DESC, o.id DESC LIMIT 1), 0) <> COALESCE(h.seller_id, 0)
              AND NOT EXISTS (SELECT 1 FROM outbox q
                    WHERE q.subject = s.id AND q.topic = 'sale.paid'))""",
    ),
    (
        "shares_off",
        "lines whose shares, commission and fees are not what was paid for them less what went "
        "back, though no event of their sale waits",
        """SELECT COUNT(*) FROM (
             SELECT sale_id, position, SUM(total) AS total FROM (
               SELECT sale_id, position, share_minor + commission_minor + fee_minor AS total
                 FROM shares
               UNION ALL
               SELECT l.sale_id, l.position, -l.total_minor FROM sale_lines l
                WHERE EXISTS (SELECT 1 FROM shares h
                       WHERE h.sale_id = l.sale_id AND h.position = l.position)
               UNION ALL
               SELECT r.sale_id, COALESCE(l.of_position, l.position), b.total_minor
                 FROM refund_lines b JOIN refunds r ON r.id = b.refund_id
                 JOIN sale_lines l ON l.sale_id = r.sale_id AND l.position = b.position
                WHERE l.kind IN ('goods', 'part')
                  AND NOT EXISTS (SELECT 1 FROM outbox q
                       WHERE q.subject = r.id AND q.topic = 'sale.refunded'
                         AND NOT EXISTS (SELECT 1 FROM shares h
                               WHERE h.sale_id = r.sale_id AND h.refund_id = r.id))
                  AND EXISTS (SELECT 1 FROM shares h WHERE h.sale_id = r.sale_id
                         AND h.position = COALESCE(l.of_position, l.position))) AS sides
             GROUP BY sale_id, position HAVING SUM(total) <> 0) AS off""",
    ),
    (
        "shares_not_by_contract",
        "entries of sales under another contract than the one that was in force, or whose "
        "commission is not what it says",
        """SELECT COUNT(*) FROM shares h JOIN sales s ON s.id = h.sale_id
             JOIN seller_contracts c ON c.id = h.contract_id
            WHERE h.refund_id = '' AND (c.seller_id <> h.seller_id
               OR c.starts_at <> (SELECT MAX(d.starts_at) FROM seller_contracts d
                    WHERE d.seller_id = h.seller_id AND d.starts_at <= s.created_at)
               OR h.commission_minor <> CASE
                    WHEN (h.total_minor / 10000) * c.commission_bp + c.line_fee_minor
                         + (2 * (h.total_minor % 10000) * c.commission_bp + 10000) / 20000
                         < h.total_minor
                    THEN (h.total_minor / 10000) * c.commission_bp + c.line_fee_minor
                         + (2 * (h.total_minor % 10000) * c.commission_bp + 10000) / 20000
                    ELSE h.total_minor END)""",
    ),
    (
        "shares_not_in_the_ledger",
        "sellers' accounts that are not their shares less what was settled, and currencies in "
        "which the commission or the fees that sellers bear are not those of the shares",
        """SELECT COUNT(*) FROM (
             SELECT code FROM (
               SELECT 'seller:' || e.code || ':' || h.currency AS code, h.share_minor AS amount
                 FROM shares h JOIN sellers e ON e.id = h.seller_id
               UNION ALL
               SELECT 'commission:' || currency, commission_minor FROM shares
               UNION ALL
               SELECT 'seller_fees:' || currency, fee_minor FROM shares
               UNION ALL
               SELECT 'seller:' || e.code || ':' || p.currency, -p.amount_minor
                 FROM payouts p JOIN sellers e ON e.id = p.seller_id
               UNION ALL
               SELECT a.code, -t.amount_minor FROM transfers t JOIN accounts a
                   ON a.id = t.credit_id
                WHERE a.code LIKE 'seller:%' OR a.code LIKE 'commission:%'
                   OR a.code LIKE 'seller_fees:%'
               UNION ALL
               SELECT a.code, t.amount_minor FROM transfers t JOIN accounts a
                   ON a.id = t.debit_id
                WHERE a.code LIKE 'seller:%' OR a.code LIKE 'commission:%'
                   OR a.code LIKE 'seller_fees:%') AS sides
             GROUP BY code HAVING SUM(amount) <> 0) AS off""",
    ),
    (
        "seller_settlements_off",
        "settlements that are not the sum of their entries, hold another seller's, or do not go on "
        "from what the one before left",
        """SELECT COUNT(*) FROM seller_settlements t
             LEFT JOIN (SELECT settlement_id, COUNT(*) AS many, SUM(share_minor) AS share,
                               SUM(commission_minor) AS commission, SUM(fee_minor) AS fee,
                               MIN(seller_id) AS first, MAX(seller_id) AS last, MAX(at) AS at
                          FROM shares WHERE settlement_id IS NOT NULL GROUP BY settlement_id) AS h
               ON h.settlement_id = t.id
            WHERE h.first <> t.seller_id OR h.last <> t.seller_id OR h.at >= t.until
               OR (t.state = 'closed' AND (COALESCE(h.many, 0) <> t.entries
                 OR COALESCE(h.share, 0) <> t.share_minor
                 OR COALESCE(h.commission, 0) <> t.commission_minor
                 OR COALESCE(h.fee, 0) <> t.fee_minor
                 OR t.carried_minor <> COALESCE((SELECT b.left_minor FROM seller_settlements b
                      WHERE b.seller_id = t.seller_id AND b.currency = t.currency
                        AND b.number < t.number ORDER BY b.number DESC LIMIT 1), 0)))""",
    ),
    (
        "payouts_off",
        "settlements whose payout is missing, is not what they say or has not happened as its "
        "steps say; and what the ledger says is to be paid out, or was, and payouts do not",
        """SELECT (SELECT COUNT(*) FROM seller_settlements t
             LEFT JOIN payouts p ON p.settlement_id = t.id
            WHERE COALESCE(p.amount_minor, 0) <> t.payout_minor
               OR p.seller_id <> t.seller_id OR p.currency <> t.currency)
           + (SELECT COUNT(*) FROM payouts p
             LEFT JOIN (SELECT settlement_id, COUNT(*) AS many,
                               SUM(CASE event WHEN 'pay' THEN 1 ELSE -1 END) AS paid
                          FROM payout_steps GROUP BY settlement_id) AS s
               ON s.settlement_id = p.settlement_id
            WHERE COALESCE(s.many, 0) <> p.steps
               OR COALESCE(s.paid, 0) <> CASE p.state WHEN 'paid' THEN 1 ELSE 0 END)
           + (SELECT COUNT(*) FROM (
             SELECT currency FROM (
               SELECT currency, amount_minor AS settled,
                      CASE state WHEN 'paid' THEN amount_minor ELSE 0 END AS paid FROM payouts
               UNION ALL
               SELECT currency, CASE reason WHEN 'seller_settled' THEN -amount_minor ELSE 0 END,
                      CASE reason WHEN 'seller_paid' THEN -amount_minor
                                  WHEN 'seller_paid_back' THEN amount_minor ELSE 0 END
                 FROM transfers
                WHERE reason IN ('seller_settled', 'seller_paid', 'seller_paid_back')) AS sides
             GROUP BY currency HAVING SUM(settled) <> 0 OR SUM(paid) <> 0) AS off)""",
    ),
)
