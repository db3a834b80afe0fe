"""A label on the screen: the printed design, as a file that no security policy objects to."""

from __future__ import annotations

import io
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

from PIL import Image

from store.labels import picture
from tests.labels.conftest import MakeLabel, Reader

SVG = "{http://www.w3.org/2000/svg}"


def test_the_png_is_read_by_a_scanner(a_label: MakeLabel, reader: Reader) -> None:
    image = Image.open(io.BytesIO(picture.png(a_label(7))))
    assert reader(image.convert("L")) == [a_label(7).url]
    assert abs(image.width / image.height - 63.5 / 38.1) < 0.01


def test_the_png_of_another_size_has_whole_pixels_for_modules(
    a_label: MakeLabel, reader: Reader
) -> None:
    image = Image.open(io.BytesIO(picture.png(a_label(7), 66.67, 25.4, module_px=3)))
    assert reader(image.convert("L")) == [a_label(7).url]


def test_labels_that_are_drawn_at_once_do_not_disturb_each_other(a_label: MakeLabel) -> None:
    """A page of labels asks for all of their pictures at the same moment, right after a start."""
    labels = [a_label(number, names=("Salted butter", "有盐黄油")) for number in range(5)]
    alone = [picture.svg(label) for label in labels]
    patience = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(5) as threads:
            for _ in range(2):
                picture._shapes.cache_clear()
                assert list(threads.map(picture.svg, labels)) == alone
    finally:
        sys.setswitchinterval(patience)


def test_the_svg_says_what_it_shows(a_label: MakeLabel) -> None:
    tree = ElementTree.fromstring(picture.svg(a_label(names=("Salt & <pepper>", "盐"))))
    title = tree.find(f"{SVG}title")
    assert title is not None
    assert title.text == "Salt & <pepper>, 盐, ¥12.50, 09506000000000"
    assert tree.get("role") == "img"


def test_the_svg_holds_only_shapes(a_label: MakeLabel) -> None:
    svg = picture.svg(a_label())
    tree = ElementTree.fromstring(svg)
    assert {element.tag for element in tree.iter()} == {
        f"{SVG}{tag}" for tag in ("svg", "title", "rect", "path")
    }
    names = {name for element in tree.iter() for name in element.attrib}
    assert names.isdisjoint({"style", "class", "href", "onload"})
    assert not re.search(r"url\(|@import|data:|https?://(?!www\.w3\.org/2000/svg)", svg)


def test_the_svg_draws_every_letter(a_label: MakeLabel) -> None:
    few = picture.svg(a_label(names=("Tea",)))
    more = picture.svg(a_label(names=("Tea, green, loose",)))
    assert few.count("M") < more.count("M")


def test_a_name_with_unprintable_characters_still_has_a_picture(a_label: MakeLabel) -> None:
    assert picture.svg(a_label(names=("😀",)))
    assert picture.png(a_label(names=("😀",)))
