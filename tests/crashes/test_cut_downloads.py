"""A long answer is cut by who asked for it: the thread that made it forgets whose it was."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from tests.crashes.load import FAULTS
from tests.live import Start
from tests.races.crowd import at_once
from tests.races.tabs import Tab, signed_in
from tests.world import World

# Every hour since 1990: some hundred thousand lines, without a sale in the shop.
LONG = "/owner/takings.csv?from=1990-01-01&to=2026-12-31"


def test_nobody_is_let_in_by_an_owner_who_hung_up(world: World, live_server: Start) -> None:
    owner = world.owner()
    server = live_server(WORKERS=1, THREADS=2)
    tab = signed_in(server, owner)
    cookies = "; ".join(f"{name}={value}" for name, value in tab.session.cookies.items())
    host = urlsplit(server.url)
    whole = tab.session.get(f"{server.url}{LONG}", timeout=60)
    assert whole.status_code == 200 and len(whole.content) > 100_000, whole.text[:500]

    def hang_up() -> None:
        with socket.create_connection((host.hostname or "", host.port or 0), timeout=30) as asked:
            asked.sendall(
                f"GET {LONG} HTTP/1.1\r\nHost: {host.netloc}\r\nCookie: {cookies}\r\n\r\n".encode()
            )
            asked.recv(500)

    for _ in range(5):
        outcomes = at_once([hang_up] * 4)
        assert [one for one in outcomes if one is not None and not isinstance(one, FAULTS)] == []
        for path in ("/owner", LONG, "/me", "/owner/people") * 2:
            guest = Tab(server)
            answer = guest.session.get(f"{server.url}{path}", timeout=60, allow_redirects=False)
            assert answer.status_code == 303, (path, answer.text[:200])
