"""Proof before paper: labels with real names, judged from the finished PDF by other programs.

python -m bench label_codes     10,000 labels: every code of every page read at 203 and 300 dpi
python -m bench label_names     all real names: no text leaves its label or touches another

Needs ../shared/data. Pages are judged by as many processes as the machine has cores.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pypdfium2

from store import ids
from store.labels import pdf, sheets
from store.labels.layout import PrintedLabel
from tests.labels import finished
from tests.labels.conftest import Reader, read_by_zxing, zbar

LABELS = 10_000
FEW = 1_000
SHEET = "L7160"
SMALL_SHEETS = ("L8651", "L7160")
"""A small label, where names are hard to fit, and the most common one."""
DPI = (203, 300)
BITE = 1_300
"""So many names are set and judged at a time."""


def codes() -> dict[str, float]:
    """Print, read back everything, and look at the memory."""
    names = list(finished.every_real_name())
    names = [names[at * len(names) // LABELS] for at in range(LABELS)]
    with TemporaryDirectory() as folder:
        few, many = Path(folder, "few.pdf"), Path(folder, "many.pdf")
        _print(few, islice(_labels(names), FEW), SHEET)
        before = _peak_mb()
        began = time.perf_counter()
        urls = _print(many, _labels(names), SHEET)
        seconds = time.perf_counter() - began
        grown = _peak_mb() - before
        began = time.perf_counter()
        unread = sum(_on_all_pages(many, partial(_unread, urls)))
        read_in = time.perf_counter() - began
        size = many.stat().st_size
    print(f"\n{LABELS:,} labels with real names on {SHEET}")
    print(f"  drawn                  {LABELS / seconds:9,.0f} /s   {size / 2**20:.1f} MB")
    print(f"  memory                 {grown:9.1f} MB   more at its peak than for {FEW:,}")
    print(f"  codes not read         {unread:9,}      by {_readers()} at 203 and 300 dpi, "
          f"{read_in:.0f} s")  # fmt: skip
    return {"rate": LABELS / seconds, "grown_mb": grown, "unread": unread}


def names() -> dict[str, float]:
    """Every real name on labels of two sizes, with another one below it."""
    every = list(finished.every_real_name())
    faults = 0
    for sheet in SMALL_SHEETS:
        began = time.perf_counter()
        bites = [every[at : at + BITE] for at in range(0, len(every), BITE)]
        with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
            done = list(_told(pool.map(partial(_laid_out, sheet), bites), sheet, len(bites)))
        seconds = time.perf_counter() - began
        found = [fault for judged in done for fault in judged.faults]
        labels, cut = sum(each.labels for each in done), sum(each.shortened for each in done)
        faults += len(found)
        print(f"\n{len(every):,} real names on {sheet}, {seconds:.0f} s")
        print(f"  labels in the finished PDF {labels:9,}   {cut:,} with an ellipsis")
        print(f"  faults                     {len(found):9,}")
        for fault in found[:5]:
            print(f"  {fault}")
    return {"names": len(every), "faults": faults}


def _labels(names: Iterable[str]) -> Iterator[PrintedLabel]:
    """Labels with an address of their own and a second name."""
    second = ""
    for number, name in enumerate(names):
        gtin = f"0952000{number:07d}"
        yield PrintedLabel(
            f"https://shop.example.com/01/{gtin}?l={ids.short_code(13)}", gtin,
            (name, second or "燕麦奶 咖啡师 1 升"), f"¥{number % 900 + 1}.50",
            f"¥{number % 700 + 1}.25 / l", "MAIN · A4",
        )  # fmt: skip
        second = name


def _print(path: Path, labels: Iterable[PrintedLabel], sheet: str) -> list[str]:
    """Write the file; answers the addresses in its codes, in their order."""
    urls: list[str] = []

    def told() -> Iterator[PrintedLabel]:
        for label in labels:
            urls.append(label.url)
            yield label

    with path.open("wb") as output:
        pdf.write(told(), sheets.sheet(sheet), output)
    return urls


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _on_all_pages(path: Path, judge: partial[int]) -> Iterator[int]:
    with pypdfium2.PdfDocument(path) as document:
        pages = len(document)
    with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
        yield from pool.map(partial(judge, path), range(pages), chunksize=8)


def _unread(urls: list[str], path: Path, number: int) -> int:
    """How many codes of a page some reader did not read, or read wrongly, at some resolution."""
    per_page = sheets.sheet(SHEET).per_page
    wanted = set(urls[number * per_page : (number + 1) * per_page])
    unread: set[str] = set()
    with pypdfium2.PdfDocument(path) as document:
        for dpi in DPI:
            image = finished.image_of(document[number], dpi)
            for read in _all_readers():
                unread |= wanted ^ set(read(image))
    return len(unread)


def _all_readers() -> list[Reader]:
    try:
        return [read_by_zxing, zbar()]
    except ImportError:
        return [read_by_zxing]


def _readers() -> str:
    return "zxing and zbar" if len(_all_readers()) == 2 else "zxing (zbar is not here)"


def _told(bites: Iterable[finished.Judged], sheet: str, of: int) -> Iterator[finished.Judged]:
    """The same, while a person at a screen sees how far it is."""
    for number, judged in enumerate(bites, 1):
        yield judged
        if sys.stderr.isatty():
            print(f"  {sheet} {100 * number // of:3} %", end="\r", file=sys.stderr, flush=True)


def _laid_out(sheet: str, names: list[str]) -> finished.Judged:
    """Each of these names on a label, and what is wrong with them."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "names.pdf")
        _print(path, _labels(names), sheet)
        return finished.faults_in(path, sheets.sheet(sheet))


if __name__ == "__main__":
    codes()
    names()
