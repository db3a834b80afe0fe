"""The API's own table: keys of acts that were done, with what was answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, Moment


class KeptAnswer(Base):
    """What was answered to a POST, by the member of the token, the route and the key. `digest` is
    of what was asked: the same key with other contents is refused."""

    __tablename__ = "api_answers"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    route: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(Moment)
