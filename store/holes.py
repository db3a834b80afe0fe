"""Pages with holes: rendered once for all who see the same, filled in for each.

An item page is the same for everybody in one language but for a few words: the purchase key, the
form's token, the balance, what is left on the shelf. It is rendered with marks in those places and
kept under everything else that it was made from, so that the same facts give the same page and
nothing has to be declared stale.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping

from markupsafe import Markup, escape

__all__ = ["Holes"]

MOST_KEPT = 1500
"""Pages kept: at 5 KB each some 8 MB a process. The one that was not asked for longest goes."""

Parts = tuple[list[bytes], list[str]]


class Holes:
    """A store of rendered pages. `names` are the holes; each page uses those that it needs."""

    def __init__(self, *names: str) -> None:
        # Nobody can write a mark into an item's name: it is made anew for every process.
        mark = secrets.token_hex(12)
        self.marks = {name: Markup(f"hole-{mark}-{name}-") for name in names}  # noqa: S704
        self._find = re.compile(f"hole-{mark}-({'|'.join(names)})-")
        self._kept: OrderedDict[Hashable, Parts] = OrderedDict()
        self._lock = threading.Lock()

    def page(
        self,
        facts: Hashable,
        render: Callable[[Mapping[str, Markup]], str],
        values: Mapping[str, str],
    ) -> bytes:
        """The page of these facts with the values in its holes; text is escaped, Markup is not.
        `render` gets the marks to put where the values belong."""
        kept = self.kept(facts, values)
        if kept is not None:
            return kept
        parts = self._cut(render(self.marks))
        with self._lock:
            self._kept[facts] = parts
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return self._filled(parts, values)

    def kept(self, facts: Hashable, values: Mapping[str, str]) -> bytes | None:
        """The page of these facts, if it was rendered before."""
        with self._lock:
            parts = self._kept.get(facts)
            if parts is None:
                return None
            self._kept.move_to_end(facts)
        return self._filled(parts, values)

    def _filled(self, parts: Parts, values: Mapping[str, str]) -> bytes:
        texts, names = parts
        filled = [texts[0]]
        for name, text in zip(names, texts[1:], strict=True):
            value = values[name]
            filled.append((value if value.isalnum() else escape(value)).encode())
            filled.append(text)
        return b"".join(filled)

    def _cut(self, page: str) -> Parts:
        pieces = self._find.split(page)
        return [piece.encode() for piece in pieces[::2]], pieces[1::2]
