"""States of shipments: what may happen in which, and what each of them says of the goods."""

from __future__ import annotations

__all__ = ["ENDED", "LEFT", "TRANSITIONS", "UNDER_WAY", "WAITING"]

_CANCEL = {(state, "cancel"): "cancelled" for state in ("open", "picked", "packed")}
TRANSITIONS: dict[str, dict[tuple[str, str], str]] = {
    "deliver": {
        ("open", "pick"): "picked",
        ("picked", "pack"): "packed",
        ("packed", "ship"): "shipped",
        ("shipped", "deliver"): "delivered",
        ("shipped", "fail"): "failed",
        ("failed", "ship_again"): "shipped",
        ("failed", "put_back"): "put_back",
        **_CANCEL,
    },
    "collect": {
        ("open", "pick"): "picked",
        ("picked", "pack"): "packed",
        ("packed", "hand_over"): "handed_over",
        **_CANCEL,
    },
    "bring": {
        ("open", "pick"): "picked",
        ("picked", "send"): "under_way",
        ("under_way", "arrive"): "packed",
        ("open", "cancel"): "cancelled",
        ("picked", "cancel"): "cancelled",
    },
}
"""A shipment's life by its kind: what may happen in which state, and the state it leads to. What
is brought for a collection is one itself from its arrival on."""
WAITING = ("open", "picked", "packed")
"""States in which the goods are still on their shelf, or in a box beside it, and kept."""
UNDER_WAY = "under_way"
"""The goods are between two places, and kept."""
LEFT = ("shipped", "failed", "delivered", "handed_over")
"""States in which the goods have left the stock for good or for now."""
ENDED = ("delivered", "handed_over", "put_back", "cancelled")
