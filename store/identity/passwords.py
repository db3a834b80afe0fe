"""Passwords: Argon2id, the same work for a member and for nobody, and a few rules."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from .. import ids
from ..errors import Invalid

__all__ = ["QUICK", "STRONG", "check", "generate", "hashed", "is_weak", "set_hasher", "verify"]

# Argon2id with 19 MiB and three passes, one more than OWASP's password storage cheat sheet asks
# for at this size: eight threads that check passwords at once stay under 160 MiB.
STRONG = PasswordHasher(time_cost=3, memory_cost=19_456, parallelism=1)

# For tests only, which sign in thousands of times.
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

LEAST, MOST = 8, 200

_COMMON = frozenset(
    "password passw0rd password1 passwort qwertyui qwertyuiop qwerty123 1q2w3e4r 1qaz2wsx iloveyou "
    "sunshine princess football baseball superman trustno1 welcome1 letmein1 changeme admin123 "
    "abc12345 woaini520 woaini1314 a1234567 abcd1234 aa123456 oneshelf".split()
)

_hasher = STRONG
_nobody: str | None = None


def set_hasher(hasher: PasswordHasher) -> None:
    """Use this cost from now on."""
    global _hasher, _nobody
    _hasher, _nobody = hasher, None


def check(password: str, *known_by: str) -> None:
    """Raises Invalid where a password is too short, too long, or among the first to be tried."""
    if not LEAST <= len(password) <= MOST:
        raise Invalid(
            f"A password has {LEAST} to {MOST} characters", field="password", fault="length"
        )
    plain = _plain(password).lower()
    steps = {ord(right) - ord(left) for left, right in zip(plain, plain[1:], strict=False)}
    if plain in _COMMON or len(set(plain)) < 3 or steps in ({1}, {-1}):
        raise Invalid("This password is among the first tried", field="password", fault="common")
    if plain in {name.lower() for name in known_by} | {name.partition("@")[0] for name in known_by}:
        raise Invalid(
            "The password must not be the name or what you sign in with",
            field="password",
            fault="own_name",
        )


def hashed(password: str) -> str:
    """The hash to keep. Takes tens of milliseconds: never call it with a transaction open."""
    return _hasher.hash(_plain(password))


def verify(kept: str | None, password: str) -> bool:
    """Whether the password is the one that was hashed. Where there is no member, or none with a
    password, the same work is done on a hash of nobody, so that time tells nothing."""
    global _nobody
    if kept is None:
        if _nobody is None:
            _nobody = _hasher.hash(ids.secret())
        kept, password = _nobody, f"{password}\x00"
    try:
        return _hasher.verify(kept, _plain(password[: MOST + 1]))
    except (VerificationError, InvalidHashError):
        return False


def is_weak(kept: str) -> bool:
    """Whether the hash was made at another cost than today's."""
    return _hasher.check_needs_rehash(kept)


def generate() -> str:
    """A password for somebody else: 80 bits, in four groups that can be read aloud."""
    return "-".join(ids.short_code(4).lower() for _ in range(4))


def _plain(password: str) -> str:
    # The same keys give composed or decomposed letters on different phones.
    text = unicodedata.normalize("NFKC", password)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Invalid("The password has characters that cannot be kept", field="password")
    return text
