"""All measurements of docs/performance.md: `make bench`, or one of them: `python -m bench http`."""

from __future__ import annotations

import sys

from . import (
    customers,
    http,
    imports,
    label_proof,
    labels,
    live,
    real_figures,
    real_year,
    sales_page,
    segments,
    settlement,
)

PARTS = {
    "labels": labels.main, "imports": imports.main, "http": http.main,
    "sales_page": sales_page.main, "reports": sales_page.main, "segments": segments.main,
    "real_year": real_year.main, "real_figures": real_figures.main,
    "settlement": settlement.main, "label_codes": label_proof.codes,
    "label_names": label_proof.names, "live": live.main,
    "customers": customers.main,
}  # fmt: skip


def main() -> None:
    wanted = sys.argv[1:] or [name for name in PARTS if name != "reports"]
    del sys.argv[1:]
    for name in wanted:
        PARTS[name]()


if __name__ == "__main__":
    main()
