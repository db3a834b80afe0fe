"""Mail: read by a real server as it was meant, whatever stands in names, and never twice."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from store.post import Attachment, Mail, PostFailed, PostRefused, mail
from store.post.mail import Smtp, as_message
from tests.post.conftest import Mailbox, only, serve

HELLO = Mail("lin@shop.example", "Your receipt", "Thank you.\n")


def at(port: int, **other: str) -> Smtp:
    given = {"user": "", "password": "", "tls": "none", "shop_name": "Harbour Road"} | other
    return Smtp("localhost", port, sender="shop@shop.example", **given)


def test_a_mail_arrives_as_it_was_written(mailbox: Mailbox) -> None:
    bill = Attachment("收据.pdf", "application/pdf", b"%PDF-1.7 \x00\xff")
    letter = Mail("lin@shop.example", "您的收据：燕麦奶 ¥12.50", "谢谢！\nThank you.\n",
                  "<p>谢谢！</p>", "zh", (bill,))  # fmt: skip
    at(mailbox.port, shop_name="临港路店 “Harbour”, Ltd.").carry(letter, "ABC123")
    (got,) = mailbox.taken
    assert got["Subject"] == "您的收据：燕麦奶 ¥12.50"
    (sender,) = got["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (
        "临港路店 “Harbour”, Ltd.", "shop@shop.example"
    )  # fmt: skip
    assert got["Message-ID"] == "<abc123@shop.example>"
    assert got["Auto-Submitted"] == "auto-generated" and got["Date"].datetime
    plain, html = got.get_body(("plain",)), got.get_body(("html",))
    assert plain and html
    assert plain.get_content().splitlines() == ["谢谢！", "Thank you."]
    (attached,) = got.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == (bill.name, bill.content)
    assert mailbox.to == ["lin@shop.example"]


@pytest.mark.parametrize(
    "evil", ["Hi\r\nBcc: eve@evil.example", "Hi\nX: 1", "Hi\x0b\x85\u2028Bcc: x", "a\x00b \ud800"]
)
def test_nothing_in_a_name_or_subject_becomes_a_header(mailbox: Mailbox, evil: str) -> None:
    letter = Mail("lin@shop.example", evil, "x", attachments=(Attachment(evil, "a/b", b"1"),))
    at(mailbox.port, shop_name=evil).carry(letter, "ID")
    (got,) = mailbox.taken
    assert mailbox.to == ["lin@shop.example"]
    assert not {"Bcc", "X"} & set(got.keys())
    assert len(got["Subject"].splitlines()) == 1


@pytest.mark.parametrize(
    "address", ["a@b.example\r\nBcc: e@evil.example", "a@b.example, e@evil.example", "nobody", ""]
)
def test_what_is_no_single_address_is_refused(mailbox: Mailbox, address: str) -> None:
    with pytest.raises(PostRefused):
        at(mailbox.port).carry(Mail(address, "x", "x"), "ID")
    assert mailbox.taken == []


def test_lines_are_short_enough_for_every_server() -> None:
    letter = Mail("lin@shop.example", "长" * 300, "长句子" * 2000 + "\n" + "x" * 3000 + "\n.\n")
    lines = as_message(letter, "s@shop.example", "S", "ID").as_bytes().split(b"\r\n")
    assert max(map(len, lines)) <= 998


def test_a_refusal_for_good_and_one_for_now_are_told_apart(mailbox: Mailbox) -> None:
    mailbox.says = ["451 later", "550 never"]
    with pytest.raises(PostFailed):
        at(mailbox.port).carry(HELLO, "ID")
    with pytest.raises(PostRefused):
        at(mailbox.port).carry(HELLO, "ID")
    with pytest.raises(PostFailed), socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        at(closed.getsockname()[1]).carry(HELLO, "ID")


@contextmanager
def slow_server() -> Iterator[int]:
    """It greets one letter at a time, for ever."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            taken, _ = listener.accept()
            with taken:
                while not over.wait(0.02):
                    try:
                        taken.sendall(b"220-")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        thread.join()


def test_a_server_that_drips_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "WHOLE_S", 0.3)
    began = time.monotonic()
    with slow_server() as port, pytest.raises(PostFailed):
        at(port).carry(HELLO, "ID")
    assert time.monotonic() - began < 4


# Encrypted


@pytest.fixture
def secured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The context of a server whose certificate this machine trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(1))
        .add_extension(names, False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    chain, secret = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    return context


def test_a_password_is_told_only_after_starttls(secured: ssl.SSLContext) -> None:
    box = Mailbox()
    server = serve(box, tls_context=secured, require_starttls=True, auth_required=True,
                   authenticator=only("shop", "pass-1"))  # fmt: skip
    at(box.port, tls="starttls", user="shop", password="pass-1").carry(HELLO, "ID")
    assert len(box.taken) == 1
    for wrong in ({"tls": "none"}, {"tls": "starttls"}):
        with pytest.raises((PostFailed, PostRefused)):
            at(box.port, **wrong).carry(HELLO, "ID")
    with pytest.raises(PostFailed):
        at(box.port, tls="starttls", user="shop", password="wrong").carry(HELLO, "ID")
    server.stop()
    assert len(box.taken) == 1


def test_a_server_without_tls_or_of_another_name_gets_nothing(
    mailbox: Mailbox, secured: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tls in ("starttls", "tls"):
        with pytest.raises(PostFailed):
            at(mailbox.port, tls=tls, user="shop", password="secret").carry(HELLO, "ID")
    monkeypatch.delenv("SSL_CERT_FILE")
    box = Mailbox()
    server = serve(box, tls_context=secured)
    with pytest.raises(PostFailed):
        at(box.port, tls="starttls").carry(HELLO, "ID")
    server.stop()
    assert mailbox.taken == box.taken == []
