"""Signed passes: what an exit without a network reads and believes.

Behind the pass stand the place, the pieces, what was paid and marks, then a signature over all of
it by a key that only the shop has (ECDSA on P-256 with SHA-256: every browser's WebCrypto has known
it for ten years, Ed25519 since 2025). The exit holds the public half: it can tell a real pass, and
make none. The private half is derived from the shop's secret: it lies nowhere else, and all
machines of a shop agree on it. Pure functions; the secret is given.
"""

from __future__ import annotations

import hmac
from functools import lru_cache
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from .. import ids, sales

__all__ = ["BY_STAFF", "LENGTH", "Said", "marks_of", "public", "signed"]

BY_STAFF = 1
"""Mark of a sale that staff made: they had the goods in their hands, no rule looks at it."""

AGE_FROM = 3
"""The marks from this bit on are the least age, 0 for everybody."""

LENGTH = 103
"""Letters of a signature: two numbers of 256 bits, 5 bits a letter."""

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (FIPS 186-4, D.1.2.3): a private key is a number from 1 below it."""


class Said(NamedTuple):
    """What an exit without a network reads of a sale: where it was, what should be in the bag."""

    location_id: int
    pieces: int
    total_minor: int
    marks: int


def signed(text: str, said: Said, secret: bytes) -> str:
    """A pass (passes.text_for) with what is said of its sale, and the signature."""
    whole = ".".join((text, *map(str, said)))
    made = _private(secret).sign(whole.encode(), ec.ECDSA(hashes.SHA256()))
    first, second = decode_dss_signature(made)
    return f"{whole}.{ids.encode(first << 256 | second, LENGTH)}"


def marks_of(receipt: sales.Receipt, least_age: int = 0) -> int:
    """What an exit must know besides: who sold it, and from which age a person is still to look at
    who takes it along."""
    return (BY_STAFF if receipt.sold_by is not None else 0) | least_age << AGE_FROM


def public(secret: bytes) -> dict[str, str]:
    """The key that the exit gets along, as WebCrypto reads it: x and y in hex."""
    point = _private(secret).public_key().public_numbers()
    return {"x": f"{point.x:064x}", "y": f"{point.y:064x}"}


@lru_cache(maxsize=4)
def _private(secret: bytes) -> ec.EllipticCurvePrivateKey:
    # 512 bits reduced to 256: no number is likelier than another (FIPS 186-4, B.4.1).
    drawn = int.from_bytes(hmac.digest(secret, b"pass-signature", "sha512"))
    return ec.derive_private_key(drawn % (_ORDER - 1) + 1, ec.SECP256R1())
