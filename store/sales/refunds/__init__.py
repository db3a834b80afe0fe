"""Refunds: money back for a sale, by whom up to which amount, and baskets put right at the exit."""
