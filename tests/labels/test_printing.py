"""Printing from the command line: each sticker opens its item and is known; a no leaves nothing."""

from __future__ import annotations

import json
import time
import tracemalloc
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import func, select

from store import catalogue, stock
from store.db import db, transaction
from store.labels import Label, printing
from store.labels.models import PrintJob
from store.labels.sheets import sheet
from store.labels.stickers import ITEM_COLUMNS, Imprint, sample, wording
from tests.labels.conftest import Pages, read_by_zxing
from tests.world import Thing, World

NOT_OURS = "This label was not made by this shop"
LONG = "https://a-shop-with-a-very-long-name-indeed.example.com"


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"BASE_URL": "https://shop.example"}


@pytest.fixture
def goods(world: World) -> list[Thing]:
    """Two items with a GTIN, and one that the shop knows by its own code."""
    return [world.item("oat-milk"), world.item("honey"), world.item("banana")]


def run(runner: FlaskCliRunner, *arguments: object) -> Result:
    return runner.invoke(args=["labels", *map(str, arguments)])


def print_all(runner: FlaskCliRunner, file: Path, *more: object) -> Result:
    return run(runner, "print", "--sheet", "L7160", "--location", "MAIN", "--all",
               "--output", file, *more)  # fmt: skip


def recorded(app: Flask) -> tuple[int, int]:
    """How many print jobs and labels there are."""
    with app.app_context():
        tables = (PrintJob, Label)
        jobs, labels = (db.session.scalar(select(func.count()).select_from(t)) for t in tables)
        return jobs or 0, labels or 0


def codes(pages: Pages, pdf: bytes) -> list[list[str]]:
    return [sorted(read_by_zxing(page)) for page in pages(pdf, 203)]


def imprint(base_url: str = "https://shop.example") -> Imprint:
    return Imprint(base_url, "known-to-the-tests-only", ("en", "zh"), "MAIN")


def order(world: World, item_ids: list[int], **more: Any) -> printing.Order:
    values: dict[str, Any] = {
        "item_ids": item_ids, "sheet": sheet("L7160"), "location_id": world.location,
        "currency": "CNY", "imprint": imprint(),
    }  # fmt: skip
    return printing.Order(**(values | more))


def test_every_printed_sticker_opens_its_item_and_is_known_there(
    goods: list[Thing], runner: FlaskCliRunner, client: FlaskClient, pages: Pages, tmp_path: Path
) -> None:
    file = tmp_path / "labels.pdf"
    result = print_all(runner, file)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[-1] == str(file)
    [urls] = codes(pages, file.read_bytes())
    assert sorted(urlsplit(url).path for url in urls) == sorted(item.path for item in goods)
    for url in urls:
        parts = urlsplit(url)
        assert (parts.scheme, parts.netloc) == ("https", "shop.example")
        page = client.get(f"{parts.path}?{parts.query}")
        assert page.status_code == 200
        assert NOT_OURS not in page.text
        forged = client.get(f"{parts.path}?{parts.query[:-1]}{'0' if url[-1] != '0' else '1'}")
        assert NOT_OURS in forged.text


