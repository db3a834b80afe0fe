"""A settlement that is killed (kill -9) between any two of its steps is gone on with by the next
run: nothing is paid twice, and nothing is left out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

from flask import Flask

from store.sellers import settling
from tests.conftest import Clock
from tests.live import ROOT
from tests.sellers.counter import account, give_to, seller
from tests.world import World

# It gathers three entries at a time, and dies when it has done so many steps: each time in a child
# of one process, so that the shop is loaded once.
KILLED = """
import json, os, signal, sys
from datetime import datetime
from store import clock, create_app
from store.sellers import settling
settings, now = json.loads(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
settling.BITE = 3
steps, last = [], 0
def die(after):
    def done(*given):
        found = after(*given)
        steps.append(after)
        if len(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    return done
for name in ("_open", "_gather_some", "_close"):
    setattr(settling, name, die(getattr(settling, name)))
for last in map(int, sys.argv[3:]):
    child = os.fork()
    if not child:
        clock.set_now(now)
        with create_app(settings).app_context():
            settling.settle()
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


def test_a_killed_settlement_is_gone_on_with(
    world: World, app: Flask, settings: dict[str, Any], clock: Clock
) -> None:
    with app.app_context():
        lamp, lin = world.item(price="10.00", on_hand=1000), world.member(funds="1000")
        give_to(seller(commission_bp=2000), lamp)
        clock.tick(minutes=1)
        for _ in range(8):
            world.buy(lin, lamp)
    clock.tick(days=1)
    # It dies when it is opened; after two bites; after the last, with nothing left but to close it;
    # and after it is closed, before anybody heard of it.
    words = [sys.executable, "-c", KILLED, json.dumps(settings), clock.now.isoformat(),
             "1", "3", "3", "3"]  # fmt: skip
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=120, check=True)
    assert [int(line) for line in ran.stdout.split()] == [signal.SIGKILL] * 4
    with app.app_context():
        assert (account("payouts"), account("seller:AURORA")) == (6400, 0)
        assert settling.settle() == []
        assert account("payouts") == 6400
    assert world.faults() == []
