"""A credential as a value that shows nothing of itself, and texts of others without any."""

from __future__ import annotations

import re
import sys
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn

from precheck_gate.safetext.json_escapes import decoded_escapes, decoded_runs, runs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Secret", "hide_for_now", "hide_secrets"]

_MASK = "***"
# Shorter ones would be found in ordinary words; no token and no key is that short.
_SHORTEST = 8
# IAM takes passwords from 6 characters on, of two kinds of characters at least. Those below 8 are
# hidden where they stand as words of their own: in a longer word they may be a part of a task's ID.
_SHORTEST_PASSWORD = 6
_KINDS = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")
# How often a value may have been encoded, such as JSON in a text of JSON.
_LEVELS = 4
# Up to this length, a text and what becomes of it are remembered.
_SHORT = 256
# More than there are requests at once.
_FOR_NOW = 16


class Secret:
    """Holds a credential; only `reveal` gives it out, at the one place that sends it.

    It shows a mask in ``repr``, ``str`` and ``format``, and so in tracebacks with locals; pickle,
    copy and JSON refuse it. What it holds is also hidden by `hide_secrets` from then on.
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
    """What has to be hidden; a process knows a handful of values.

    Attributes:
        forms: the values.
        words: short passwords, with what finds them as words.
    """

    def __init__(self) -> None:
        self.forms: tuple[str, ...] = ()
        self.words: dict[str, re.Pattern[str]] = {}
        self._for_ever: frozenset[str] = frozenset()
        self._for_now: list[str] = []
        self._lock = threading.Lock()
        self._set()

    def add(self, value: str) -> None:
        """Have a value hidden from now on."""
        with self._lock:
            if len(value) >= _SHORTEST:
                # In a form or a query, a blank is spelt so.
                self._for_ever |= {value, value.replace(" ", "+")}
                self._set()
            elif _may_be_a_password(value):
                before, after = (r"(?<!\w)" * value[0].isalnum(), r"(?!\w)" * value[-1].isalnum())
                word = re.compile(f"{before}{re.escape(value)}{after}")
                self.words = {**self.words, value: word}
                self._set()

    def add_for_now(self, value: str) -> None:
        """Have a value hidden until some others have come."""
        with self._lock:
            self._for_now = [*self._for_now[-_FOR_NOW:], value]
            self._set()

    def _set(self) -> None:
        self.forms = tuple(self._for_ever.union(self._for_now))
        everything = (*self.forms, *self.words)
        self._shortest = min(map(len, everything), default=sys.maxsize)
        self._run = runs_of(min(self._shortest, 1000))
        # The same names and IDs come again and again.
        self._hide_short = lru_cache(4096)(self._hide)

    def hide(self, text: str) -> str:
        """Return ``text`` without any of the values, in whatever spelling."""
        if len(text) < self._shortest:
            return text
        return self._hide_short(text) if len(text) <= _SHORT else self._hide(text)

    def _hide(self, text: str) -> str:
        parts: list[str] = []
        done = 0
        for start, end in _merged(self._spans(text, _LEVELS, {})):
            parts += (text[done:start], _MASK)
            done = end
        return "".join((*parts, text[done:])) if parts else text

    def _spans(self, text: str, levels: int, seen: dict[str, int]) -> list[tuple[int, int]]:
        """Return where values are, behind so many levels of encoding.

        Args:
            text: where to look.
            levels: how often to decode.
            seen: the texts that were looked at, with the levels that were left for each: different
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


def _merged(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield spans in order, those that overlap as one."""
    whole: tuple[int, int] | None = None
    for start, end in sorted(spans):
        if whole is None or start >= whole[1]:
            if whole is not None:
                yield whole
            whole = (start, end)
        else:
            whole = (whole[0], max(whole[1], end))
    if whole is not None:
        yield whole


def _may_be_a_password(value: str) -> bool:
    kinds = sum(re.search(kind, value) is not None for kind in _KINDS)
    return len(value) >= _SHORTEST_PASSWORD and kinds > 1


_known = Known()


def hide_for_now(value: str) -> None:
    """Have `hide_secrets` hide a value until some others have come: such as a signature."""
    _known.add_for_now(value)


def hide_secrets(text: str) -> str:
    r"""Return ``text`` without the value of any `Secret` of this process, for texts of others.

    A service may well repeat in an error what it was sent: as it is, percent-encoded, with the
    entities of HTML, behind escapes of JSON (``\u003d``), in base64 or in hexadecimal numbers, and
    in any of these within another. What is judged or compared is never changed by this: it is for
    texts on their way to a report, a log or a terminal.
    """
    return _known.hide(text)
