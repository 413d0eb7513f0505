"""Credentials as values, and hiding them in texts of others, however they are encoded."""

from __future__ import annotations

import binascii
import re
import sys
import threading
from bisect import bisect_left, bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn

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


_MASK = "***"
# Shorter values occur in ordinary words; no token and no key is that short.
_SHORTEST = 8
# IAM accepts passwords of 6 characters or more, of at least two kinds. Those shorter than 8 are
# masked only as separate words: within a longer word they may be a part of a task's ID.
_SHORTEST_PASSWORD = 6
_KINDS = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")
# How many times a value may be encoded, such as JSON within JSON.
_LEVELS = 4
# The result for a text up to this length is cached.
_SHORT = 256
# More than the number of requests at the same time.
_FOR_NOW = 16


class Secret:
    """A credential. Only `reveal` returns it, for the one place that sends it.

    ``repr``, ``str`` and ``format``, and so tracebacks with locals, show a mask. It cannot be
    pickled, copied or written as JSON. From now on, `hide_secrets` masks its value.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value
        _known.add(value)

    def reveal(self) -> str:
        """Return the credential itself."""
        return self.__value

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __repr__(self) -> str:
        return f"Secret('{_MASK}')"

    def __str__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return _MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.__value == other.__value

    def __hash__(self) -> int:
        return hash(Secret)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")


class Known:
    """The values to mask; a process has only a few.

    Attributes:
        forms: the values.
        words: short passwords, with the pattern that finds each as a word.
    """

    def __init__(self) -> None:
        self.forms: tuple[str, ...] = ()
        self.words: dict[str, re.Pattern[str]] = {}
        self._for_ever: frozenset[str] = frozenset()
        self._for_now: list[str] = []
        self._lock = threading.Lock()
        self._set()

    def add(self, value: str) -> None:
        """Mask a value from now on."""
        with self._lock:
            if len(value) >= _SHORTEST:
                self._for_ever |= {value, *_in_urls(value)}
                self._set()
            elif _may_be_a_password(value):
                before, after = (r"(?<!\w)" * value[0].isalnum(), r"(?!\w)" * value[-1].isalnum())
                word = re.compile(f"{before}{re.escape(value)}{after}")
                self.words = {**self.words, value: word}
                self._set()

    def add_for_now(self, value: str) -> None:
        """Mask a value until `_FOR_NOW` others have been added."""
        with self._lock:
            self._for_now = [*self._for_now[-_FOR_NOW:], value]
            self._set()

    def _set(self) -> None:
        self.forms = tuple(self._for_ever.union(self._for_now))
        everything = (*self.forms, *self.words)
        self._shortest = min(map(len, everything), default=sys.maxsize)
        self._run = runs_of(min(self._shortest, 1000))
        # The same names and IDs occur many times.
        self._hide_short = lru_cache(4096)(self._hide)

    def hide(self, text: str) -> str:
        """Return ``text`` with all values masked, in any encoding."""
        if len(text) < self._shortest:
            return text
        return self._hide_short(text) if len(text) <= _SHORT else self._hide(text)

    def _hide(self, text: str) -> str:
        parts: list[str] = []
        done = 0
        for start, end in sorted(self._spans(text, _LEVELS, {})):
            # A span that overlaps the one before it extends that.
            if start >= done:
                parts += (text[done:start], _MASK)
            done = max(done, end)
        return "".join((*parts, text[done:])) if parts else text

    def _spans(self, text: str, levels: int, seen: dict[str, int]) -> list[tuple[int, int]]:
        """Return where values are in a text, which is decoded up to ``levels`` times.

        ``seen`` has the texts already searched, with the levels that were left for each: different
        orders of decoding lead to the same text.
        """
        seen[text] = levels
        found = self._plain(text)
        if levels == 0:
            return found
        for decoded in decoded_escapes(text):
            if seen.get(decoded.text, -1) < levels - 1:
                found += map(decoded.source, self._spans(decoded.text, levels - 1, seen))
        for run in self._run.finditer(text):
            if any(self._spans(inner, levels - 1, {}) for inner in decoded_runs(run.group())):
                found.append(run.span())
        return found

    def _plain(self, text: str) -> list[tuple[int, int]]:
        found = []
        for form in self.forms:
            at = text.find(form)
            while at >= 0:
                found.append((at, at + len(form)))
                at = text.find(form, at + 1)
        for value, word in self.words.items():
            if value in text:
                found += [match.span() for match in word.finditer(text)]
        return found


def _in_urls(value: str) -> Iterator[str]:
    """Yield the forms of a value in URLs.

    They are found by decoding, too, but not after a stray ``%``, which takes digits of the value.
    """
    # In a form or a query, a space is written as a plus sign.
    yield value.replace(" ", "+")
    if not value.isalnum():
        from urllib.parse import quote

        for safe in ("", "/"):
            form = quote(value, safe, errors="surrogatepass")
            yield form
            yield form.replace("%20", "+")


def _may_be_a_password(value: str) -> bool:
    kinds = sum(re.search(kind, value) is not None for kind in _KINDS)
    return len(value) >= _SHORTEST_PASSWORD and kinds > 1


_known = Known()


def hide_for_now(value: str) -> None:
    """Mask a short-lived value, such as a signature, until some others have been added."""
    _known.add_for_now(value)


def hide_secrets(text: str) -> str:
    r"""Return ``text`` with the value of every `Secret` of this process masked.

    A service may repeat in an error what it was sent: as it is, percent-encoded, with HTML
    entities, with JSON escapes (``\u003d``), in base64 or hexadecimal, or in any of these within
    another. This is for text on its way to a report, a log or a terminal: what is judged or
    compared is never changed.
    """
    return _known.hide(text)
