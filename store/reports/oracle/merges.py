"""What the audit asks of accounts that came together: each once, into one that is there, whole."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "merges_in_circles",
        "accounts that came into one which came into another itself, though that is whose all is",
        """SELECT COUNT(*) FROM merges m JOIN merges n ON n.gone_id = m.now_id""",
    ),
    (
        "merged_accounts_open",
        "accounts that came into others, and can still be opened",
        """SELECT COUNT(*) FROM merges m JOIN members w ON w.id = m.gone_id
            WHERE w.disabled_at IS NULL OR w.password_hash IS NOT NULL OR w.role <> 'shopper'
               OR EXISTS (SELECT 1 FROM identifiers i WHERE i.member_id = m.gone_id)
               OR EXISTS (SELECT 1 FROM passkeys p WHERE p.member_id = m.gone_id)
               OR EXISTS (SELECT 1 FROM sign_ins s WHERE s.member_id = m.gone_id)
               OR EXISTS (SELECT 1 FROM tokens t WHERE t.member_id = m.gone_id)""",
    ),
    (
        "merged_sales_off",
        "sales that came over with an account, and are not in the name of whose it is by now",
        """SELECT COUNT(*) FROM merged_sales b JOIN merges m ON m.id = b.merge_id
             LEFT JOIN sales s ON s.id = b.sale_id
            WHERE s.member_id IS NULL OR s.member_id <> m.now_id""",
    ),
    (
        "left_in_merged_accounts",
        "accounts that came into others and hold something yet: money, points, a sale, a payment",
        """SELECT COUNT(*) FROM merges m
            WHERE EXISTS (SELECT 1 FROM sales s WHERE s.member_id = m.gone_id)
               OR EXISTS (SELECT 1 FROM accounts a
                           WHERE a.member_id = m.gone_id AND a.balance_minor <> 0)
               OR EXISTS (SELECT 1 FROM attempts t WHERE t.member_id = m.gone_id)
               OR EXISTS (SELECT 1 FROM point_accounts p
                           WHERE p.member_id = m.gone_id AND p.spendable + p.owed <> 0)""",
    ),
)
