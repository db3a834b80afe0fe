"""Identifiers: time-ordered ids for rows, secrets for cookies and tokens, codes for people."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import time
from datetime import UTC, datetime

__all__ = [
    "ALPHABET",
    "digest",
    "encode",
    "first_at",
    "mac",
    "made_at",
    "new",
    "normalise",
    "same",
    "secret",
    "short_code",
]

# Crockford's base 32: no I, L, O, U, so that a code read aloud or typed is not misread.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]


def new() -> str:
    """A fresh id of 20 characters: 48 bits of milliseconds, 52 bits of chance; sorts by time."""
    value = (time.time_ns() // 1_000_000) << 52 | int.from_bytes(os.urandom(7)) >> 4
    return encode(value, 20)


def made_at(number: str) -> datetime:
    """The moment at which an id was made, in UTC. Raises ValueError where it is none."""
    if len(number) != 20:
        raise ValueError("this is no id of ours")
    value = 0
    for letter in number[:10]:
        value = value << 5 | ALPHABET.index(letter)
    return datetime.fromtimestamp((value >> 2) / 1000, UTC)


def first_at(at: datetime) -> str:
    """Not above any id that is made from a moment on, and above all that were made before."""
    return encode(int(at.timestamp() * 1000) << 52, 20)


def encode(value: int, length: int) -> str:
    """`value` in base 32, most significant first, exactly `length` characters."""
    pairs = [_PAIRS[value >> shift & 1023] for shift in range(10 * ((length - 1) // 2), -1, -10)]
    return "".join(pairs)[-length:]


def short_code(length: int = 6) -> str:
    """A random code for people to type; 30 bits at six characters."""
    return encode(int.from_bytes(os.urandom(8)), length)


def normalise(code: str) -> str:
    """What a person typed, as the alphabet has it: I and L are 1, O is 0, no dashes or blanks."""
    table = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})
    return code.strip().upper().translate(table)


def secret() -> str:
    """256 bits for a cookie or a token, URL-safe, 43 characters."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


def digest(text: str) -> str:
    """SHA-256 in hex: how secrets of full entropy are stored."""
    return hashlib.sha256(text.encode()).hexdigest()


def mac(key: bytes, *parts: str, length: int = 16) -> str:
    """A base-32 authentication code over the parts; 5 bits a character."""
    message = "\x1f".join(parts).encode()
    value = int.from_bytes(hmac.digest(key, message, "sha256"))
    return encode(value & ((1 << (5 * length)) - 1), length)


def same(left: str, right: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())
