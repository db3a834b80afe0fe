"""The resolver on the shop's own host: criteria of the GS1-Conformant Resolver Standard."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.world import Thing, World

GTIN = "04006381333931"
LINKSET = "application/linkset+json"
VOCABULARY = "https://ref.gs1.org/voc/"


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return {**settings, "BASE_URL": "https://shop.example"}


@pytest.fixture
def milk(world: World) -> Thing:
    return world.item("oat-milk", gtin=GTIN, names={"en": "Oat milk", "zh": "燕麦奶"})


@pytest.mark.parametrize("tail", ["", "/10/LOT1", "/22/A/10/B/21/C", "?17=271231", "?l=0123456789"])
def test_a_link_of_an_item_is_its_page(client: FlaskClient, milk: Thing, tail: str) -> None:
    answer = client.get(f"/01/{GTIN}{tail}")
    assert answer.status_code == 200 and "Oat milk" in answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert f'?linkType=linkset>; rel="linkset"; type="{LINKSET}"' in answer.headers["Link"]


@pytest.mark.parametrize(
    ("query", "accept"),
    [("?linkType=linkset", "*/*"), ("?linkType=all", "text/html"), ("", LINKSET),
     ("", "application/json"), ("", "application/linkset+json, text/html;q=0.5")],
)  # fmt: skip
def test_the_linkset_is_answered_to_who_asks_for_it(
    client: FlaskClient, milk: Thing, query: str, accept: str
) -> None:
    answer = client.get(f"/01/{GTIN}{query}", headers={"Accept": accept})
    assert answer.status_code == 200 and answer.mimetype == LINKSET
    assert "json-ld#context" in answer.headers["Link"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    [links] = answer.json["linkset"]  # type: ignore[index]
    page = f"https://shop.example/01/{GTIN}"
    assert links["anchor"] == page and links["itemDescription"]
    [default] = links[f"{VOCABULARY}defaultLink"]
    assert default["href"] == page and default["type"] == "text/html" and default["title"]
    titles = {link["hreflang"][0]: link["title"] for link in links[f"{VOCABULARY}pip"]}
    assert titles == {"en": "Oat milk", "zh": "燕麦奶"}


def test_a_browser_gets_the_page(client: FlaskClient, milk: Thing) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert client.get(f"/01/{GTIN}", headers={"Accept": accept}).mimetype == "text/html"


@pytest.mark.parametrize("kind", ["gs1:pip", "gs1:defaultLink", f"{VOCABULARY}pip"])
def test_a_link_that_we_have_is_redirected_to_with_the_rest_of_the_query(
    client: FlaskClient, milk: Thing, kind: str
) -> None:
    answer = client.get(f"/01/{GTIN}?l=AB12&linkType={kind}&17=271231")
    assert answer.status_code == 307
    assert answer.headers["Location"] == f"https://shop.example/01/{GTIN}?17=271231&l=AB12"


@pytest.mark.parametrize("kind", ["gs1:recipeInfo", "gs1:", "pip", "nonsense", "%00x"])
def test_a_link_that_we_do_not_have_is_not_found(
    client: FlaskClient, milk: Thing, kind: str
) -> None:
    assert client.get(f"/01/{GTIN}?linkType={kind}").status_code in (404, 422)


@pytest.mark.parametrize(
    "path",
    [
        "/01/04006381333932", "/01/4006381333932", "/01/abc", "/01/040063813339310",
        f"/01/{GTIN}/10/", f"/01/{GTIN}/10", f"/01/{GTIN}/99/x", f"/01/{GTIN}?17=279931",
        f"/01/{GTIN}?01=04006381333962", f"/01/{GTIN}/10/" + "x" * 21, "/00/123", "/414/1",
    ],
)  # fmt: skip
def test_a_link_that_breaks_the_syntax_is_refused_with_400(
    client: FlaskClient, milk: Thing, path: str
) -> None:
    answer = client.get(path)
    if path.endswith("/10/"):  # an empty batch is mended: the slash was one too many
        assert answer.status_code in (307, 400)
    else:
        assert answer.status_code == 400, answer.text
        assert "bad_code" in answer.text


@pytest.mark.parametrize("tail", ["", "?linkType=linkset", "?linkType=gs1:pip"])
def test_a_gtin_that_we_do_not_sell_is_not_found(
    client: FlaskClient, milk: Thing, tail: str
) -> None:
    answer = client.get(f"/01/06901234567892{tail}")
    assert answer.status_code == 404 and "item_not_for_sale" in answer.text


def test_a_key_that_is_no_gtin_is_not_found(client: FlaskClient, milk: Thing) -> None:
    assert client.get("/00/106141412345678908").status_code == 404


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/01/4006381333931", f"/01/{GTIN}"),
        (f"/01/{GTIN}/", f"/01/{GTIN}"),
        (f"/01/{GTIN}/?l=AB12", f"/01/{GTIN}?l=AB12"),
        ("/gtin/4006381333931", f"/01/{GTIN}"),
        (f"/01/{GTIN}/21/C/10/B", f"/01/{GTIN}/10/B/21/C"),
    ],
)
def test_a_harmless_deviation_is_sent_to_the_right_form(
    client: FlaskClient, milk: Thing, path: str, target: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 307
    assert answer.headers["Location"] == f"https://shop.example{target}"


def test_head_and_options_are_answered(client: FlaskClient, milk: Thing) -> None:
    head = client.head(f"/01/{GTIN}")
    assert head.status_code == 200 and head.data == b"" and "Link" in head.headers
    options = client.options(f"/01/{GTIN}", headers={"Origin": "https://any.example"})
    assert options.status_code == 200
    assert options.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in options.headers["Access-Control-Allow-Methods"]


def test_the_resolver_describes_itself(app: Flask, client: FlaskClient) -> None:
    answer = client.get("/.well-known/gs1resolver")
    assert answer.mimetype == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    said = answer.json
    assert said is not None
    assert said["resolverRoot"] == "https://shop.example"
    assert said["supportedPrimaryKeys"] == ["01"]
    assert said["supportedLinkType"] == [{"namespace": VOCABULARY, "prefix": "gs1:"}]
    assert said["linkTypeDefaultCanBeLinkset"] is False
