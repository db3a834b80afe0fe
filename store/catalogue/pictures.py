"""Pictures: what was uploaded, made again by us at three widths, small enough for a phone."""

from __future__ import annotations

import hashlib
import warnings
from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import select

from ..db import connection, in_transaction, insert_new
from ..errors import Invalid
from .models import Picture

__all__ = ["MOST_BYTES", "MOST_PIXELS", "WIDTHS", "add_picture", "picture_bytes", "picture_url"]

WIDTHS = (160, 480, 960)
MOST_BYTES = 8 * 2**20
MOST_PIXELS = 40_000_000
KIND = "image/webp"

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
# An item page is to be at most 60 KB with its picture, which is shown at 480.
_MOST_AT = {160: 12_000, 480: 40_000, 960: 120_000}
_QUALITIES = (82, 74, 66, 56, 45, 32, 20, 8)


class PictureRefused(Invalid):
    """Not a picture that we take. `message` says which limit or kind."""

    code = "picture_refused"
    title = "This picture cannot be used"


class Encoded(NamedTuple):
    width: int
    data: bytes


def add_picture(
    upload: bytes, *, most_bytes: int = MOST_BYTES, most_pixels: int = MOST_PIXELS
) -> str:
    """Joiner: keep a JPEG, PNG, WebP or GIF (its first frame) and answer its id, a digest of the
    bytes: the same upload twice is one picture. Nothing of the file itself is kept, so neither
    what is hidden in it nor where it was taken. Raises PictureRefused."""
    in_transaction()
    if len(upload) > most_bytes:
        raise PictureRefused(f"The file is larger than {most_bytes // 2**20} MB", field="picture")
    picture_id = hashlib.sha256(upload).hexdigest()[:32]
    if not _is_kept(picture_id):
        rows = [
            {"id": picture_id, "width": each.width, "kind": KIND, "bytes": each.data}
            for each in encode(upload, most_pixels)
        ]
        connection().execute(insert_new(Picture), rows)
    return picture_id


def picture_url(picture: str, width: int = 480) -> str:
    """The address of a picture at the kept width nearest to the one asked for, which never
    changes, so it is cached for ever."""
    nearest = min(WIDTHS, key=lambda kept: max(kept, width) / min(kept, width))
    return f"/pictures/{picture}-{nearest}.webp"


def picture_bytes(picture: str, width: int) -> tuple[str, bytes] | None:
    """(media type, bytes), or None where there is no such picture."""
    query = select(Picture.kind, Picture.bytes).where(Picture.id == picture, Picture.width == width)
    row = connection().execute(query).first()
    return (row.kind, row.bytes) if row else None


def encode(upload: bytes, most_pixels: int = MOST_PIXELS) -> list[Encoded]:
    """The picture as WebP at every width. Raises PictureRefused."""
    whole = _decoded(upload, most_pixels)
    return [Encoded(width, _fitting(whole, width)) for width in WIDTHS]


def _is_kept(picture_id: str) -> bool:
    query = select(Picture.width).where(Picture.id == picture_id).limit(1)
    return connection().execute(query).first() is not None


def _decoded(upload: bytes, most_pixels: int) -> Image.Image:
    """The first frame, upright, in RGB or RGBA. The size is looked at before anything is decoded:
    a few bytes may claim to be 50,000 pixels wide."""
    try:
        with warnings.catch_warnings():
            # Our own limit, below, is the one that counts.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(BytesIO(upload), formats=_FORMATS)
            width, height = opened.size
            if width * height > most_pixels:
                raise PictureRefused(
                    f"{width} × {height} is more than {most_pixels // 10**6} million pixels",
                    field="picture",
                )
            # JPEG can be decoded at a half, a quarter or an eighth, which costs as little.
            opened.draft("RGB", (WIDTHS[-1] * 2, WIDTHS[-1] * 2))
            opened.load()
    except PictureRefused:
        raise
    except Image.DecompressionBombError as error:
        most = f"more than {most_pixels // 10**6} million pixels"
        raise PictureRefused(f"The picture claims {most}", field="picture") from error
    except UnidentifiedImageError as error:
        raise PictureRefused("Only JPEG, PNG, WebP and GIF are taken", field="picture") from error
    except Exception as error:  # A decoder fed with rubbish raises whatever it likes.
        raise PictureRefused("The file is damaged", field="picture") from error
    upright = ImageOps.exif_transpose(opened)
    transparent = "A" in upright.getbands() or "transparency" in upright.info
    return upright.convert("RGBA" if transparent else "RGB")


def _fitting(whole: Image.Image, width: int) -> bytes:
    """The best quality that stays under the limit of this width. Smaller pictures are not blown
    up; very tall ones become narrower, so that none is more than three times as high as wide."""
    picture = whole.copy()
    picture.thumbnail((width, width * 3), Image.Resampling.LANCZOS)
    best, data = b"", _webp(picture, _QUALITIES[0])
    if len(data) <= _MOST_AT[width]:
        return data
    first, last = 1, len(_QUALITIES) - 1
    while first <= last:
        middle = (first + last) // 2
        data = _webp(picture, _QUALITIES[middle])
        if len(data) <= _MOST_AT[width]:
            best, last = data, middle - 1
        else:
            first = middle + 1
    return best or data


def _webp(picture: Image.Image, quality: int) -> bytes:
    out = BytesIO()
    picture.save(out, "WEBP", quality=quality, method=4)
    return out.getvalue()
