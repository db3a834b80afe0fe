"""Privacy: everything that is held about a person, shown, handed over, and forgotten."""

from .erasing import ErasureBlocked, blocks, erase
from .exporting import export

__all__ = ["ErasureBlocked", "blocks", "erase", "export"]
