"""The pages of campaigns."""

from __future__ import annotations

from . import segment_views
from .blueprint import blueprint

__all__ = ["blueprint", "segment_views"]
