"""The owner's pages of sellers: from the contract to the statement, with what is refused."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pypdfium2
import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from store.identity import passwords
from tests.conftest import Clock
from tests.sellers.counter import give_to
from tests.world import Visitor, World

TERMS = {"commission": "25", "line_fee": "0.10", "fee": "0.6", "calendar": "days",
         "calendar_day": "1"}  # fmt: skip
WHO = {"code": "aurora-1", "name_en": "=Aurora", "name_zh": "极光专柜", "tax_number": "91310000",
       "bank_name": "Harbour Bank", "bank_holder": "Aurora Ltd", "contact": "Ms Bai",
       "bank_account": "6222 0000 1111 4321"}  # fmt: skip


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    passwords.set_hasher(passwords.QUICK)
    yield
    passwords.set_hasher(passwords.STRONG)


@pytest.fixture
def olga(world: World) -> Visitor:
    return world.client_for(world.owner())


def test_from_the_contract_to_the_bank(
    world: World, app: Flask, clock: Clock, olga: Visitor
) -> None:
    assert "place" in olga.get("/owner/sellers").text
    answer = olga.post("/owner/sellers", {**WHO, **TERMS})
    assert (answer.status_code, answer.location) == (303, "/owner/sellers/AURORA-1")
    page = olga.get("/owner/sellers/AURORA-1").text
    assert "**** 4321" in page and "62220000" not in page  # The account is never shown again.
    lamp = world.item(price="99.99", names={"en": "=Lamp", "zh": "台灯"})
    form = {"name_en": "=Lamp", "tax_rate": "13", "seller": "1"}
    assert olga.post(f"/desk/items/{lamp.id}", form).status_code == 303
    clock.tick(minutes=1)
    lin = world.member(funds="1000")
    sale = world.buy(lin, (lamp, 2))
    assert olga.post("/owner/sellers/AURORA-1/settlements").location == "/owner/sellers/AURORA-1"
    clock.tick(days=1)
    there = olga.post("/owner/sellers/AURORA-1/settlements").location
    page = olga.get(there).text
    assert "¥149.88" in page and f"/desk/sales/{sale.id}" in page
    rows = list(csv.DictReader(io.StringIO(olga.get(f"{there}.csv").text.lstrip("\ufeff"))))
    assert [(row["sale"], row["name"], row["total"], row["share"]) for row in rows] == [
        (sale.id, "'=Lamp", "199.98", "149.88")
    ]
    for language, words in (("en", "To be paid out"), ("zh", "极光专柜")):
        olga.get(f"/owner/sellers?lang={language}")
        pdf = olga.get(f"{there}.pdf?lang={language}")
        assert pdf.mimetype == "application/pdf"
        text = pypdfium2.PdfDocument(pdf.data)[0].get_textpage().get_text_range()
        assert words in text and "149.88" in text and "**** 4321" in text
    assert olga.post(f"{there}/payments", reference=" ", steps="0").status_code == 422
    assert olga.post(f"{there}/payments", reference="B-77", steps="0").status_code == 303
    assert olga.post(f"{there}/payments", reference="B-78", steps="0").status_code == 409
    assert olga.post(f"{there}/failures", reason="closed", steps="1").status_code == 303
    assert "B-77" in olga.get(there).text
    listed = olga.get("/owner/sellers.csv?month=2027-03").text
    assert "AURORA-1,'=Aurora" in listed and ",199.98,0.00,50.10,0.00,149.88," in listed
    assert world.faults() == []


def test_what_cannot_be_agreed_is_refused_and_stays_in_the_form(
    world: World, olga: Visitor
) -> None:
    for said in (
        {"code": ""}, {"code": "A/B"}, {"code": "x" * 21}, {"name_en": "", "name_zh": ""},
        {"bank_account": "12;--"}, {"commission": "101"}, {"commission": "-1"},
        {"commission": "abc"}, {"line_fee": "-0.10"}, {"line_fee": "1e9"}, {"fee": "0.001"},
        {"calendar": "daily"}, {"calendar": "weekly", "calendar_day": "8"},
        {"calendar_day": "0"}, {"calendar_day": "91"},
    ):  # fmt: skip
        answer = olga.post("/owner/sellers", {**WHO, **TERMS, **said})
        assert answer.status_code == 422, said
        assert "Nothing was saved." in answer.text and "Harbour Bank" in answer.text
    assert olga.get("/owner/sellers/AURORA-1").status_code == 404


def test_other_terms_begin_today_or_later_and_a_seller_with_items_stays(
    world: World, clock: Clock, olga: Visitor
) -> None:
    olga.post("/owner/sellers", {**WHO, **TERMS})
    assert olga.post("/owner/sellers", {**WHO, **TERMS}).status_code == 422  # The code is taken.
    lamp = world.item()
    olga.post(f"/desk/items/{lamp.id}", {"name_en": "Lamp", "tax_rate": "13", "seller": "1"})
    place = "/owner/sellers/AURORA-1"
    for day, status in (("2027-03-14", 422), ("2027-02-30", 422), ("2027-03-16", 303),
                        ("2027-03-16", 422)):  # fmt: skip
        answer = olga.post(f"{place}/contracts", {**TERMS, "starts_on": day})
        assert answer.status_code == status, day
    olga.post(f"{place}/close")
    assert "still theirs" in olga.get(place).text
    assert "Closed" not in olga.get(place).text
    olga.post(f"/desk/items/{lamp.id}", {"name_en": "Lamp", "tax_rate": "13", "seller": "0"})
    olga.post(f"{place}/close")
    assert "Closed" in olga.get(place).text
    answer = olga.post(f"/desk/items/{lamp.id}",
                       {"name_en": "Lamp", "tax_rate": "13", "seller": "1"})  # fmt: skip
    assert answer.status_code == 422
    olga.post(f"{place}/open")
    form = {"name_en": "Aurora", "bank_account": "", "contact": "Mr Lu"}
    assert olga.post(place, form).status_code == 303
    assert "**** 4321" in olga.get(place).text and "Mr Lu" in olga.get(place).text
    assert world.faults() == []


def test_the_commands_say_the_same(world: World, clock: Clock, runner: FlaskCliRunner) -> None:
    def run(*words: str) -> str:
        result = runner.invoke(args=["sellers", *words])
        assert result.exit_code == 0, result.output
        return result.stdout.strip()

    assert run("add", "aurora", "Aurora", "--name-zh", "极光", "--commission", "20") == "AURORA"
    refused = runner.invoke(args=["sellers", "add", "aurora", "A", "--commission", "20"])
    assert (refused.exit_code, "has the code" in refused.output) == (1, True)
    refused = runner.invoke(
        args=["sellers", "contract", "AURORA", "--commission", "20", "--on", "x"]
    )
    assert refused.exit_code == 1
    lamp = world.item(price="10.00")
    with world.app.app_context():
        give_to(1, lamp)
    clock.tick(minutes=1)
    world.buy(world.member(funds="100"), lamp)
    clock.tick(minutes=1)
    run("contract", "AURORA", "--commission", "30", "--on", "weekly:2")
    clock.tick(days=1)
    assert run("settle", "AURORA") == "1"
    assert run("settle") == "0"
    [due] = json.loads(run("payouts", "--json"))
    assert (due["amount"], due["seller"]) == ("8.00", "AURORA")
    for _ in range(2):
        assert run("paid", due["settlement"], "B-1") == due["settlement"]
    assert run("failed", due["settlement"], "closed") == due["settlement"]
    [row] = json.loads(run("list", "--json"))
    assert (row["owed"], row["to_be_paid_out"], row["items"]) == ("0.00", "8.00", 1)
    assert world.faults() == []


def test_a_file_says_whose_goods_are_whose(
    world: World, clock: Clock, runner: FlaskCliRunner, tmp_path_factory: pytest.TempPathFactory
) -> None:
    runner.invoke(args=["sellers", "add", "AURORA", "Aurora", "--commission", "20"])
    runner.invoke(args=["sellers", "add", "BOREAL", "Boreal", "--commission", "20"])
    folder = tmp_path_factory.mktemp("files")
    file, out = folder / "in.csv", folder / "out.csv"

    def take(rows: str) -> dict[str, int]:
        file.write_text("sku,name,price,seller\n" + rows, "utf-8")
        result = runner.invoke(args=["catalogue", "import", str(file), "--json"])
        return dict(json.loads(result.stdout.strip().splitlines()[-1]))

    taken = take("A1,One,1,AURORA\nA2,Two,2,\nA3,Three,3,NOBODY\n")
    assert (taken["added"], taken["rejected"]) == (2, 1)
    clock.tick(minutes=1)
    taken = take("A1,One,1,boreal\nA2,Two,2,BOREAL\n")
    assert (taken["updated"], taken["unchanged"]) == (2, 0)
    assert take("A1,One,1,\nA2,Two,2,BOREAL\n")["unchanged"] == 2
    runner.invoke(args=["catalogue", "export", str(out)])
    rows = list(csv.DictReader(out.open(encoding="utf-8-sig")))
    assert [row["seller"] for row in rows] == ["BOREAL", "BOREAL"]
