"""Text as JSON may spell it, and what comes out where others read it again."""

from __future__ import annotations

import html
import json
from typing import Any

from hypothesis import strategies as st

__all__ = ["TOKENS", "readings", "spelt", "values"]

_NAMED = dict(zip('"\\/\b\f\n\r\t', '"\\/bfnrt', strict=True))

# Hypothesis also tries words of the code: the sign at the end makes them none of our reports.
TOKENS = st.text([chr(code) for code in range(0x21, 0x7F)], min_size=11, max_size=39).map(
    "{}~".format
)


def _number(draw: st.DrawFn, one: str) -> str:
    units = one.encode("utf-16-be", "surrogatepass").hex()
    units = units.upper() if draw(st.booleans()) else units
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


@st.composite
def spelt(draw: st.DrawFn, text: str, levels: int = 1) -> str:
    """Return ``text`` with any of its characters, and those that must be, as escapes of JSON."""
    for _ in range(levels):
        ways = draw(st.lists(st.integers(0, 2), min_size=len(text), max_size=len(text)))
        parts = []
        for one, way in zip(text, ways, strict=True):
            if one in _NAMED and (way == 1 or (way == 0 and one != "/")):
                parts.append(f"\\{_NAMED[one]}")
            elif way == 0 and one >= " ":
                parts.append(one)
            else:
                parts.append(_number(draw, one))
        text = "".join(parts)
    return text


def values(document: Any) -> list[str]:
    """Return all texts in a document, keys too, and in JSON that stands in those."""
    if isinstance(document, str):
        try:
            inner = json.loads(document)
        except ValueError:
            return [document]
        return [document, *values(inner)]
    if isinstance(document, dict):
        return [text for pair in document.items() for one in pair for text in values(one)]
    if isinstance(document, list):
        return [text for one in document for text in values(one)]
    return []


def readings(content: str) -> list[str]:
    """Return what a file of any format may be read as: itself, and without its escapes."""
    found = [content, html.unescape(content)]
    for line in (content, *content.splitlines()):
        try:
            found += values(json.loads(line))
        except ValueError:
            continue
    bare = html.unescape(content).replace("\u200b", "")
    return [*found, bare.replace("\\", "")]
