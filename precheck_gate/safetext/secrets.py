"""Credentials as values that never show themselves, and text with credentials masked."""

from __future__ import annotations

import re
import sys
import threading
from functools import lru_cache
from typing import NoReturn

from precheck_gate.safetext.json_escapes import decoded_escapes, decoded_runs, runs_of

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
                # In a form or a query, a space is written as a plus sign.
                self._for_ever |= {value, value.replace(" ", "+")}
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
