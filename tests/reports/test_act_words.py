"""Every act of the log has words, and so has what is noted of it."""

from __future__ import annotations

import ast
import html
import re

from tests.live import ROOT
from tests.world import World

WORDS = ROOT / "templates" / "reports" / "act_words.html"
NOTES = {"note", "listed", "seen"}


def _keys() -> set[str]:
    """The names of what is noted, as far as the source says them in place."""
    found: set[str] = set()
    for path in (ROOT / "store").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if ast.unparse(node.func.value) != "logbook" or node.func.attr not in NOTES:
                continue
            for said in node.keywords:
                if node.func.attr == "listed" and said.arg:
                    found.add(said.arg)
                for one in ast.walk(said.value) if said.arg in ("before", "after") else ():
                    if isinstance(one, ast.Dict):
                        found |= {
                            each.value
                            for each in one.keys
                            if isinstance(each, ast.Constant) and isinstance(each.value, str)
                        }
    return found


def test_whatever_is_noted_has_a_word() -> None:
    known = WORDS.read_text("utf-8").partition("side_words")[2].partition("%}")[0]
    keys = _keys()
    assert len(keys) > 30
    assert keys - set(re.findall(r"'(\w+)': _\(", known)) == set()


def test_the_log_speaks_the_readers_language(world: World) -> None:
    owner = world.client_for(world.owner())
    sam, milk = world.staff(), world.item(on_hand=5)
    owner.get("/owner/sales?period=this_week&by=day")
    staff = world.client_for(sam)
    form = {"code": milk.code, "at": "MAIN", "why": "damaged", "key": "fell-down", "quantity": "1"}
    assert staff.post("/desk/stock/write-offs", form | {"note": "fell"}).status_code == 303
    page = html.unescape(owner.get("/owner/log", headers={"Accept-Language": "zh"}).text)
    assert "名单 · 销售" in page and "本周" in page and "损坏" in page
    assert "this_week" not in page and ">damaged<" not in page
    page = html.unescape(
        staff.get(f"/desk/stock?code={milk.code}", headers={"Accept-Language": "zh"}).text
    )
    assert "损坏 · fell" in page and "damaged: fell" not in page
