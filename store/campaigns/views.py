"""The pages of campaigns."""

from __future__ import annotations

from . import campaign_views, letter_views, page_views, result_views, segment_views
from .blueprint import blueprint

__all__ = [
    "blueprint", "campaign_views", "letter_views", "page_views", "result_views", "segment_views",
]  # fmt: skip
