"""JSON read strictly: what two parsers could understand in two ways is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

from flask.json.provider import DefaultJSONProvider

__all__ = ["LARGEST", "StrictJSON", "read"]

LARGEST = 2**53
"""Whole numbers beyond ±2^53 are refused: JavaScript and many tills would round them."""


def read(text: str | bytes, beyond: Callable[[str], Any] | None = None) -> Any:
    """Parse JSON. Raises ValueError for NaN and Infinity, doubled keys, whole numbers beyond
    ±2^53, NUL and lone surrogates in strings, nesting too deep, or text that is not UTF-8. Where
    one number must not refuse all of it, `beyond` makes something else of its digits."""
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    try:
        value = json.loads(
            text, parse_constant=_constant, object_pairs_hook=_pairs,
            parse_int=lambda digits: _whole(digits, beyond),
            parse_float=lambda digits: _real(digits, beyond),
        )  # fmt: skip
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _check(value, depth=0)
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _whole(digits: str, beyond: Callable[[str], Any] | None) -> Any:
    if len(digits) > 17 or abs(int(digits)) > LARGEST:
        if beyond is not None:
            return beyond(digits)
        raise ValueError("a whole number is beyond ±2^53")
    return int(digits)


def _real(digits: str, beyond: Callable[[str], Any] | None) -> Any:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        if beyond is not None:
            return beyond(digits)
        raise ValueError("a number is too large")
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("an object has the same key twice")
    return result


def _check(value: Any, depth: int) -> None:
    if depth > 32:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError("a string has a NUL or a lone surrogate")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check(key, depth + 1)
            _check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth + 1)


class StrictJSON(DefaultJSONProvider):
    """Flask's JSON, read by `read` and written without NaN, as UTF-8."""

    ensure_ascii = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return read(s)

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        kwargs.setdefault("allow_nan", False)
        return super().dumps(obj, **kwargs)
