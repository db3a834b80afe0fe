"""A long answer is cut by who asked for it: the thread that made it forgets whose it was."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from sqlalchemy import text

from store.db import transaction
from tests.crashes.load import FAULTS
from tests.live import Start
from tests.races.crowd import at_once
from tests.races.tabs import Tab, signed_in
from tests.world import World

LONG = "/owner/sales.csv?period=this_year"
SALES = 4000


def fill(world: World) -> None:
    """So many sales that their list does not fit into the buffers of a connection. They are copies
    of one, without its money: only the list is looked at."""
    world.sale()
    with world.app.app_context(), transaction() as session:
        for table, columns in (
            ("sales", "contents, location_id, channel, means, state, currency, total_minor,"
             " tax_minor, created_at, member_id, key, id"),
            ("sale_lines", "item_id, names, quantity, unit_minor, total_minor, tax_minor,"
             " tax_rate_bp, position, sale_id"),
        ):  # fmt: skip
            *same, last = columns.split(",")
            chosen = ",".join(same).replace(" key", " 'copy-' || n.at")
            session.execute(
                text(
                    f"INSERT INTO {table} ({columns}) WITH RECURSIVE n(at) AS"
                    f" (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < {SALES})"
                    f" SELECT {chosen}, 'COPY' || n.at FROM {table}, n"
                    f" WHERE {last} NOT LIKE 'COPY%'"
                )
            )


def test_nobody_is_let_in_by_an_owner_who_hung_up(world: World, live_server: Start) -> None:
    owner = world.owner()
    fill(world)
    server = live_server(WORKERS=1, THREADS=2)
    tab = signed_in(server, owner)
    cookies = "; ".join(f"{name}={value}" for name, value in tab.session.cookies.items())
    host = urlsplit(server.url)
    whole = tab.session.get(f"{server.url}{LONG}", timeout=60)
    assert whole.status_code == 200 and len(whole.content) > 250_000, whole.text[:500]

    def hang_up() -> None:
        with socket.create_connection((host.hostname or "", host.port or 0), timeout=30) as asked:
            asked.sendall(
                f"GET {LONG} HTTP/1.1\r\nHost: {host.netloc}\r\nCookie: {cookies}\r\n\r\n".encode()
            )
            assert asked.recv(500).startswith(b"HTTP/1.1 200")

    for _ in range(5):
        outcomes = at_once([hang_up] * 4)
        assert [one for one in outcomes if one is not None and not isinstance(one, FAULTS)] == []
        for path in ("/owner", LONG, "/me", "/owner/people") * 2:
            guest = Tab(server)
            answer = guest.session.get(f"{server.url}{path}", timeout=60, allow_redirects=False)
            assert answer.status_code == 303, (path, answer.text[:200])
