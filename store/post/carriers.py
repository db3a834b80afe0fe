"""Carriers: who takes mail and SMS on for this shop, by its settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from .faults import PostFailed, PostRefused
from .mail import Mail, Smtp
from .practice import Practice
from .sms import HttpSms, Sms

__all__ = ["PostFailed", "PostRefused", "can_mail", "can_text", "carry", "practice_folder"]


class _Carrier(Protocol):
    def carry(self, message: Any, letter_id: str) -> None: ...


def can_mail(settings: Mapping[str, Any]) -> bool:
    """Whether this shop sends mail at all."""
    return _for_mail(settings) is not None


def can_text(settings: Mapping[str, Any]) -> bool:
    """Whether this shop sends SMS at all."""
    return _for_sms(settings) is not None


def carry(settings: Mapping[str, Any], message: Mail | Sms, letter_id: str) -> None:
    """Send now, and wait for the carrier: never with a transaction open, and within half a minute.
    Raises PostFailed, PostRefused."""
    carrier = _for_mail(settings) if isinstance(message, Mail) else _for_sms(settings)
    if carrier is None:
        raise PostFailed("This shop has nobody who takes this on")
    carrier.carry(message, letter_id)


def practice_folder(settings: Mapping[str, Any]) -> Path:
    return Path(settings["INSTANCE"], "practice-post")


def _for_mail(settings: Mapping[str, Any]) -> _Carrier | None:
    if settings["PRACTICE_POST"]:
        return _practice(practice_folder(settings), settings["SHOP_NAME"])
    if not settings["SMTP_HOST"]:
        return None
    words = ("SMTP_HOST", "SMTP_PORT", "SMTP_USER", "SMTP_PASSWORD", "SMTP_TLS", "MAIL_FROM",
             "SHOP_NAME")  # fmt: skip
    return _smtp(*(settings[word] for word in words))


def _for_sms(settings: Mapping[str, Any]) -> _Carrier | None:
    if settings["PRACTICE_POST"]:
        return _practice(practice_folder(settings), settings["SHOP_NAME"])
    if not settings["SMS_URL"]:
        return None
    return _sms(settings["SMS_URL"], settings["SMS_BODY"], settings["SMS_HEADERS"])


_practice = lru_cache(maxsize=4)(Practice)
_smtp = lru_cache(maxsize=4)(Smtp)
_sms = lru_cache(maxsize=4)(HttpSms)
