"""Table of merging: which sale came from which account."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base

__all__ = ["MergedSale"]


class MergedSale(Base):
    """A sale that came over with an account. Where that account came into a third one later, it
    came over again. History: rows are only added."""

    __tablename__ = "merged_sales"

    merge_id: Mapped[str] = mapped_column(ForeignKey("merges.id"), primary_key=True)
    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"), primary_key=True, index=True)
