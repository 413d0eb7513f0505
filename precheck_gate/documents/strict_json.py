"""JSON as RFC 8259 means it: one document, no NaN, no key twice, bounded depth; else ValueError."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any

from precheck_gate.safetext.cleaning import shorten

__all__ = ["compact", "complaint", "loads"]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {shorten(twice, 80)!r} stands twice in one object")
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _exact(number: str) -> Decimal:
    # As a float, 99.99999999999999999 would read as 100.
    try:
        return Decimal(number)
    except InvalidOperation:
        raise ValueError(f"the number {shorten(number, 80)} is beyond reason") from None


_TEXT_OR_NAN = re.compile(r'"(?:[^"\\]|\\.)*"|NaN')
_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_exact
)


def loads(body: bytes) -> Any:
    """Return the value of the one JSON document in ``body`` (UTF-8, with or without BOM).

    Raises:
        ValueError: not UTF-8, not JSON, a key twice in one object, NaN or Infinity, a second
            document, a number of thousands of digits, or nesting beyond reason.
    """
    try:
        return _DECODER.decode(body.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("the JSON is nested beyond reason") from None


def text_in(holder: dict[str, Any], key: str) -> str:
    """Return a text field of an object; "" where it is absent or of another type."""
    value = holder.get(key)
    return value if isinstance(value, str) else ""


def any_text(value: Any) -> str:
    """Return a text as it is, "" for null, and the `compact` form of any other value."""
    if isinstance(value, str):
        return value
    return "" if value is None else compact(value)


def compact(value: Any) -> str:
    """Return the short JSON form of a value that came from `loads`, for people to read."""
    numbers: list[str] = []

    def spell(other: object) -> Any:
        if not isinstance(other, Decimal):
            return str(other)
        numbers.append(str(other))
        return float("nan")

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=spell)
    if not numbers:
        return text
    # A number keeps its digits and gets no quotes: those would make a text of it. `loads` lets no
    # NaN through, so that outside of texts each one stands for a number.
    spelled = iter(numbers)
    return _TEXT_OR_NAN.sub(
        lambda match: next(spelled, "NaN") if match.group() == "NaN" else match.group(), text
    )


# What the words of `loads` hold of the content.
_KEY = re.compile(r"(?<=the key ).*(?= stands twice)", re.DOTALL)
_NUMBER = re.compile(r"(?<=the number ).*(?= is beyond)", re.DOTALL)


def complaint(error: ValueError, *, keys: bool = False) -> str:
    """Return what `loads` found wrong without the content, which may be a secret.

    With ``keys``, the name of a key is no secret.
    """
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} cannot be decoded as UTF-8"
    said = _NUMBER.sub("(not shown)", str(error))
    return said if keys else _KEY.sub("(not shown)", said)
