"""Import of 30,000 rows, new and again, through the command itself.

python -m bench.imports
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from store.catalogue import gs1

ROWS = 30_000


def main() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "items.csv")
        _write(file)
        environment = {
            **os.environ,
            "STORE_INSTANCE": f"{folder}/instance",
            "STORE_DATABASE_URL": "",
        }

        def flask(*words: str) -> float:
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "flask", "--app", "wsgi", *words],
                env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            return time.perf_counter() - began

        flask("db", "upgrade")
        flask("stock", "add-location", "MAIN", "Harbour Road")
        new = flask("catalogue", "import", str(file), "--stock", "10")
        again = flask("catalogue", "import", str(file))
    print(f"\nimport of {ROWS:,} rows (SQLite, with stock)\n"
          f"  new                    {new:10.1f} s   {ROWS / new:,.0f} rows/s   (aim 30 s)\n"
          f"  again, nothing changes {again:10.1f} s   {ROWS / again:,.0f} rows/s")  # fmt: skip
    return {"new_s": new, "again_s": again}


def _write(file: Path) -> None:
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["gtin", "name_en", "name_zh", "brand", "category", "size", "price"])
        for number in range(ROWS):
            payload = f"0952{number:09d}"
            price = f"{1 + number % 90}.{number % 100:02d}"
            rows.writerow([payload + str(gs1.check_digit(payload)), f"Item number {number}",
                           f"商品 {number}", f"Brand {number % 300}", f"Category {number % 40}",
                           "500 g", price])  # fmt: skip


if __name__ == "__main__":
    main()
