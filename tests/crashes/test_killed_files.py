"""A settlement file whose taking is killed (kill -9) between any two of its steps goes on when it
is sent again: every line is there once, and every payment is settled once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import text

from store.db import db
from tests.live import ROOT
from tests.payment.costs.counter import came, held, take
from tests.world import World

# It takes two lines at a time, and dies when it has done so many steps: each time in a child of one
# process, so that the shop is loaded once.
KILLED = """
import json, os, signal, sys
from pathlib import Path
from store import create_app
from store.payment.costs import matching, taking
settings = json.loads(sys.argv[1])
taking.BITE = matching.BITE = 2
steps, last = [], 0
def die(after):
    def done(*given, **named):
        found = after(*given, **named)
        steps.append(after)
        if len(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    return done
taking._begin, taking._stage = die(taking._begin), die(taking._stage)
matching._bite = die(matching._bite)
app = create_app(settings)
for last in map(int, sys.argv[3:]):
    child = os.fork()
    if not child:
        with app.app_context():
            taking.take(Path(sys.argv[2]), "alipay", ("CNY", "Asia/Shanghai"))
            while matching.work("Asia/Shanghai"):
                pass
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


def test_a_killed_file_is_gone_on_with(
    world: World, app: Flask, settings: dict[str, Any], tmp_path: Path
) -> None:
    with app.app_context():
        lin = world.member()
        attempts = [came(lin, "alipay", 1_000) for _ in range(5)]
    file = tmp_path / "file.csv"
    file.write_text("order,type,amount,fee\n"
                    + "".join(f"{one},payment,10.00,0.06\n" for one in attempts))  # fmt: skip
    # It dies in the middle of staging the file; after the first lines were booked; after the last,
    # with nothing left but to say so.
    words = [sys.executable, "-c", KILLED, json.dumps(settings), str(file),
             "2", "5", "6"]  # fmt: skip
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=120, check=True)
    assert [int(line) for line in ran.stdout.split()] == [signal.SIGKILL] * 3
    with app.app_context():
        booked = "SELECT COUNT(*) FROM settlement_lines WHERE state = 'matched'"
        assert 0 < db.session.execute(text(booked)).scalar_one() <= 5
        assert take(tmp_path, "alipay", file.read_bytes()) == [("matched", "")] * 5
        assert (held("bank"), held("fees"), held("gateway:alipay")) == (4_970, 30, 0)
        assert take(tmp_path, "alipay", file.read_bytes()) == [("matched", "")] * 5
        assert held("bank") == 4_970
    assert world.faults() == []
