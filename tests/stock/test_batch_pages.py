"""Batches on pages: goods come in with batch and date, a batch is called back, and a pack that
nobody may buy is stopped at the scan."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from store import catalogue
from tests.conftest import Clock
from tests.live import LiveServer
from tests.world import Thing, Visitor, World


@pytest.fixture
def yoghurt(world: World, clock: Clock) -> Thing:
    return world.item(on_hand=0, price="1", tracks_batches=True)


def receive(staff: Visitor, item: Thing, many: int, **fields: str) -> int:
    form = {"code": item.code, "at": "MAIN", "seen": "0", "again": "1"} | fields
    return staff.post("/desk/stock/receipts", form, quantity=str(many)).status_code


def test_goods_come_in_with_what_the_pack_says(world: World, yoghurt: Thing) -> None:
    staff = world.client_for(world.staff())
    code = f"(01){yoghurt.gtin}(17)270320(10)L7-A"
    page = staff.get("/desk/stock", query_string={"code": code}).text
    assert 'value="L7-A"' in page
    assert 'value="2027-03-20"' in page
    assert receive(staff, yoghurt, 3, batch="L7-A", expires_on="2027-03-20") == 303
    assert world.left(yoghurt) == 3
    page = staff.get(f"/desk/stock?code={yoghurt.code}").text
    assert "L7-A" in page
    assert "until 20 March 2027" in page
    assert "3 here" in page
    for fields in ({}, {"batch": ""}, {"batch": "B", "expires_on": "tomorrow"}, {"batch": "a b"}):
        assert receive(staff, yoghurt, 1, **fields) == 422
    assert receive(staff, yoghurt, 1, batch="L7-A", expires_on="2027-03-21") == 409
    assert world.left(yoghurt) == 3
    assert world.faults() == []


def test_a_batch_is_called_back_and_a_scan_of_it_tells_shopper_and_staff(
    world: World, yoghurt: Thing
) -> None:
    staff, shopper = world.client_for(world.staff()), world.client_for(world.member(funds="9"))
    receive(staff, yoghurt, 3, batch="A", expires_on="2027-04-01")
    pack = f"/01/{yoghurt.gtin}/10/A"
    assert shopper.get(pack).status_code == 200
    form = {"code": yoghurt.code, "at": "MAIN", "batch_id": "1"}
    assert shopper.post("/desk/stock/recalls", form).status_code == 403
    assert staff.post("/desk/stock/recalls", form).status_code == 303
    for _ in range(2):
        answer = shopper.get(pack)
        assert answer.status_code == 409
        assert "called back" in answer.text
        assert "give it to the staff" in answer.text
    assert "Called back" in staff.get(f"/desk/stock?code={yoghurt.code}").text
    assert staff.get("/desk/tasks").text.count("(10)A") == 1
    assert "Sold out here" in shopper.get(yoghurt.path).text
    assert staff.post("/desk/stock/recalls", form, back="1").status_code == 303
    assert shopper.get(pack).status_code == 200
    assert staff.post("/desk/stock/recalls", form | {"batch_id": "77"}).status_code == 404
    assert world.faults() == []


def test_a_pack_past_its_date_is_stopped_at_the_scan(world: World, yoghurt: Thing) -> None:
    shopper = world.visitor()
    assert shopper.get(f"/01/{yoghurt.gtin}?17=270315").status_code == 200
    answer = shopper.get(f"/01/{yoghurt.gtin}?17=270314")
    assert answer.status_code == 409
    assert "2027-03-14" in answer.text
    assert "(17)270314" in world.client_for(world.staff()).get("/desk/tasks").text


def test_what_was_scanned_from_a_pack_goes_along_to_the_page(world: World, yoghurt: Thing) -> None:
    asked = {"code": f"(01){yoghurt.gtin}(17)270314(10)A+1"}
    answer = world.visitor().get("/find", query_string=asked)
    assert answer.location == f"/01/{yoghurt.gtin}/10/A%2B1?17=270314"
    assert world.visitor().get(answer.location).status_code == 409
    plain = world.visitor().get("/find", query_string={"code": yoghurt.gtin})
    assert plain.location == yoghurt.path


def test_a_slash_within_a_batch_is_kept(world: World, yoghurt: Thing, app: Flask) -> None:
    """The server decodes a path before anybody can look at it."""
    for path, lot, serial in (
        ("10/L%2F27", "L/27", ""), ("10/L%2F2%2F7/21/S", "L/2/7", "S"), ("10/A%2F21", "A/21", ""),
        ("10/A/21/S%2F1", "A", "S/1"), ("22/V%2F1/10/L%2F27/21/S", "L/27", "S"),
    ):  # fmt: skip
        with app.test_request_context(f"/01/{yoghurt.gtin}/{path}?17=270401"):
            said = catalogue.resolve().ais
        assert (said["10"], said.get("21", ""), said["17"]) == (lot, serial, "270401")


def test_a_called_back_batch_with_a_slash_is_stopped(
    world: World, live_server: Callable[[], LiveServer]
) -> None:
    staff = world.client_for(world.staff())
    yoghurt = world.item(on_hand=0, price="1", tracks_batches=True)
    receive(staff, yoghurt, 3, batch="L/27")
    found = world.visitor().get("/find", query_string={"code": f"(01){yoghurt.gtin}(10)L/27"})
    assert found.location == f"/01/{yoghurt.gtin}/10/L%2F27"
    # Through the server that the shop runs on: it decodes paths in its own way.
    url = live_server().url
    assert status(url + found.location) == 200
    form = {"code": yoghurt.code, "at": "MAIN", "batch_id": "1"}
    assert staff.post("/desk/stock/recalls", form).status_code == 303
    assert (status(url + found.location), status(url + yoghurt.path)) == (409, 200)


def status(address: str) -> int:
    host, path = urlsplit(address).netloc, urlsplit(address).path
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.request("GET", path)
    return connection.getresponse().status


def test_commands_receive_and_call_back(
    world: World, runner: FlaskCliRunner, yoghurt: Thing
) -> None:
    received = ["stock", "receive", yoghurt.code, "4", "--batch", "A", "--expires", "2027-04-01"]
    assert runner.invoke(args=received).stdout == "4\n"
    assert runner.invoke(args=["stock", "recall", yoghurt.code, "A"]).stdout == "4\n"
    assert world.visitor().get(f"/01/{yoghurt.gtin}/10/A").status_code == 409
    back = runner.invoke(args=["stock", "recall", yoghurt.code, "A", "--back"])
    assert back.stdout == "4\n"
    assert runner.invoke(args=[*received[:4], "--expires", "2027-04-01"]).exit_code == 2


def test_a_file_says_which_items_are_tracked(
    world: World, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    file, out = tmp_path / "goods.csv", tmp_path / "out.csv"
    rejects = tmp_path / "rejects.csv"
    file.write_text("sku,name,price,batches\nA1,Milk,1,yes\nA2,Salt,1,\nA3,Tea,1,maybe\n")
    runner.invoke(args=["catalogue", "import", str(file), "--rejects", str(rejects)])
    assert "neither yes nor no" in rejects.read_text("utf-8-sig")
    runner.invoke(args=["catalogue", "export", str(out)])
    rows = [line.split(",") for line in out.read_text("utf-8-sig").splitlines()]
    at = rows[0].index("batches")
    assert {row[2]: row[at] for row in rows[1:]} == {"A1": "yes", "A2": "no"}
    file.write_text("sku,price,batches\nA1,1,no\nA2,1,\n")
    runner.invoke(args=["catalogue", "import", str(file)])
    runner.invoke(args=["catalogue", "export", str(out)])
    assert "yes" not in out.read_text("utf-8-sig")


def test_a_batch_with_the_number_of_a_serial_in_it_is_stopped(
    world: World, runner: FlaskCliRunner, yoghurt: Thing
) -> None:
    """An address comes in decoded: `A/21/B` may be batch A with serial B. The book tells."""
    for batch in ("A/21/B", "A"):
        runner.invoke(args=["stock", "receive", yoghurt.code, "4", "--batch", batch])
    page = f"/01/{yoghurt.gtin}/10/A%2F21%2FB"
    assert world.visitor().get(page).status_code == 200
    runner.invoke(args=["stock", "recall", yoghurt.code, "A/21/B"])
    assert world.visitor().get(page).status_code == 409
    assert world.visitor().get(f"/01/{yoghurt.gtin}/10/A/21/C").status_code == 200
    runner.invoke(args=["stock", "recall", yoghurt.code, "A/21/B", "--back"])
    runner.invoke(args=["stock", "recall", yoghurt.code, "A"])
    assert world.visitor().get(page).status_code == 200
    assert world.visitor().get(f"/01/{yoghurt.gtin}/10/A/21/C").status_code == 409
