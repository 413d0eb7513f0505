"""Lines that fit a terminal: broken between words, the rest indented. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["cells", "indent_for", "wrap"]

NARROWEST = 16


def cells(text: str) -> int:
    """Return how many columns a terminal takes for a text."""
    if text.isascii():
        return len(text)
    return sum(_cell(character) for character in text)


def _cell(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrap(
    parts: Sequence[tuple[str, str]], width: int, hang: int = 0
) -> list[list[tuple[str, str]]]:
    """Break a line of (style, text) at blanks into lines of at most ``width`` columns.

    Lines after the first have ``hang`` columns less. A word that is longer than a line (an ID, a
    path) is left to the terminal, so that it can be copied whole.
    """
    lines: list[list[tuple[str, str]]] = [[]]
    room = max(NARROWEST, width)
    used = 0
    for style, text in parts:
        for word in re.findall(r"\s+|\S+", text):
            size = cells(word)
            if used and used + size > room and not word.isspace():
                lines.append([])
                room, used = max(NARROWEST, width - hang), 0
            if word.isspace() and not used and len(lines) > 1:
                continue
            lines[-1].append((style, word))
            used += size
    return [_joined(line) for line in lines]


def indent_for(line: Sequence[tuple[str, str]], width: int, indent: int) -> int:
    """Return the indent of a line: less than ``indent`` where only so its one long word fits."""
    return max(0, min(indent, width - sum(cells(text) for _, text in line)))


def _joined(line: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put neighbours of the same style together, without the blanks at the end."""
    while line and line[-1][1].isspace():
        line.pop()
    joined: list[tuple[str, str]] = []
    for style, word in line:
        if joined and joined[-1][0] == style:
            joined[-1] = (style, joined[-1][1] + word)
        else:
            joined.append((style, word))
    return joined
