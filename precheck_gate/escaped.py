"""Text behind the backslash escapes of JSON: looked at, and changed where it has to be."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["rewrite_escaped", "unescape"]

# Possessive: each takes time in proportion to what it passes, whatever that is.
_RUN = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_WHOLE_RUNS = re.compile(r'(?:[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
_HEX = "[0-9a-fA-F]"
# Two may spell the halves of one character.
_NUMBER = re.compile(rf"\\u(?:[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}|{_HEX}{{4}})")
_NAMED = tuple(zip('"/bfnrt', '"/\b\f\n\r\t', strict=True))
# Stands for a backslash for a moment; a character that is none.
_BACKSLASH = "\ufdd0"
# Half of a character, but none that stands for a byte that is no UTF-8 (`surrogateescape`).
_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def unescape(text: str) -> str:
    """Return what ``text`` means as the inside of a string of JSON; what is no escape stays."""
    if "\\" not in text:
        return text
    # Pairs first, from the left: so the other escapes begin where a backslash is left over. And
    # by `replace` for nearly everything, which is what makes this fast.
    text = text.replace("\\\\", _BACKSLASH)
    if "\\u" in text:
        text = _NUMBER.sub(lambda number: _of_number(number.group()), text)
    if "\\" in text:
        for name, meaning in _NAMED:
            text = text.replace(f"\\{name}", meaning)
    return text.replace(_BACKSLASH, "\\")


@lru_cache(1024)
def _of_number(escape: str) -> str:
    units = bytes.fromhex(escape.replace("\\u", ""))
    # A backslash that comes out of this begins no escape of the same level.
    return units.decode("utf-16-be", "surrogatepass").replace("\\", _BACKSLASH)


def rewrite_escaped(text: str, escape: re.Pattern[str], change: Callable[[str], str]) -> str:
    """Return ``text`` in which each run with an escape in it went through ``change``, unescaped.

    A run reaches from one quote that is not escaped to the next, so that in JSON each string is
    one. Those that ``change`` leaves as they are stay as they are spelt; what is no JSON is looked
    through all the same. Takes time in proportion to the length.

    Args:
        text: such as JSON.
        escape: finds escapes that are worth a look, each with its backslash.
        change: returns what the text of a run, unescaped by one level, has to become.
    """
    parts: list[str] = []
    done = 0
    while (found := escape.search(text, done)) is not None:
        start = _end(_WHOLE_RUNS.match(text, done, found.start()), done)
        end = max(_end(_RUN.match(text, start), start), found.end())
        run = text[start:end]
        inner = unescape(run)
        changed = change(inner)
        if changed != inner:
            parts += (text[done:start], _escape(changed))
        else:
            parts.append(text[done:end])
        done = end
    return "".join((*parts, text[done:])) if parts else text


def _end(match: re.Match[str] | None, otherwise: int) -> int:
    return match.end() if match is not None else otherwise


def _escape(text: str) -> str:
    spelt = json.dumps(text, ensure_ascii=False)[1:-1]
    return _HALF.sub(lambda half: f"\\u{ord(half.group()):04x}", spelt)
