"""Merging: two accounts of one person come together, once both are shown to be theirs."""

from .joining import blocks, join, sweep

__all__ = ["blocks", "join", "sweep"]
