"""A settlement, or a release of held money, that is killed (kill -9) between any two of its steps
is gone on with by the next run: nothing is paid twice, and nothing is left out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import pytest
from flask import Flask

from store.payment import escrow
from store.sellers import settling
from tests.conftest import Clock
from tests.live import ROOT
from tests.sales.test_escrow import arrives
from tests.sellers.counter import account, give_to, seller
from tests.world import World

# It gathers three entries at a time, and dies when it has done so many steps of its work: each time
# in a child of one process, so that the shop is loaded once.
KILLED = """
import json, os, signal, sys
from datetime import datetime
from store import clock, create_app
from store.payment import escrow
from store.sellers import settling
settings, now = json.loads(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
settling.BITE = 3
steps, last = [], 0
def die(after):
    def done(*given, **named):
        found = after(*given, **named)
        steps.append(after)
        if len(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    return done
for room, name in ((settling, "_open"), (settling, "_gather_some"), (settling, "_close"),
                   (escrow, "_change"), (escrow, "_move"), (escrow, "_release_one")):
    setattr(room, name, die(getattr(room, name)))
for word in sys.argv[3:]:
    work, _, last = word.partition(":")
    last = int(last)
    child = os.fork()
    if not child:
        clock.set_now(now)
        with create_app(settings).app_context():
            settling.settle() if work == "settle" else escrow.release_due()
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"ESCROW_DAYS": 1}


def test_what_is_killed_is_gone_on_with(
    world: World, app: Flask, settings: dict[str, Any], clock: Clock
) -> None:
    with app.app_context():
        lamp, lin = world.item(price="10.00", on_hand=1000), world.member(funds="1000")
        tea = world.item("tea", price="5.00", on_hand=9)
        give_to(seller(commission_bp=2000), lamp)
        clock.tick(minutes=1)
        for _ in range(8):
            world.buy(lin, lamp)
        world.zone((5000, "5"))
        orders = [world.order(lin, tea) for _ in range(3)]
    for each in orders:
        arrives(world, each)
    clock.tick(days=2)
    # A settlement dies when it is opened; after two bites; after the last, with nothing left but to
    # close it; and after it is closed, before anybody heard of it. A release dies between its two
    # rows and after both, which undoes them; and when the first of three stands.
    ends = ["settle:1", "settle:3", "settle:3", "settle:3", "release:1", "release:2", "release:3"]
    words = [sys.executable, "-c", KILLED, json.dumps(settings), clock.now.isoformat(), *ends]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=120, check=True)
    assert ran.stderr == b"", ran.stderr[-2000:]
    assert [int(line) for line in ran.stdout.split()] == [signal.SIGKILL] * len(ends)
    with app.app_context():
        assert (account("payouts"), account("seller:AURORA")) == (6400, 0)
        assert settling.settle() == []
        assert account("payouts") == 6400
        left = escrow.held_of([each.id for each in orders])
        assert (account("escrow"), list(left.values())) == (2000, [1000, 1000])
        assert [escrow.release_due(), escrow.release_due(), account("escrow")] == [2, 0, 0]
    assert world.faults() == []
