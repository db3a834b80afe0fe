"""Assets: the files under static/, packed where the browser can unpack, and kept by it for a year.

Pages are never packed: where a secret (a form's token) is packed beside what somebody typed, the
length of the answer tells about the secret. These files hold none.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Response, current_app, request

__all__ = ["for_a_year", "is_packable", "packed", "version", "worker"]

_PACKED = {".css", ".js", ".svg", ".wasm", ".webmanifest"}
_FOR_A_YEAR = "public, max-age=31536000, immutable"


def is_packable(path: Path) -> bool:
    """Whether packing this file pays. Pictures and fonts are packed by their own formats."""
    return path.suffix in _PACKED


def version(path: Path) -> str:
    """Ten characters that change with the file's contents: what its address carries as `v`."""
    return _read(path, path.stat().st_mtime_ns)[0]


def packed(path: Path, mimetype: str) -> Response:
    """The file as an answer: packed if the browser takes that, else as it is."""
    known_as, small = _read(path, path.stat().st_mtime_ns)
    zipped = request.accept_encodings.quality("gzip") > 0
    answer = Response(small if zipped else path.read_bytes(), mimetype=mimetype)
    answer.set_etag(f"{known_as}-gzip" if zipped else known_as)
    answer.vary.add("Accept-Encoding")
    if zipped:
        answer.headers["Content-Encoding"] = "gzip"
    return answer


def worker(scope: str, script: str = "js/sales/worker.js") -> Response:
    """The script that answers for the shop under `scope` when the shop cannot be reached. It holds
    nothing of anybody's; its address lies there because it may stand in for no other pages."""
    answer = current_app.send_static_file(script)
    answer.headers["Service-Worker-Allowed"] = scope
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def for_a_year(answer: Response, path: Path) -> Response:
    """Let the browser keep it: for a year at the address of just these contents, else it asks each
    time. While a new version is rolled out, the old machines must not hand out their file under
    the new one's address for a year."""
    is_this = request.args.get("v") == version(path)
    answer.headers["Cache-Control"] = _FOR_A_YEAR if is_this else "no-cache"
    return answer


@lru_cache(maxsize=256)
def _read(path: Path, changed_ns: int) -> tuple[str, bytes]:
    """The version, and the packed contents where packing pays; read again when the file changes."""
    contents = path.read_bytes()
    small = gzip.compress(contents, 9, mtime=0) if is_packable(path) else b""
    return hashlib.sha256(contents).hexdigest()[:10], small
