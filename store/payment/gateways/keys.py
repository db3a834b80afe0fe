"""Keys and certificates of providers, and what they have signed."""

from __future__ import annotations

import re
from base64 import b64decode
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from ... import clock
from . import NoticeForged

__all__ = ["certificate", "fields_of", "fits", "in_force", "pem", "person", "public_key"]


def pem(key: str, kind: str) -> str:
    """A key as libraries take it; consoles show it without the lines around it."""
    text = key.strip()
    if text.startswith("-----"):
        return text
    return f"-----BEGIN {kind}-----\n{text}\n-----END {kind}-----"


def fits(signature: str, signed: bytes, key: rsa.RSAPublicKey) -> bool:
    """Whether this is the key's signature (RSA, PKCS #1 v1.5, SHA-256), in base 64."""
    try:
        key.verify(b64decode(signature, validate=True), signed, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def public_key(text: str) -> rsa.RSAPublicKey:
    """The key in a PEM of a public key or of a certificate. Raises ValueError."""
    found: object
    if "BEGIN CERTIFICATE" in text:
        found = x509.load_pem_x509_certificate(text.encode()).public_key()
    else:
        found = serialization.load_pem_public_key(pem(text, "PUBLIC KEY").encode())
    if not isinstance(found, rsa.RSAPublicKey):
        raise ValueError("this is no RSA key")
    return found


def certificate(text: bytes, of: re.Pattern[str]) -> x509.Certificate:
    """The first certificate of a file, if its name fits. Raises NoticeForged."""
    try:
        found = x509.load_pem_x509_certificates(text)[0]
    except (ValueError, IndexError) as error:
        raise NoticeForged("There is no such certificate") from error
    if not of.match(person(found)):
        raise NoticeForged("The certificate is of somebody else")
    return found


def person(found: x509.Certificate) -> str:
    """The common name of whom a certificate is of."""
    names = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def in_force(found: x509.Certificate) -> rsa.RSAPublicKey:
    """The key of a certificate, while it is in force. Raises NoticeForged."""
    at, key = clock.now(), found.public_key()
    if not found.not_valid_before_utc <= at <= found.not_valid_after_utc:
        raise NoticeForged("The certificate is not in force")
    if not isinstance(key, rsa.RSAPublicKey):
        raise NoticeForged("The certificate has a key of another kind")
    return key


def fields_of(body: bytes, encoding: str) -> dict[str, str]:
    """The fields of a notice that is a form; one of them names the encoding. Raises NoticeForged
    where one comes twice, or in another encoding than UTF-8."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise NoticeForged("The notice is no form in UTF-8") from error
    said = dict(pairs)
    if len(said) != len(pairs) or said.get(encoding, "utf-8").lower() != "utf-8":
        raise NoticeForged("The notice is no form in UTF-8")
    return said
