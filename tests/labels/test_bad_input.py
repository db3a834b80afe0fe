"""Names that no font has, goods that cost nothing or are sold no more: a label that fits and says
what it lacks, or a clear no."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from store import catalogue
from store.db import db, transaction
from store.errors import Invalid
from store.labels import Label
from store.labels.sheets import sheet
from tests.labels import finished
from tests.labels.conftest import MakeLabel, Pages, read_by_zxing
from tests.labels.test_proof import printed
from tests.labels.test_studio import fetch, path_in, print_these
from tests.world import World

ARABIC, HEBREW = "حليب الشوفان", "חלב שיבולת שועל"
LONG = ("Oat milk barista edition, organic, unsweetened, " * 9)[:400]


def test_every_name_ends_on_a_label_that_fits_or_in_a_clear_no(
    world: World, app: Flask, pages: Pages, tmp_path: Path
) -> None:
    staff = world.client_for(world.staff())
    with app.app_context(), pytest.raises(Invalid, match="400 characters; at most 300"):
        world.item("honey", gtin=None, code="N0400", names={"en": LONG})
    goods = [
        world.item("honey", gtin=None, code=f"N00{number}", names=names)
        for number, names in enumerate(
            (
                {"en": LONG[:300].strip(), "zh": "燕麦奶" * 100},
                {"en": ARABIC},
                {"en": HEBREW, "zh": "燕麦奶"},
                {"en": "Tea \u202egnorw", "zh": "龘"},
                {"en": "Coca-Cola كوكا كولا"},
            )
        )
    ]
    free = world.item("oat-milk", price="0")
    job = print_these(staff, *goods, free)
    page = staff.get(job).text
    for said in ("ح U+062D ARABIC LETTER HAH", HEBREW[0], "龘"):
        assert said in page, said
    assert staff.get(job).text.count("ARABIC LETTER") == 0  # Told once.
    file = tmp_path / "labels.pdf"
    file.write_bytes(fetch(staff, job).data)
    urls = [url for page in pages(file.read_bytes(), 203) for url in read_by_zxing(page)]
    assert len(urls) == 6
    judged = finished.faults_in(file, sheet("L7160"))
    assert (judged.labels, judged.faults) == (6, [])
    assert all(staff.get(path_in(url)).status_code == 200 for url in urls)
    assert "¥0.00" in staff.get(next(path_in(url) for url in urls if free.path in url)).text


def test_a_name_without_a_letter_that_can_be_shown_leaves_the_other_its_room(
    a_label: MakeLabel, tmp_path: Path
) -> None:
    labels = [
        a_label(0, names=(HEBREW, "燕麦奶")),
        a_label(1, names=(ARABIC,)),
        a_label(2, names=("Coca-Cola كوكا", "可口可乐")),
        a_label(3, price_text="¥0.00", unit_price_text="¥0.00 / l"),
    ]
    file = tmp_path / "labels.pdf"
    assert printed(file, labels, sheet("L7160")).faults == []
    shown = [" ".join(label) for label in finished.texts_in(file)]
    assert "〓" not in shown[0] and "燕麦奶" in shown[0]
    assert re.search("〓+ 〓+", shown[1])
    assert "Coca-Cola 〓〓〓〓" in shown[2] and "可口可乐" in shown[2]
    assert re.search("¥ 0 . 00", shown[3]) and "¥0.00 / l" in shown[3]


def test_the_label_of_an_item_that_is_sold_no_more_says_so(world: World, app: Flask) -> None:
    staff, honey, milk = (
        world.client_for(world.staff()),
        world.item("honey"),
        world.item("oat-milk"),
    )
    job = print_these(staff, honey, milk)
    assert "no longer for sale" not in staff.get(job).text
    with app.app_context(), transaction():
        catalogue.archive_item(honey.id)
    assert "1 label is of an item that is no longer for sale" in staff.get(job).text
    assert fetch(staff, job).status_code == 200  # The others of the job are wanted.
    with app.app_context():
        [label] = db.session.scalars(select(Label.id).where(Label.item_id == honey.id))
    sticker = staff.get(f"/desk/labels/{label}").text
    assert "This item is not for sale here now" in sticker
    path = re.search(r'class="label-picture" href="([^"]+)"', sticker)
    assert path is not None
    refused = world.visitor().get(path[1])
    assert refused.status_code == 404 and "item_not_for_sale" in refused.text
    again = staff.post("/desk/labels/jobs", {"item": [honey.id], "sheet": "L7160", "key": "a" * 9})
    assert again.status_code == 422 and "price_missing" in again.text
