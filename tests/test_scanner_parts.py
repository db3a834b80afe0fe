"""The parts that a scan in the page is made of: the phone's camera, and the reader we vendor."""

from __future__ import annotations

import base64
import functools
import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import qrcode
import zxingcpp
from PIL import Image

from tests.browser import OpenPhone, write_camera_film

STATIC = Path(__file__).resolve().parents[1] / "static"
TEXT = "https://shop.example/01/06950207003912?l=7K3M9XQ2"
LOOK = """async () => {
  const video = document.createElement("video");
  video.srcObject = await navigator.mediaDevices.getUserMedia({video: true});
  await video.play();
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.toDataURL("image/png");
}"""
READ = """async (picture) => {
  ZXingWASM.prepareZXingModule({overrides: {locateFile: (name) => "/vendor/zxing/" + name}});
  const blob = await (await fetch(picture)).blob();
  const found = await ZXingWASM.readBarcodes(blob, {formats: ["QRCode"]});
  return found.map((code) => code.text);
}"""


class _Static(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def static_url() -> Iterator[str]:
    handler = functools.partial(_Static, directory=str(STATIC))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def _label() -> Image.Image:
    drawn = io.BytesIO()
    qrcode.make(TEXT).save(drawn)
    return Image.open(drawn)


def test_the_camera_of_the_test_phone_sees_what_lies_before_it(
    open_phone: OpenPhone, static_url: str, tmp_path: Path
) -> None:
    film = write_camera_film(_label(), tmp_path / "label.y4m")
    page = open_phone(camera=film)
    page.goto(f"{static_url}/VENDORED.md")
    picture = page.evaluate(LOOK)
    page.goto(f"{static_url}/demo/pear.webp")  # Leaving the page lets go of the camera.
    png = base64.b64decode(picture.partition(",")[2])
    with Image.open(io.BytesIO(png)) as seen:
        assert [code.text for code in zxingcpp.read_barcodes(seen.convert("L"))] == [TEXT]


def test_the_vendored_reader_reads_with_its_own_wasm(
    open_phone: OpenPhone, static_url: str
) -> None:
    page = open_phone()
    page.goto(f"{static_url}/VENDORED.md")
    page.add_script_tag(url="/vendor/zxing/zxing-reader.js")
    drawn = io.BytesIO()
    _label().convert("L").save(drawn, "PNG")
    picture = "data:image/png;base64," + base64.b64encode(drawn.getvalue()).decode()
    assert page.evaluate(READ, picture) == [TEXT]
