"""Serving, the whole of `make run`: brings the database up to date, opens the demo shop in a new
one, says where the shop is, and keeps its processes alive.

This process owns the ports and serves nothing itself. Its children accept from the sockets that it
holds, so a connection that comes while a worker is being replaced waits instead of being refused.
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import socket
import sys
from functools import partial
from pathlib import Path
from typing import NoReturn

from flask import Flask, current_app
from flask_migrate import upgrade
from qrcode.main import QRCode

from . import certificates, create_app, demo, identity, settings, stock, workers
from .db import db, transaction
from .payment.sandboxes.practice import settings_of
from .supervisor import AGAIN, Role, ask_again, supervise

__all__ = ["main"]

HTTPS_ABOVE = 443
PRACTICE_ABOVE = 1
KEPT = "ONESHELF_PORTS"
"""Names, to its next opening, the ports that the shop holds."""
OUTBOX = ("outbox", "work", "--forever")
BACKLOG = 1024


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=logging.INFO, format=form)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("_granian").setLevel(logging.WARNING)
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    config = settings.load()
    port = _port(config["PORT"])
    try:
        plain, secure = _ports(options.host, port, https=options.https)
    except OSError as error:
        print(_why_not(error, port), file=sys.stderr)
        return 1
    addresses = lan_addresses() if options.host == "0.0.0.0" else []
    owner = _prepare(with_demo=options.demo)
    # Made after the demo shop may have left its settings in the instance folder.
    lan_url = f"http://{addresses[0]}:{port}" if addresses else None
    app = create_app({"PORT": port, "LAN_URL": lan_url, "OPEN_AGAIN": ask_again, **_practice(port)})
    listeners = [workers.Listener(plain)]
    if secure:
        certificate = certificates.ensure(Path(app.config["INSTANCE"]), addresses)
        listeners.append(workers.Listener(secure, certificate))
    many = app.config["WORKERS"] or (1 if app.config["DATABASE_URL"].startswith("sqlite") else 2)
    roles = [Role("web", partial(workers.serve, app, listeners)) for _ in range(many)]
    roles.append(Role("outbox", partial(workers.run_command, app, OUTBOX)))
    if "PRACTICE" in app.config:
        roles.append(Role("practice", partial(workers.run_command, app, app.config["PRACTICE"])))
    print(announcement(app, port, addresses, https=secure is not None, owner=owner), flush=True)
    ended = supervise(roles, [listener.socket for listener in listeners])
    if ended == AGAIN:
        _open_again([listener.socket for listener in listeners])
    return ended


def _practice(port: int) -> dict[str, object]:
    """The demo shop takes practice payments by providers of its own, on the next port, unless it
    has the keys of a real one."""
    config = settings.load()
    real = ("STRIPE_KEY", "ALIPAY_APP_ID", "WECHAT_MERCHANT_ID", "PAYPAL_CLIENT_ID",
            "UNIONPAY_MERCHANT_ID")  # fmt: skip
    if not config["DEMO"] or any(config[name] for name in real):
        return {}
    there = port + PRACTICE_ABOVE
    command = ("payment", "practice", "--host", "0.0.0.0", "--port", str(there),
               "--shop", f"http://127.0.0.1:{port}")  # fmt: skip
    url = f"http://127.0.0.1:{there}"
    folder = Path(config["INSTANCE"], "practice")
    return {"PRACTICE": command, **settings_of(config["SECRET_KEY"], url, folder)}


def lan_addresses() -> list[str]:
    """The IPv4 addresses at which phones of the same network reach this machine, the usual first.

    Asking the system for the route to an address sends nothing; 192.0.2.1 exists only in manuals.
    """
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            found.append(str(probe.getsockname()[0]))
        except OSError:
            pass  # No network at all: the shop still opens on this machine.
    try:
        found += socket.gethostbyname_ex(socket.gethostname())[2]
    except OSError:
        pass  # A machine that does not know its own name is no reason not to open.
    return [address for address in dict.fromkeys(found) if not address.startswith("127.")]


def announcement(
    app: Flask,
    port: int,
    addresses: list[str],
    *,
    https: bool,
    owner: tuple[str, str] | None = None,
) -> str:
    """What the terminal shows once the shop is open; `owner` is the sign-in of a new shop's first
    owner, which is shown this once."""
    secure = port + HTTPS_ABOVE
    lines = ["", f"{app.config['SHOP_NAME']} is open.", ""]
    lines.append(f"  on this computer    http://localhost:{port}")
    lines += [f"  on your network     http://{address}:{port}" for address in addresses]
    if https:
        hosts = addresses or ["localhost"]
        lines += [f"  for the scanner     https://{host}:{secure}" for host in hosts]
        lines.append("                      (phones give a page the camera only over https, and")
        lines.append("                      warn once, because this shop signed for itself)")
    if addresses:
        lines += ["", "  A phone on the same network opens the shop with this:", ""]
        lines.append(terminal_qr(f"http://{addresses[0]}:{port}/"))
    if app.config["DEMO"]:
        lines += ["", "  This is the demo shop. Sign in as:"]
        lines += [
            f"  {role:<9} {email:<28} password  {password}"
            for role, email, password in demo.SIGN_INS
        ]
    if owner:
        lines += ["", "  This shop is new. Its owner signs in as:"]
        lines += [f"  {owner[0]:<38} password  {owner[1]}"]
        lines += ["  Write it down: it is shown only now. You can change it under your account."]
    lines += ["", "  Ctrl-C closes the shop.", ""]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m store.serving", description="Open the shop.")
    parser.add_argument("--host", default=os.environ.get("HOST", "0.0.0.0"))
    parser.add_argument(
        "--no-demo", dest="demo", action="store_false", help="leave a new shop empty"
    )
    parser.add_argument("--no-https", dest="https", action="store_false")
    return parser


def _port(setting: int) -> int:
    """PORT, as hosting services and `make run PORT=8080` give it, else the setting."""
    text = os.environ.get("PORT") or str(setting)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 65535 - HTTPS_ABOVE:
        sys.exit(f"PORT must be a number from 1 to {65535 - HTTPS_ABOVE}, not {text!r}")
    return int(text)


def _ports(host: str, port: int, *, https: bool) -> tuple[socket.socket, socket.socket | None]:
    """The port of HTTP and that of HTTPS; those of the shop that was open until a moment ago are
    still open."""
    kept = [socket.socket(fileno=int(number)) for number in os.environ.pop(KEPT, "").split()]
    for one in kept:
        one.set_inheritable(False)
    wanted = [port, port + HTTPS_ABOVE] if https else [port]
    if [one.getsockname()[1] for one in kept] != wanted:
        for one in kept:
            one.close()
        kept = [_listen(host, number) for number in wanted]
    return kept[0], kept[1] if https else None


def _listen(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port), backlog=BACKLOG)


def _open_again(ports: list[socket.socket]) -> NoReturn:
    """Become the shop's next opening: the same process with the settings of now. Who comes
    meanwhile waits at the ports, which stay open."""
    for port in ports:
        port.set_inheritable(True)
    os.environ[KEPT] = " ".join(str(port.fileno()) for port in ports)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - this program


def _why_not(error: OSError, port: int) -> str:
    ports = f"Port {port} or {port + HTTPS_ABOVE}"
    if error.errno == errno.EADDRINUSE:
        reason = "is in use: another program, or this shop in another window, is open there"
    elif error.errno == errno.EACCES:
        reason = "is not for this user: ports below 1024 belong to the system"
    else:
        reason = f"cannot be opened ({error.strerror})"
    other = port + 80 if 1024 < port < 60000 else 8080
    return f"{ports} {reason}.\nChoose another one: make run PORT={other}"


def _prepare(*, with_demo: bool) -> tuple[str, str] | None:
    """Bring the schema up to date, and open the demo shop where there was nothing before. Where a
    real shop has no owner yet, answers the sign-in of the one that it made."""
    with create_app().app_context():
        upgrade()
        if with_demo and demo.is_wanted():
            print("A new shop: laying out the demo goods ...", flush=True)
            demo.open_shop()
        owner = identity.first_owner()
        _first_location()
        db.session.remove()
        # A child must not inherit a connection: two processes on one would garble both.
        db.engine.dispose()
        return owner


def _first_location() -> None:
    """A shop has at least the place that it stands at, under the code MAIN."""
    if not stock.locations():
        with transaction():
            stock.add_location(stock.MAIN, str(current_app.config["SHOP_NAME"])[:120])


def terminal_qr(text: str) -> str:
    code = QRCode(border=2)
    code.add_data(text)
    rows = code.get_matrix()
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    # Two modules a character; light is drawn, so that it reads on a dark and on a light terminal.
    blocks = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return "\n".join(
        "    " + "".join(blocks[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in pairs
    )


if __name__ == "__main__":
    sys.exit(main())
