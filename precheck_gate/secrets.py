"""A credential as a value that shows nothing of itself, and texts of others without any."""

from __future__ import annotations

import re
import sys
import threading
from typing import NoReturn

from precheck_gate.escaped import rewrite_escaped, unescape

__all__ = ["Secret", "hide_for_now", "hide_secrets", "hide_secrets_in_bytes"]

_MASK = "***"
# Shorter ones would be found in ordinary words; no token and no key is that short.
_SHORTEST = 8
# IAM takes passwords from 6 characters on, of two kinds of characters at least. Those below 8 are
# hidden where they stand as words of their own: in a longer word they may be a part of a task's ID.
_SHORTEST_PASSWORD = 6
_KINDS = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")
# An answer, the JSON in a text of it, the JSON in a text of that, and one more.
_LEVELS = 4
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
        forms: the values and their other spellings, longest first.
        words: short passwords, with what finds them as words.
    """

    def __init__(self) -> None:
        self.forms: tuple[str, ...] = ()
        self.words: dict[str, re.Pattern[str]] = {}
        self._spelt: tuple[bytes, ...] = ()
        self._for_now: list[str] = []
        self._shortest = sys.maxsize
        self._escape = re.compile("(?!)")
        self._escape_in_bytes = re.compile(b"(?!)")
        self._lock = threading.Lock()

    def add(self, value: str) -> None:
        """Have a value hidden from now on."""
        with self._lock:
            if len(value) >= _SHORTEST:
                self._set(self.forms + tuple(_spellings(value)))
            elif _may_be_a_password(value) and value not in self.words:
                before, after = (r"(?<!\w)" * value[0].isalnum(), r"(?!\w)" * value[-1].isalnum())
                word = re.compile(f"{before}{re.escape(value)}{after}")
                self.words = {**self.words, value: word}
                self._set(self.forms)

    def add_for_now(self, value: str) -> None:
        """Have a value hidden until some others have come."""
        with self._lock:
            gone, self._for_now = self._for_now[:-_FOR_NOW], [*self._for_now[-_FOR_NOW:], value]
            self._set((*(form for form in self.forms if form not in gone), value))

    def _set(self, forms: tuple[str, ...]) -> None:
        if set(forms) == set(self.forms) and len(self._spelt) == len(forms) + len(self.words):
            return
        self.forms = tuple(sorted(set(forms), key=len, reverse=True))
        everything = (*self.forms, *self.words)
        self._shortest = min(map(len, everything), default=sys.maxsize)
        self._spelt = tuple(one.encode("utf-8", "surrogateescape") for one in everything)
        pattern = _escapes_of("".join(everything))
        self._escape, self._escape_in_bytes = re.compile(pattern), re.compile(pattern.encode())

    def may_be_in(self, content: bytes) -> bool:
        """Return whether a closer look is worth it: the only cost where nothing is to be hidden."""
        return (
            any(one in content for one in self._spelt)
            or self._escape_in_bytes.search(content) is not None
        )

    def hide(self, text: str, levels: int = _LEVELS) -> str:
        """Return ``text`` without any of the values, behind so many levels of escapes either."""
        if len(text) < self._shortest:
            return text
        # Before the escapes: to change what is behind them may change how the rest is spelt.
        return self.hide_in_json(self._hide_plain(text), levels)

    def hide_in_json(self, text: str, levels: int = _LEVELS) -> str:
        """Like `hide`, for the spelling of JSON, where a plain match may be a half of an escape."""
        if self._is_behind_escapes(text, levels):
            text = rewrite_escaped(text, self._escape, lambda run: self.hide(run, levels - 1))
        return self._hide_plain(text)

    def _hide_plain(self, text: str) -> str:
        for form in self.forms:
            if form in text:
                text = text.replace(form, _MASK)
        for value, word in self.words.items():
            if value in text:
                text = word.sub(_MASK, text)
        return text

    def _is_behind_escapes(self, text: str, levels: int) -> bool:
        """Return whether a value may be there once the escapes are gone: a quick look at all."""
        for _ in range(levels):
            if "\\" not in text or self._escape.search(text) is None:
                return False
            text = unescape(text)
            if any(form in text for form in self.forms) or any(one in text for one in self.words):
                return True
        return False


def _may_be_a_password(value: str) -> bool:
    kinds = sum(re.search(kind, value) is not None for kind in _KINDS)
    return len(value) >= _SHORTEST_PASSWORD and kinds > 1


def _spellings(value: str) -> set[str]:
    """Return how others may spell a value: as it is, in a URL, and in HTML."""
    from html import escape
    from urllib.parse import quote

    url = quote(value, safe="", errors="replace")
    html = escape(value)
    lower = re.sub("%[0-9A-F]{2}", lambda code: code.group().lower(), url)
    return {value, url, lower, html, html.replace("&#x27;", "&#39;")}


def _escapes_of(characters: str) -> str:
    """Return a pattern for the escapes of JSON by which one of the characters may be spelt.

    Of an escape that is escaped itself it finds a part as well, however often that was done: the
    backslash before it, or the ``u00`` of another.
    """
    named = dict(zip('"\\/\b\f\n\r\t', '"\\/bfnrt', strict=True))
    short = "".join(re.escape(named[one]) for one in named if one in characters)
    by_number = "u00" if all(ord(one) < 0x100 for one in characters) else "u"
    return rf"\\(?:{by_number}{f'|[{short}]' if short else ''})"


_known = Known()


def hide_for_now(value: str) -> None:
    """Have `hide_secrets` hide a value until some others have come: such as a signature."""
    _known.add_for_now(value)


def hide_secrets(text: str) -> str:
    r"""Return ``text`` without the value of any `Secret` of this process, for texts of others.

    A service may well repeat in an error what it was sent: as it is, in a URL, in HTML, or behind
    escapes of JSON (``\u003d``), also where that JSON stands in a text of other JSON.
    """
    return _known.hide(text)


def hide_secrets_in_bytes(content: bytes) -> bytes:
    """Like `hide_secrets`, for what is not decoded yet; whatever hides nothing stays as it is.

    JSON stays the JSON that it was: of a string with a secret in it the rest keeps its meaning,
    and all else keeps its bytes.
    """
    if not _known.may_be_in(content):
        return content
    text = content.decode("utf-8", "surrogateescape")
    hidden = _known.hide_in_json(text)
    return content if hidden == text else hidden.encode("utf-8", "surrogateescape")
