"""Signing as Standard Webhooks: HMAC-SHA256 over id, timestamp and body, with a secret that the
receiver was told once. standardwebhooks.com, "Signature scheme"."""

from __future__ import annotations

import base64
import os
from datetime import datetime

from standardwebhooks import Webhook as Signer

__all__ = ["headers", "new_secret", "sign"]


def new_secret() -> str:
    """A fresh secret: 32 bytes, written as receivers' libraries take it."""
    return f"whsec_{base64.b64encode(os.urandom(32)).decode()}"


def sign(secret: str, message_id: str, at: datetime, body: str) -> str:
    """The signature, `v1,…`."""
    return str(Signer(secret).sign(message_id, at, body))


def headers(secret: str, message_id: str, at: datetime, body: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "OneShelf-Webhooks",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": sign(secret, message_id, at, body),
    }
