"""Costs: what each means of payment takes for itself, when its money comes, and the providers'
own files that tell of both."""

from __future__ import annotations

from .matching import work
from .taking import take

__all__ = ["take", "work"]
