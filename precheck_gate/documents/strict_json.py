"""Strict JSON (RFC 8259): one document, no NaN, no duplicate keys, limited depth."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any

from precheck_gate.safetext.cleaning import shorten


class DuplicateKey(ValueError):
    """One object has a key twice; the message shows the key, which may be a secret."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise DuplicateKey(f"duplicate key {shorten(twice, 80)!r} in one object")
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _exact(number: str) -> Decimal:
    # As a float, 99.99999999999999999 would read as 100.
    try:
        return Decimal(number)
    except InvalidOperation:
        raise ValueError("a number is out of range") from None


_TEXT_OR_NAN = re.compile(r'"(?:[^"\\]|\\.)*"|NaN')
_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_exact
)


def loads(body: bytes) -> Any:
    """Parse the one JSON document in ``body`` (UTF-8, with or without BOM).

    Raises:
        ValueError: not UTF-8, not JSON, a duplicate key, NaN or Infinity, a second document, a
            number with thousands of digits, or nested too deeply.
    """
    try:
        return _DECODER.decode(body.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


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
    # Write a number with all its digits and without quotes. `loads` lets no NaN through, so each
    # NaN outside of a string is a number.
    spelled = iter(numbers)
    return _TEXT_OR_NAN.sub(
        lambda match: next(spelled, "NaN") if match.group() == "NaN" else match.group(), text
    )


def complaint(error: ValueError, *, keys: bool = False) -> str:
    """Say what `loads` found wrong without quoting the content, which may be a secret.

    With ``keys``, the name of a duplicate key is shown.
    """
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not valid UTF-8"
    if isinstance(error, DuplicateKey) and not keys:
        return "duplicate key in one object (name not shown)"
    return str(error)
