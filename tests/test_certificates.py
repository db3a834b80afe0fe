"""Certificates for the local network: a phone's TLS accepts them, and they are renewed in time."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from store import certificates, clock


def _leaf(made: certificates.Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificates(made.chain.read_bytes())[0]


def _greet(made: certificates.Certificate, name: str) -> str:
    """Shake hands as a client that trusts this shop's authority; answers the protocol."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made.chain, made.key)
    client = ssl.create_default_context(cafile=made.authority)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    server.wrap_socket(connection, server_side=True).close()
                except OSError:
                    pass  # The client refused; it says so itself.

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            connection = socket.create_connection(listener.getsockname(), timeout=5)
            with connection, client.wrap_socket(connection, server_hostname=name) as secure:
                return str(secure.version())
        finally:
            thread.join()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "192.168.1.20"])
def test_a_client_that_trusts_the_authority_accepts_the_shop(tmp_path: Path, name: str) -> None:
    made = certificates.ensure(tmp_path, ["192.168.1.20"])
    assert _greet(made, name) in {"TLSv1.2", "TLSv1.3"}


def test_another_machine_is_not_accepted(tmp_path: Path) -> None:
    made = certificates.ensure(tmp_path, ["192.168.1.20"])
    with pytest.raises(ssl.SSLCertVerificationError):
        _greet(made, "192.168.1.21")


def test_the_same_addresses_keep_the_same_certificate(tmp_path: Path) -> None:
    first = _leaf(certificates.ensure(tmp_path, ["192.168.1.20"]))
    again = _leaf(certificates.ensure(tmp_path, ["192.168.1.20"]))
    assert first.serial_number == again.serial_number


def test_a_new_address_gets_a_new_certificate_of_the_same_authority(tmp_path: Path) -> None:
    first = certificates.ensure(tmp_path, ["192.168.1.20"])
    authority, leaf = first.authority.read_bytes(), _leaf(first)
    second = certificates.ensure(tmp_path, ["10.0.0.7"])
    assert second.authority.read_bytes() == authority
    assert _leaf(second).serial_number != leaf.serial_number
    assert _greet(second, "10.0.0.7")


def test_a_certificate_is_renewed_before_it_ends(tmp_path: Path) -> None:
    first = _leaf(certificates.ensure(tmp_path, []))
    try:
        clock.set_now(first.not_valid_after_utc - timedelta(days=29))
        second = _leaf(certificates.ensure(tmp_path, []))
    finally:
        clock.set_now(None)
    assert second.not_valid_after_utc > first.not_valid_after_utc


def test_no_certificate_is_valid_longer_than_phones_accept(tmp_path: Path) -> None:
    leaf = _leaf(certificates.ensure(tmp_path, []))
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=396)


def test_a_public_address_is_left_out(tmp_path: Path) -> None:
    leaf = _leaf(certificates.ensure(tmp_path, ["8.8.8.8", "192.168.1.20"]))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    ips = {str(ip) for ip in names.get_values_for_type(x509.IPAddress)}
    assert ips == {"127.0.0.1", "192.168.1.20"}


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, [])
    for key in (tmp_path / "certificates").glob("*.key"):
        assert key.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [b"", b"not a certificate"])
def test_a_damaged_certificate_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    made = certificates.ensure(tmp_path, [])
    made.chain.write_bytes(damage or made.authority.read_bytes())
    assert _greet(certificates.ensure(tmp_path, []), "localhost")
