"""An item's ``data`` for people: decoded where it parses, long lists counted.

The service's ``data`` is a string: JSON, or something like JSON in single quotes, or anything
else. It is evidence for a person. Nothing is judged by it, and nothing fails because of it.
"""

from __future__ import annotations

import ast
import contextlib
from decimal import Decimal
from typing import Any

from precheck_gate.documents import strict_json
from precheck_gate.safetext.cleaning import shorten

# Beyond this a literal is not parsed: the parser's memory is a hundred times the text.
MAX_LITERAL = 64 * 1024
MAX_BITS = 1024
SHOWN = 3
MAX_GIST = 240
FEW = 5


def decode(data: str) -> Any:
    """Return the value of ``data`` as JSON, else as a Python literal, or None."""
    text = data.strip()
    if not text:
        return None
    with contextlib.suppress(ValueError):
        return strict_json.loads(text.encode("utf-8", "surrogatepass"))
    if len(text) > MAX_LITERAL or text[0] not in "{[(":
        return None
    try:
        value = ast.literal_eval(text)
        return value if _is_plain(value) else None
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _is_plain(value: Any) -> bool:
    """Return whether a literal has only the types of JSON; a set, say, has no order to show."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(inner) for key, inner in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, int):
        return value.bit_length() <= MAX_BITS
    return value is None or isinstance(value, str | float)


def pairs(data: str) -> list[tuple[str, list[str]]]:
    """Return each key of ``data`` with its values as texts; [] if ``data`` does not decode."""
    try:
        value = decode(data)
        if isinstance(value, dict):
            return [(key, _texts(inner)) for key, inner in value.items()]
        return [("", _texts(value))] if isinstance(value, list | tuple) and value else []
    except (ValueError, TypeError, RecursionError):  # decoded, but cannot be written again
        return []


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        # Lists of objects arrive as one text with commas.
        names = value.split(",")
        return names if len(names) > FEW and "" not in names else [value]
    return [_text(one) for one in value] if isinstance(value, list | tuple) else [_text(value)]


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | Decimal) else strict_json.compact(value)


def gist(data: str) -> str:
    """Return one line with each key and its value; long lists as a count and a start.

    >>> gist('{"colls":"a.b,a.c,a.d,a.e,a.f,a.g"}')
    'colls: 6 (a.b, a.c, a.d, …)'
    """
    parts = [f"{key}: {_listed(texts)}" if key else _listed(texts) for key, texts in pairs(data)]
    return shorten("; ".join(parts) or " ⏎ ".join(data.strip().splitlines()), MAX_GIST)


def _listed(texts: list[str]) -> str:
    if len(texts) <= FEW:
        return ", ".join(texts)
    return f"{len(texts)} ({', '.join(texts[:SHOWN])}, …)"
