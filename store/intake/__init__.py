"""Intake: many items come in from a list, with their first stock, by command or by page.

It stands above the rooms because it opens several: catalogue and stock in one transaction.
"""

from __future__ import annotations

from .pieces import work
from .staging import sweep

__all__ = ["sweep", "work"]
