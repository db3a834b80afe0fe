"""A phone for the tests: Debian's Chromium as a handset of 390 x 844, with a camera if need be."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, sync_playwright

__all__ = ["chromium_path", "open_phone", "playwright_browsers", "write_camera_film"]

# The shell draws the same pages without the windows of a browser: a new phone in a quarter of the
# time.
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
PHONE = (390, 844)
DESK = (1280, 860)
ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    # Nothing outside this machine is asked for, whatever a page or the browser itself would like.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
CAMERA = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)

Launch = Callable[[Path | None], Browser]
OpenPhone = Callable[..., Page]


def chromium_path() -> str | None:
    return next((path for path in map(shutil.which, NAMES) if path), None)


@pytest.fixture(scope="session")
def playwright_browsers() -> Iterator[Launch]:
    """Starts browsers: one without a camera is kept for all tests; one with a film is for one."""
    path = chromium_path()
    if path is None:
        message = "no chromium found: the tests in a browser cannot run"
        in_ci = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
        if in_ci:
            pytest.fail(message)
        pytest.skip(message)
    kept: list[Browser] = []
    with sync_playwright() as playwright:
        start = partial(_launch, playwright, path)

        def launch(film: Path | None) -> Browser:
            if film:
                return start(film)
            if not kept or not kept[0].is_connected():
                kept[:] = [start(None)]
            return kept[0]

        yield launch
        for browser in kept:
            browser.close()


@pytest.fixture
def open_phone(playwright_browsers: Launch) -> Iterator[OpenPhone]:
    """A function that hands over a phone with a fresh browser: its page, without an address yet.

    `open_phone(camera=film, language="zh", dark=True, script=False, desk=True, agent="…")`.
    A page that throws an error, or does what the Content-Security-Policy forbids, fails the test
    at its end.
    """
    opened: list[BrowserContext] = []
    alone: list[Browser] = []
    faults: list[str] = []

    def open_one(
        *,
        camera: Path | None = None,
        language: str = "en",
        dark: bool = False,
        script: bool = True,
        desk: bool = False,
        agent: str | None = None,
    ) -> Page:
        browser = playwright_browsers(camera)
        if camera:
            alone.append(browser)
        width, height = DESK if desk else PHONE
        context = browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=1 if desk else 2,
            is_mobile=not desk,
            has_touch=not desk,
            user_agent=agent,
            locale={"en": "en-GB", "zh": "zh-CN"}[language],
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            java_script_enabled=script,
            ignore_https_errors=True,
            permissions=["camera"] if camera else [],
        )
        opened.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(_describe(page, error)))
        page.on("console", lambda said: _note_forbidden(faults, page, said.text))
        return page

    yield open_one
    for context in opened:
        context.close()
    for browser in alone:
        browser.close()
    assert not faults, f"pages had errors: {faults}"


def write_camera_film(
    picture: Image.Image, file: Path, size: tuple[int, int] = (640, 480), share: float = 0.7
) -> Path:
    """A film in which the camera sees the picture lying on a grey table; for `open_phone`.

    `share` is how much of the film's height the picture takes. YUV4MPEG2, five frames, looped by
    the browser.
    """
    width, height = size
    side = int(height * share)
    scene = Image.new("RGB", size, (150, 150, 145))
    shown = picture.convert("RGB")
    shown.thumbnail((int(width * share), side), Image.Resampling.LANCZOS)
    scene.paste(shown, ((width - shown.width) // 2, (height - shown.height) // 2))
    luma, blue, red = scene.convert("YCbCr").split()
    half = (width // 2, height // 2)
    planes = (luma, blue.resize(half), red.resize(half))
    frame = b"FRAME\n" + b"".join(plane.tobytes() for plane in planes)
    header = f"YUV4MPEG2 W{width} H{height} F5:1 Ip A1:1 C420jpeg\n".encode()
    file.write_bytes(header + frame * 5)
    return file


def _launch(playwright: Playwright, path: str, film: Path | None) -> Browser:
    arguments = list(ARGUMENTS)
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    if film:
        arguments += [*CAMERA, f"--use-file-for-fake-video-capture={film}"]
    return playwright.chromium.launch(executable_path=path, args=arguments)


def _describe(page: Page, error: Error) -> str:
    return f"{page.url}: {error.message}"


def _note_forbidden(faults: list[str], page: Page, text: str) -> None:
    if "Content Security Policy" in text:
        faults.append(f"{page.url}: {text}")
