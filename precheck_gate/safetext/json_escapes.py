"""Decode text: escapes of JSON, URLs and HTML, base64 and hexadecimal numbers.

An escape stands for one or a few characters, so a span of the decoded text has a place in the
source (`Decoded.source`). Base64 and hexadecimal numbers are decoded as whole runs.
"""

from __future__ import annotations

import binascii
import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEX = "[0-9a-fA-F]"


class Decoded:
    """The text that a source decodes to, and where in the source each part of it is."""

    def __init__(self, source: str, pieces: Iterator[tuple[str, int, int]]) -> None:
        texts: list[str] = []
        # Where each piece begins in the decoded text, and its span in the source.
        self._at: list[int] = []
        self._from: list[tuple[int, int]] = []
        length = done = 0
        for text, start, end in (*pieces, ("", len(source), len(source))):
            texts += (source[done:start], text)
            self._at += (length, length + start - done)
            self._from += ((done, start), (start, end))
            length += start - done + len(text)
            done = end
        self.text = "".join(texts)

    def source(self, span: tuple[int, int]) -> tuple[int, int]:
        """Return the span of the source for a span of the decoded text; escapes stay whole."""
        first, last = bisect_right(self._at, span[0]) - 1, bisect_left(self._at, span[1]) - 1
        start, end = self._from[first][0], self._from[last][1]
        if self._is_literal(first):
            start += span[0] - self._at[first]
        if self._is_literal(last):
            end = self._from[last][0] + span[1] - self._at[last]
        return start, end

    def _is_literal(self, piece: int) -> bool:
        """Return whether a piece is not an escape, which is longer than what it means."""
        low, high = self._from[piece]
        return self._at[piece + 1] - self._at[piece] == high - low


# Two \u escapes may be the halves of one character. Python has JSON's escapes and a few more.
_JSON = re.compile(
    rf"\\(?:u[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}|u{_HEX}{{4}}"
    rf"|U00[01]{_HEX}{{5}}|x{_HEX}{{2}}"
    r"""|["'\\/bfnrt])"""
)
_NAMED = str.maketrans("bfnrt", "\b\f\n\r\t")


def _json(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _JSON.finditer(text):
        kind, digits = match.group()[1], match.group()[2:]
        if kind == "u":
            units = bytes.fromhex(digits.replace("\\u", ""))
            meaning = units.decode("utf-16-be", "surrogatepass")
        elif digits:
            meaning = _character(int(digits, 16))
        else:
            meaning = kind.translate(_NAMED)
        if meaning:
            yield meaning, match.start(), match.end()


def _character(code: int) -> str:
    return chr(code) if code < 0x110000 else ""


_PERCENT = re.compile(f"(?:%{_HEX}{{2}})+")


def _percent(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _PERCENT.finditer(text):
        start = match.start()
        octets = bytes.fromhex(match.group().replace("%", ""))
        for character in octets.decode("utf-8", "surrogateescape"):
            end = start + 3 * len(character.encode("utf-8", "surrogateescape"))
            yield character, start, end
            start = end


_ENTITY = re.compile(
    rf"&(?:#0*(?P<decimal>[0-9]{{1,7}})|#[xX]0*(?P<hex>{_HEX}{{1,6}})|[A-Za-z][0-9A-Za-z]{{1,31}});?"
)


def _html(text: str) -> Iterator[tuple[str, int, int]]:
    from html import unescape

    for match in _ENTITY.finditer(text):
        decimal, number = match["decimal"], match["hex"]
        if decimal or number:
            # Not by unescape(), which maps some numbers to other characters, and some to none.
            meaning = _character(int(decimal) if decimal else int(number, 16))
        else:
            meaning = unescape(match.group())
        if meaning not in ("", match.group()):
            yield meaning, match.start(), match.end()


# Encoders break lines of base64 after 64 or 76 characters.
_FOLD = re.compile(r"(?<=[0-9A-Za-z+/_-]{60})\r?\n(?=[0-9A-Za-z+/_-])")


def _folds(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _FOLD.finditer(text):
        yield "", match.start(), match.end()


_ESCAPES = (("\\", _json), ("%", _percent), ("&", _html), ("\n", _folds))


def decoded_escapes(text: str) -> Iterator[Decoded]:
    """Yield the text decoded by one level, once for each kind of escapes that it may have."""
    for mark, pieces in _ESCAPES:
        if mark in text:
            yield Decoded(text, pieces(text))


_BASE64 = "[0-9A-Za-z+/_-]"
# Two digits for each of at least six characters.
_NUMBERS = re.compile(f"(?<!{_HEX}){_HEX}{{12,}}")


def runs_of(octets: int) -> re.Pattern[str]:
    """Return a pattern for runs of base64 or hexadecimal digits, of at least so many bytes."""
    return re.compile(f"(?<!{_BASE64}){_BASE64}{{{-(-octets * 4 // 3)},}}={{0,2}}")


def decoded_runs(run: str) -> Iterator[str]:
    """Yield what a run may decode to, for each position where the encoded text may begin."""
    standard = run.rstrip("=").replace("-", "+").replace("_", "/")
    for start in range(4):
        part = standard[start:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        yield _text_of(binascii.a2b_base64(part + "=" * (-len(part) % 4)))
    for numbers in _NUMBERS.findall(run):
        for part in (numbers, numbers[1:]):
            yield _text_of(bytes.fromhex(part[: len(part) - len(part) % 2]))


def _text_of(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")
