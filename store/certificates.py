"""Certificates for the local network: phones open the camera only on pages that come by HTTPS.

An authority of this shop's own is made once and kept in the instance folder; with it a certificate
is signed for this machine's names and addresses. A phone warns of it once, unless its owner trusts
the authority (`authority.crt`). The authority can sign for private addresses only, so trusting it
gives nobody a way into anybody's bank.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from . import clock

__all__ = ["Certificate", "ensure"]

AUTHORITY_LASTS = timedelta(days=3650)
# Apple refuses a leaf that is valid for more than 398 days, whoever signed it.
LEAF_LASTS = timedelta(days=390)
RENEW_BEFORE = timedelta(days=30)
# Phones whose clock is a little behind must not find a certificate of tomorrow.
BACKDATE = timedelta(days=1)

NAMES = ("localhost",)
PRIVATE = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),
    IPv4Network("127.0.0.0/8"),
    IPv4Network("169.254.0.0/16"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv6Network("::1/128"),
    IPv6Network("fc00::/7"),
    IPv6Network("fe80::/10"),
)


class Certificate(NamedTuple):
    """Paths of what a server needs (chain and key) and of what a phone may be told to trust."""

    chain: Path
    key: Path
    authority: Path


class _Signer(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def ensure(instance: Path, addresses: Iterable[str]) -> Certificate:
    """The certificate of this machine at these addresses; made, or made anew, when it must be.

    It is kept while it is valid for a month more and names just these addresses. Addresses that are
    not private are left out: a public name deserves a real certificate.
    """
    folder = instance / "certificates"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    result = Certificate(folder / "server.crt", folder / "server.key", folder / "authority.crt")
    wanted = _alternative_names(addresses)
    authority = _authority(folder)
    if not _still_good(result, authority.certificate, wanted):
        _issue(result, authority, wanted)
    return result


def _alternative_names(addresses: Iterable[str]) -> x509.SubjectAlternativeName:
    ips = {IPv4Address("127.0.0.1"), *(ip_address(address) for address in addresses)}
    private = (ip for ip in ips if any(ip in network for network in PRIVATE))
    ordered = sorted(private, key=lambda ip: (ip.version, int(ip)))
    names = [*map(x509.DNSName, NAMES), *map(x509.IPAddress, ordered)]
    return x509.SubjectAlternativeName(names)


def _authority(folder: Path) -> _Signer:
    certificate_file, key_file = folder / "authority.crt", folder / "authority.key"
    if certificate_file.exists() and key_file.exists():
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = load_pem_private_key(key_file.read_bytes(), password=None)
        lasts = certificate.not_valid_after_utc > clock.now() + LEAF_LASTS
        if lasts and isinstance(key, ec.EllipticCurvePrivateKey):
            return _Signer(certificate, key)
    made = _make_authority()
    _write(key_file, _private_pem(made.key))
    _write(certificate_file, made.certificate.public_bytes(Encoding.PEM))
    return made


def _make_authority() -> _Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("OneShelf, this shop's own authority")
    usage = _usage(key_cert_sign=True, crl_sign=True)
    permitted = [*map(x509.DNSName, NAMES), *(x509.IPAddress(network) for network in PRIVATE)]
    certificate = (
        _builder(name, name, key.public_key(), AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _Signer(certificate, key)


def _still_good(
    at: Certificate, authority: x509.Certificate, wanted: x509.SubjectAlternativeName
) -> bool:
    if not (at.chain.exists() and at.key.exists()):
        return False
    try:
        leaf = x509.load_pem_x509_certificates(at.chain.read_bytes())[0]
        key = load_pem_private_key(at.key.read_bytes(), password=None)
        leaf.verify_directly_issued_by(authority)
        named = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False  # Damaged, or of an earlier authority: either way it is made anew.
    lasts = leaf.not_valid_after_utc > clock.now() + RENEW_BEFORE
    return lasts and named == wanted and leaf.public_key() == key.public_key()


def _issue(at: Certificate, authority: _Signer, names: x509.SubjectAlternativeName) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate.subject
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    leaf = (
        _builder(_name("OneShelf on the local network"), issuer, key.public_key(), LEAF_LASTS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(server, critical=False)
        .add_extension(authority_id, critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    _write(at.key, _private_pem(key))
    chain = (leaf, authority.certificate)
    _write(at.chain, b"".join(one.public_bytes(Encoding.PEM) for one in chain))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta
) -> x509.CertificateBuilder:
    start = clock.now() - BACKDATE
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + lasts)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and readable by this user only from its first byte on."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
