"""Keepable: what of the desk a device may keep without a network and tell later.

These are acts on goods, labels and tasks. What needs an answer at once (money, refunds, the exit)
or makes something that is gone on with at once is not among them; the till and the exit have ways
of their own without a network.
"""

from __future__ import annotations

__all__ = ["KEEPABLE"]

KEEPABLE = frozenset({
    "stock.receive_goods", "stock.count", "stock.write_off",
    "stock.scan", "stock.book_delivery", "stock.depart", "stock.arrive", "stock.approve_count",
    "stock.take_task", "stock.give_back_task", "stock.end_task",
    "floor.take_work", "floor.give_back_work",
    "labels.scan_for_walk", "labels.close_walk_shelf", "labels.empty_on_walk",
    "labels.end_bad", "labels.job_stopped", "labels.revoke",
})  # fmt: skip
"""Endpoints. Each commits one transaction; a test sees to it."""
