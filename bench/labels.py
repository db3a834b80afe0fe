"""One label's code against qrcode's own, and a thousand labels as a PDF.

python -m bench.labels
"""

from __future__ import annotations

import io
import time
import tracemalloc

import qrcode

from store import ids
from store.labels import pdf, qr, sheets
from store.labels.layout import PrintedLabel

CODES = 2_000
LABELS = 1_000


def main() -> dict[str, float]:
    urls = [
        f"https://shop.example.com/01/09520000000042?l={ids.short_code(13)}" for _ in range(CODES)
    ]
    qr.matrix(urls[0])  # The tables are made once a process.
    ours = _rate(lambda url: qr.matrix(url), urls)
    theirs = _rate(_by_qrcode, urls[:100])
    seconds, peak = _print(urls[:LABELS])
    print("\nlabels")
    print(f"  codes                  {ours:10,.0f} /s   {ours / theirs:.0f} times qrcode's own")
    print(f"  {LABELS:,} labels on L7160  {seconds:9.2f} s   (aim 5)   "
          f"peak memory {peak / 2**20:.1f} MB")  # fmt: skip
    return {"codes": ours, "ratio": ours / theirs, "seconds": seconds}


def _rate(make: object, urls: list[str]) -> float:
    began = time.perf_counter()
    for url in urls:
        make(url)  # type: ignore[operator]
    return len(urls) / (time.perf_counter() - began)


def _by_qrcode(url: str) -> object:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(url, optimize=0)
    code.make(fit=True)
    return code.get_matrix()


def _print(urls: list[str]) -> tuple[float, int]:
    labels = [
        PrintedLabel(url, "09520000000042", ("Oat milk barista 1 l", "燕麦奶 咖啡师 1 升"),
                     "¥12.50", "¥12.50 / l", "MAIN · A4")
        for url in urls
    ]  # fmt: skip
    began = time.perf_counter()
    pdf.write(labels, sheets.sheet("L7160"), io.BytesIO())
    seconds = time.perf_counter() - began
    tracemalloc.start()
    pdf.write(labels, sheets.sheet("L7160"), io.BytesIO())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, peak


if __name__ == "__main__":
    main()
