"""The shop is killed (kill -9) between the commit of what a device tells and its answer: the device
tells it again, and it is done once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

from tests.late.test_late import Device, outcome
from tests.live import ROOT
from tests.world import World

KILLED = """
import json, os, signal, sys
from store import create_app
from store.late import views
from tests.late.test_late import Device
from tests.world import Somebody, Thing, World
world = object.__new__(World)
world.app = create_app(json.loads(sys.argv[1]))
device = Device(world, Somebody(*json.loads(sys.argv[2])))
views.begun = lambda: os.kill(os.getpid(), signal.SIGKILL)
device.stock("receipts", "one", Thing(*json.loads(sys.argv[3])), quantity="5", seen="0")
"""


def test_who_was_never_answered_tells_it_again(world: World, settings: dict[str, Any]) -> None:
    sam, milk = world.staff(), world.item(on_hand=1)
    words = [sys.executable, "-c", KILLED,
             *(json.dumps(each) for each in (settings, [*vars(sam).values()],
                                             [*vars(milk).values()]))]  # fmt: skip
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=120, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr[-2000:]
    assert world.left(milk) == 6, "it was committed"
    device = Device(world, sam)
    again = device.stock("receipts", "one", milk, quantity="5", seen="0")
    assert outcome(again) == "known" and world.left(milk) == 6
    assert outcome(device.stock("receipts", "two", milk, quantity="4", seen="0")) == "done"
    assert world.left(milk) == 10 and world.faults() == []
