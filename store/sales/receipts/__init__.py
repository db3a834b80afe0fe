"""Receipts: on the page, on paper and by mail."""
