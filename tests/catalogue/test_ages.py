"""A least age: written in a form and in a file, read strictly, and the same in an export."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from store import catalogue
from store.catalogue.figures import read_age
from store.errors import Invalid
from tests.catalogue.conftest import Import
from tests.world import World


@pytest.mark.parametrize(
    ("said", "age"), [("18", 18), ("18+", 18), (" 16 ", 16), ("18.0", 18), ("0", 0)]
)
def test_an_age_as_people_write_it(said: str, age: int) -> None:
    assert read_age(said) == age


@pytest.mark.parametrize(
    "said",
    ["18 years", "-1", "200", "adult", "18.5", "1e1", "１８", "+18", "18++", "", "½", "0x12"],
)
def test_what_is_no_age_is_refused(said: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_age(said)
    assert refusal.value.field == "least_age" and "like 18" in refusal.value.message


def test_a_file_says_ages_and_gets_them_back(
    app: Flask, shop: World, take: Import, tmp_path: Path
) -> None:
    file = tmp_path / "goods.csv"
    ages = {"A": "18", "B": "16+", "C": "", "D": "adult", "E": "200", "F": "-1", "G": "18 years"}
    rows = [f"{sku},Cider {sku},5.00,{age}" for sku, age in ages.items()]
    file.write_text("sku,name,price,minimum age\n" + "\n".join(rows) + "\n", "utf-8")
    taken = take(file)
    assert taken.result == "added 3, updated 0, unchanged 0, rejected 4"
    assert _ages(app) == {"A": 18, "B": 16, "C": 0}
    exported = tmp_path / "out.csv"
    ended = app.test_cli_runner().invoke(args=["catalogue", "export", str(exported)])
    assert ended.exit_code == 0
    assert take(exported).result == "added 0, updated 0, unchanged 3, rejected 0"
    # An empty cell takes nothing away, a 0 does.
    file.write_text("sku,price,least_age\nA,5,\nB,5,0\nC,5,21\n", "utf-8")
    taken = take(file)
    assert taken.result == "added 0, updated 2, unchanged 1, rejected 0", taken.told
    assert _ages(app) == {"A": 18, "B": 0, "C": 21}


def test_the_form_says_it_and_the_page_shows_it(shop: World) -> None:
    desk = shop.client_for(shop.owner())
    cider = shop.item("beer", price="20", least_age=18)
    form = {"name_en": "Cider", "tax_rate": "13", "least_age": "21", "gtin": cider.gtin}
    assert desk.post(f"/desk/items/{cider.id}", form).status_code == 303
    assert 'name="least_age" value="21"' in desk.get(f"/desk/items/{cider.id}").text
    assert "21+: somebody at the exit looks at your ID." in desk.get(cider.path).text
    again = desk.post(f"/desk/items/{cider.id}", form | {"least_age": "adult"})
    assert again.status_code == 422 and "Write the least age in years" in again.text
    # A form that does not ask leaves it as it is; an empty field takes it off.
    del form["least_age"]
    assert desk.post(f"/desk/items/{cider.id}", form).status_code == 303
    assert "21+" in desk.get(cider.path).text
    assert desk.post(f"/desk/items/{cider.id}", form | {"least_age": ""}).status_code == 303
    assert "looks at your ID" not in desk.get(cider.path).text


def _ages(app: Flask) -> dict[str, int]:
    with app.app_context():
        found = [catalogue.find_item(code) for code in "ABC"]
        return {str(item.sku): item.least_age for item in found if item is not None}
