"""Variants: one card, several codes; the page of each leads to the others, without script."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from store import catalogue, stock
from store.catalogue import groups
from store.catalogue.models import Item, ItemGroup
from store.db import db, transaction
from store.errors import Invalid
from tests.catalogue.conftest import Import
from tests.races.crowd import at_once
from tests.races.crowd import inside as visiting
from tests.world import Thing, World

SIZE, COLOUR = {"en": "Size", "zh": "尺码"}, {"en": "Colour", "zh": "颜色"}
RED, BLUE = {"en": "Red", "zh": "红"}, {"en": "Blue", "zh": "蓝"}
S, L = {"en": "S"}, {"en": "L"}
VALUES: list[list[dict[str, str]]] = [
    [S, RED], [{"en": "s"}, {"en": "RED"}], [S], [S, {}], [],
]  # fmt: skip
WRONG: list[list[dict[str, str]]] = [[], [SIZE] * 4, [{}]]


def test_of_many_taps_at_once_one_makes_the_group_and_the_others_are_told(app: Flask) -> None:
    def made() -> int:
        with transaction():
            return groups.add_group({"en": "Shirt"}, [SIZE]).id

    outcomes = at_once([visiting(app, made)] * 5)
    assert sum(isinstance(one, int) for one in outcomes) == 1, outcomes
    assert sum(isinstance(one, Invalid) for one in outcomes) == 4, outcomes


@pytest.fixture
def shirts(world: World) -> dict[str, Thing]:
    """A shirt in three variants: S red, L red (sold out), L blue; blue costs more."""
    made = {}
    with world.app.app_context(), transaction():
        group = groups.add_group({"en": "Shirt", "zh": "衬衫"}, [SIZE, COLOUR])
        for name, values, price, left in (
            ("sr", [S, RED], 1000, 5), ("lr", [L, RED], 1000, 0), ("lb", [L, BLUE], 1200, 3),
        ):  # fmt: skip
            item = catalogue.add_item(names={"en": f"Shirt {name}"}, tax_rate_bp=1300,
                                      price_minor=price, currency=world.currency)  # fmt: skip
            groups.put_in(item, group, values)
            if left:
                stock.receive(item.id, world.location, left)
            path = catalogue.item_path(item)
            made[name] = Thing(item.id, item.code, None, item.names, price, path)
    return made


def options(page: str) -> dict[str, list[tuple[str, str, bool]]]:
    """By option: the link, its text, and whether it is the one at hand."""
    found = {}
    for name, inside in re.findall(
        r'<nav class="options" aria-label="(.*?)">(.*?)</nav>', page, re.S
    ):
        links = re.findall(r'<a href="(.*?)"(.*?)>(.*?)</a>', inside)
        found[name] = [
            (href.split("?")[0], re.sub("<.*?>", "", text), "aria-current" in rest)
            for href, rest, text in links
        ]
    return found


def test_the_page_of_one_leads_to_the_others(world: World, shirts: dict[str, Thing]) -> None:
    sr, lr, lb = (shirts[name].path for name in ("sr", "lr", "lb"))
    phone = world.visitor()
    assert options(phone.get(sr).text) == {
        "Size": [(sr, "S", True), (lr, "L sold out here", False)],
        # There is no S in blue: the one that is the nearest to it.
        "Colour": [(sr, "Red", True), (lb, "Blue", False)],
    }
    page = phone.get(f"{lb}?at=MAIN&lang=zh").text
    assert list(options(page)) == ["尺码", "颜色"]
    assert [text for _, text, _ in options(page)["颜色"]] == ["红 本店售罄", "蓝"]
    world.stock(shirts["lr"], 1)
    assert "sold out here" not in str(options(phone.get(f"{sr}?lang=en").text))
    assert options(phone.get(world.item().path).text) == {}


def test_one_card_stands_for_the_group(world: World, shirts: dict[str, Thing]) -> None:
    world.item()
    phone = world.visitor()
    page = phone.get("/").text
    assert page.count("Shirt") == 1 and shirts["sr"].path in page
    assert re.search(r"from</small>\s*.*10", page)
    found = phone.get("/?q=shirt lb").text
    assert shirts["lb"].path in found and shirts["sr"].path not in found


def test_no_two_variants_are_the_same(world: World, shirts: dict[str, Thing]) -> None:
    milk = world.item()
    with world.app.app_context():
        group = db.session.scalar(select(ItemGroup))
        assert group is not None
        for values in VALUES:
            with pytest.raises(Invalid), transaction() as session:
                item = session.get(Item, milk.id)
                assert item is not None
                groups.put_in(item, groups.existing(group.id), values)
        with pytest.raises(Invalid), transaction():
            groups.add_group({"en": "shirt"}, [SIZE])
        for wrong in WRONG:
            with pytest.raises(Invalid), transaction():
                groups.add_group({"en": "Shoe"}, wrong)


def test_staff_make_a_group(world: World) -> None:
    small, large = world.item("oat-milk"), world.item("bread")
    desk = world.client_for(world.staff())
    assert desk.post("/desk/groups", {"name_en": "", "option1_en": "Size"}).status_code == 422
    made = desk.post(
        "/desk/groups", {"name_en": "Milk", "option1_en": "Size", "option1_zh": "大小"}
    )
    assert made.status_code == 303
    at = f"{made.location}/variants"
    for thing, value in ((small, "Small"), (large, "Large")):
        assert desk.post(at, {"code": thing.code, "value1_en": value}).status_code == 303
    again = desk.post(at, {"code": small.code, "value1_en": "large"})
    assert again.status_code == 422 and "not the same as another variant" in again.text
    assert desk.post(at, {"code": "nothing", "value1_en": "X"}).status_code == 422
    assert list(options(desk.get(small.path).text)) == ["Size"]
    assert desk.post(made.location, {"name_en": "Drink", "option1_en": "Kind"}).status_code == 303
    assert "2 variants" in desk.get("/desk/groups").text and "Drink" in desk.get(made.location).text
    assert desk.post(f"{at}/{large.id}/leave").status_code == 303
    assert desk.post(f"{at}/{large.id}/leave").status_code == 404
    assert options(desk.get(small.path).text) == {}


HEADINGS = ["short_code", "name_en", "price", "group_en", "group_zh", "options_en", "options_zh",
            "deposit", "parts"]  # fmt: skip
ROWS = [
    ["TEA1", "Tea S", "2", "Tea", "茶", "Size: S", "尺码: 小", "0.25", ""],
    ["TEA2", "Tea L", "3", "Tea", "", "Size: L", "", "", ""],
    ["BXX1", "Box", "9", "", "", "", "", "", "2 × TEA1, TEA2"],
]


def _write(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADINGS, *rows])
    return path


def test_files_bring_and_take_groups_deposits_and_bundles(
    app: Flask, shop: World, take: Import, tmp_path: Path
) -> None:
    first = _write(tmp_path / "a.csv", ROWS)
    assert take(first).result == "added 3, updated 0, unchanged 0, rejected 0"
    assert take(first).result == "added 0, updated 0, unchanged 3, rejected 0"
    again = tmp_path / "b.csv"
    assert app.test_cli_runner().invoke(args=["catalogue", "export", str(again)]).exit_code == 0
    with again.open(encoding="utf-8-sig", newline="") as file:
        rows = [[row[name] for name in HEADINGS] for row in csv.DictReader(file)]
    assert [[*row[:2], *row[3:]] for row in rows] == [
        ["TEA1", "Tea S", "Tea", "茶", "Size: S", "尺码: 小", "0.25", ""],
        ["TEA2", "Tea L", "Tea", "茶", "Size: L", "", "", ""],
        ["BXX1", "Box", "", "", "", "", "", "2 × TEA1, 1 × TEA2"],
    ]
    assert take(again).result == "added 0, updated 0, unchanged 3, rejected 0"


def test_what_cannot_be_is_rejected_with_its_reason(
    app: Flask, shop: World, take: Import, tmp_path: Path
) -> None:
    take(_write(tmp_path / "a.csv", ROWS))
    wrong = [
        ["TEA3", "Tea", "2", "Tea", "", "Size: s", "", "", ""],
        ["TEA4", "Tea", "2", "Tea", "", "Size: M; Colour: Red", "", "", ""],
        ["TEA5", "Tea", "2", "Tea", "", "", "", "", ""],
        ["TEA6", "Tea", "2", "Tea", "", "M", "", "", ""],
        ["BXX2", "Box", "2", "", "", "", "", "", "2 × N0NE"],
        ["BXX1", "Box", "9", "", "", "", "", "", "3 × TEA1"],
    ]
    assert take(_write(tmp_path / "b.csv", wrong)).result.endswith("rejected 6")