def test_a_sticker_is_recorded_with_what_stands_on_it(
    goods: list[Thing], world: World, app: Flask, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    mill = world.place("MILL")
    world.price(goods[0], "9.99", at=mill)
    with app.app_context(), transaction():
        stock.put_on_shelf(goods[0].id, mill, "B7")
    result = run(runner, "print", "--sheet", "avery 5160", "--location", "mill", "--item",
                 goods[0].gtin, "--copies", "2", "--output", tmp_path / "a.pdf")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    with app.app_context():
        labels = db.session.scalars(select(Label).order_by(Label.position)).all()
        assert [(row.item_id, row.location_id, row.shelf, row.price_minor) for row in labels] == [
            (goods[0].id, mill, "B7", 999)
        ] * 2
        assert len({row.id for row in labels}) == 2
        job = db.session.scalars(select(PrintJob)).one()
        assert (job.sheet, job.count, job.base_url) == ("5160", 2, "https://shop.example")


def test_copies_go_on_after_the_cells_that_are_used(
    goods: list[Thing], app: Flask, runner: FlaskCliRunner, pages: Pages, tmp_path: Path
) -> None:
    result = print_all(runner, tmp_path / "a.pdf", "--copies", 3, "--skip", 14)
    assert result.exit_code == 0, result.stderr
    first, second = codes(pages, (tmp_path / "a.pdf").read_bytes())
    assert (len(first), len(second)) == (7, 2)
    assert recorded(app) == (1, 9)


def test_all_leaves_out_what_has_no_price_and_names_it(
    goods: list[Thing], app: Flask, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    _item_without_price(app)
    result = print_all(runner, tmp_path / "a.pdf")
    assert result.exit_code == 0
    assert "BREAD7 Bread" in result.stderr
    assert recorded(app) == (1, 3)


def test_an_item_without_a_price_is_refused_by_name(
    goods: list[Thing], app: Flask, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    _item_without_price(app)
    result = run(runner, "print", "--sheet", "L7160", "--item", goods[0].code, "--item", "BREAD7",
                 "--output", tmp_path / "a.pdf")  # fmt: skip
    assert result.exit_code == 1
    assert "Bread (BREAD7)" in result.stderr
    assert goods[0].code not in result.stderr
    assert recorded(app) == (0, 0)
    assert not list(tmp_path.glob("*.p*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sheet", "L9999", "--all"], "No label sheet"),
        (["--sheet", "L7160", "--all", "--skip", "21"], "From 0 to 20"),
        (["--sheet", "L7160", "--all", "--copies", "0"], "Copies are"),
        (["--sheet", "L7160", "--item", "NONESUCH"], "no item NONESUCH"),
        (["--sheet", "L7160", "--all", "--location", "MOON"], "no location"),
        (["--sheet", "L4732", "--all"], "needs a label of"),
    ],
)
def test_a_refusal_leaves_neither_file_nor_records(
    arguments: list[str], said: str, goods: list[Thing], app: Flask, runner: FlaskCliRunner,
    tmp_path: Path,
) -> None:  # fmt: skip
    app.config["BASE_URL"] = LONG
    result = run(runner, "print", *arguments, "--output", tmp_path / "a.pdf")
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stdout == ""
    assert recorded(app) == (0, 0)
    assert not list(tmp_path.glob("*.p*")) + list(tmp_path.glob(".*"))


def test_a_folder_that_is_not_there_is_named(
    goods: list[Thing], app: Flask, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    result = print_all(runner, tmp_path / "nowhere" / "a.pdf")
    assert result.exit_code == 1
    assert "nowhere" in result.stderr
    assert recorded(app) == (0, 0)


@pytest.mark.usefixtures("context")
def test_a_printing_that_is_broken_off_leaves_the_old_file_and_no_records(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(b"yesterday's")

    def broken_off(done: int) -> None:
        raise KeyboardInterrupt

    ids = [world.item("oat-milk").id]
    with pytest.raises(KeyboardInterrupt):
        printing.print_labels(order(world, ids, copies=30), file, broken_off)
    assert file.read_bytes() == b"yesterday's"
    assert [path.name for path in tmp_path.iterdir() if "a.pdf" in path.name] == ["a.pdf"]
    assert db.session.scalar(select(func.count()).select_from(Label)) == 0
    printing.print_labels(order(world, ids, copies=30), file)
    assert file.read_bytes().startswith(b"%PDF")


def test_a_job_is_printed_again_to_the_byte_even_at_another_price(
    goods: list[Thing], world: World, app: Flask, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    first, again = tmp_path / "a.pdf", tmp_path / "b.pdf"
    print_all(runner, first, "--copies", 9, "--skip", 5)
    world.price(goods[0], "0.50")
    with app.app_context():
        job_id = db.session.scalar(select(PrintJob.id))
    result = run(runner, "reprint", job_id, "--output", again)
    assert result.stdout.splitlines()[-1] == str(again), result.stderr
    assert again.read_bytes() == first.read_bytes()
    assert recorded(app) == (1, 27)
    assert run(runner, "reprint", 999, "--output", again).exit_code == 1


def test_labels_that_no_phone_can_open_are_warned_of(
    goods: list[Thing], app: Flask, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    assert "WARNING" not in print_all(runner, tmp_path / "a.pdf").stderr
    app.config["BASE_URL"] = ""
    warned = print_all(runner, tmp_path / "a.pdf")
    assert warned.exit_code == 0
    assert "WARNING" in warned.stderr and "STORE_BASE_URL" in warned.stderr


def test_characters_that_the_font_lacks_are_named(
    world: World, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    world.item("honey", names={"zh": "𠮷田蜂蜜"})
    result = print_all(runner, tmp_path / "a.pdf")
    assert result.exit_code == 0
    assert "𠮷" in result.stderr and "田" not in result.stderr


def test_the_digits_in_clear_find_the_item_again(
    goods: list[Thing], world: World, app: Flask, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    short = world.item("oat-milk", gtin="96385074", code="SHRT7")
    upc = world.item("oat-milk", gtin="036000291452", code="PC12A")
    with app.app_context():
        for item, digits in ((short, "96385074"), (upc, "036000291452"), (goods[2], "F102")):
            found = catalogue.find_item(digits)
            assert found is not None and found.id == item.id
            of_item = select(*ITEM_COLUMNS).where(catalogue.Item.id == found.id)
            row = db.session.execute(of_item).one()
            assert wording(row, _record_of(found.id), imprint()).code_text == digits


def test_a_deposit_stands_beside_the_unit_price(world: World, app: Flask) -> None:
    with app.app_context(), transaction():
        bottle = catalogue.add_deposit({"en": "Bottle"}, 25, world.currency).item_id
    milk = world.item(price="2.50", deposit_id=bottle)
    with app.app_context():
        row = db.session.execute(select(*ITEM_COLUMNS).where(catalogue.Item.id == milk.id)).one()
        sticker = sample(row, 250, world.currency, "", imprint())
    assert (sticker.price_text, sticker.unit_price_text) == (
        "¥2.50", "¥2.50 / l · + ¥0.25 deposit",
    )  # fmt: skip


def test_the_sheets_are_listed_for_people_and_for_programs(runner: FlaskCliRunner) -> None:
    assert "L7160      A4" in run(runner, "sheets").stdout
    listed = json.loads(run(runner, "sheets", "--json").stdout.splitlines()[-1])
    assert len(listed) >= 12
    assert next(each for each in listed if each["name"] == "L7160")["per_page"] == 21


@pytest.mark.usefixtures("context")
def test_hundreds_of_labels_are_quick_and_memory_does_not_grow_with_them(
    world: World, tmp_path: Path
) -> None:
    with transaction():
        ids = [
            catalogue.add_item(names={"en": f"Item {n}"}, tax_rate_bp=1300, price_minor=100 + n,
                               currency="CNY").id
            for n in range(60)
        ]  # fmt: skip
    printing.print_labels(order(world, ids), tmp_path / "warm.pdf")
    began = time.process_time()
    printed = printing.print_labels(order(world, ids, copies=7), tmp_path / "a.pdf")
    assert printed.labels == 420
    assert time.process_time() - began < 2

    def peak(copies: int) -> int:
        db.session.expunge_all()
        tracemalloc.start()
        printing.print_labels(order(world, ids, copies=copies), tmp_path / "a.pdf")
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    few, many = peak(2), peak(7)
    assert many < 1.3 * few, (few, many)


@pytest.mark.usefixtures("context")
def test_one_key_is_one_job(world: World) -> None:
    wanted = order(world, [world.item("oat-milk").id], copies=3, key="the-key-of-a-page")
    first, second = printing.print_job(wanted), printing.print_job(wanted)
    assert first.job_id == second.job_id
    assert db.session.scalar(select(func.count()).select_from(Label)) == 3
    output = BytesIO()
    job = printing.find_job(first.job_id)
    assert printing.reprint(job, imprint(), output).labels == second.labels == 3


def _item_without_price(app: Flask) -> None:
    with app.app_context(), transaction():
        catalogue.add_item(code="BREAD7", names={"en": "Bread"}, tax_rate_bp=1300)


def _record_of(item_id: int) -> Label:
    return Label(id="7K2M9QXW", item_id=item_id, price_minor=100, currency="CNY", shelf="")
