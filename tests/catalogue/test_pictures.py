"""Pictures: made again by us, small enough for a phone, with nothing hidden in them."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from store import catalogue
from store.catalogue import pictures
from store.catalogue.models import Picture
from store.catalogue.pictures import PictureRefused, encode
from store.db import db, transaction


def made(kind: str, size: tuple[int, int] = (1200, 900), **options: object) -> bytes:
    image = Image.new("RGB", size, "white")
    image.paste((200, 30, 30), (0, 0, size[0] // 2, size[1] // 2))
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def noise(size: tuple[int, int]) -> bytes:
    """What compresses worst."""
    out = BytesIO()
    pixels = random.Random(7).randbytes(size[0] * size[1] * 3)
    Image.frombytes("RGB", size, pixels).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_is_kept_at_three_widths_as_webp(kind: str) -> None:
    for each in encode(made(kind)):
        with Image.open(BytesIO(each.data)) as opened:
            assert opened.format == "WEBP" and opened.size == (each.width, each.width * 3 // 4)


def test_the_worst_picture_is_small_enough_for_a_phone_page() -> None:
    sizes = {each.width: len(each.data) for each in encode(noise((1000, 1000)))}
    assert sizes[480] <= 40_000 and sizes[160] <= 12_000


def test_where_a_picture_was_taken_is_gone_and_it_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    exif[0x8825] = {1: "N", 2: (31.0, 14.0, 5.0)}  # where it was
    upload = made("JPEG", (800, 400), exif=exif)
    assert b"Exif" in upload
    for each in encode(upload):
        with Image.open(BytesIO(each.data)) as opened:
            assert opened.height > opened.width
            assert not opened.getexif() and b"EXIF" not in each.data


def test_transparency_stays() -> None:
    out = BytesIO()
    Image.new("RGBA", (500, 500), (0, 0, 0, 0)).save(out, "PNG")
    with Image.open(BytesIO(encode(out.getvalue())[1].data)) as opened:
        assert opened.mode == "RGBA"


def _claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)


@pytest.mark.parametrize(
    ("upload", "reason"),
    [
        (_claims(50_000, 50_000), "million pixels"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "Only JPEG"),
        (b"", "Only JPEG"),
        (b"GIF89a", "Only JPEG|damaged"),
        (made("JPEG")[:900], "damaged"),
        (b"BM" + b"\0" * 60, "Only JPEG"),
        (b"x" * (pictures.MOST_BYTES + 1), "larger than 8 MB"),
    ],
    ids=["enormous", "SVG", "nothing", "half a GIF", "half a JPEG", "BMP", "too many bytes"],
)
@pytest.mark.usefixtures("context")
def test_what_is_no_picture_of_ours_is_refused_and_nothing_is_kept(
    upload: bytes, reason: str
) -> None:
    with pytest.raises(PictureRefused, match=reason), transaction():
        catalogue.add_picture(upload)
    assert db.session.scalar(select(func.count()).select_from(Picture)) == 0


@pytest.mark.usefixtures("context")
def test_the_same_upload_twice_is_one_picture() -> None:
    with transaction():
        first = catalogue.add_picture(made("PNG"))
        assert catalogue.add_picture(made("PNG")) == first
    assert db.session.scalar(select(func.count()).select_from(Picture)) == 3


def test_a_picture_is_served_for_ever_and_asked_for_once(app: Flask) -> None:
    with app.app_context(), transaction():
        picture = catalogue.add_picture(made("PNG"))
    client = app.test_client()
    url = catalogue.picture_url(picture, 480)
    answer = client.get(url)
    assert answer.status_code == 200 and answer.mimetype == "image/webp"
    assert "immutable" in answer.headers["Cache-Control"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers
    again = client.get(url, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304 and again.data == b""
    assert client.get(catalogue.picture_url(picture, 640)).status_code == 200
    for name in (f"{picture}-481", f"{'0' * 32}-480", "..%2f..-480", f"{picture}-{10**20}"):
        assert client.get(f"/pictures/{name}.webp").status_code == 404, name
