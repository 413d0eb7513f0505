"""Markdown that holds texts of others without giving in to them, cut to a number of bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from precheck_gate.safetext.cleaning import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Budget", "code", "escape"]

# Whatever could begin or end a construct of Markdown or HTML within a line.
_ACTIVE = re.compile(r"[\\`*_{}\[\]<>|~^$&!]")

# And at the beginning of one: headings, lists, quotes, rules, code, the commands of chat bots.
_FIRST = re.compile(r"[^\w\s]|[0-9](?=[0-9]*[.)])")

# No renderer looks for links, mentions or references across this. It has no width.
_JOINER = "&#8203;"

# What renderers turn into links, notices and pictures by themselves, also where it was escaped:
# @name, #1, !1, GH-1, https://, www., example.com, :smile:, the hash of a commit.
_AUTOMATIC = re.compile(
    r"[@#!$%&~](?=\w)"
    r"|:(?=//|[a-z+-][\w+-]*:)"
    r"|\b(?:www(?=\.)|(?:mailto|xmpp|javascript|data)(?=:)|gh(?=-\d))"
    r"|(?<=\w)\.(?=(?:[a-z]{2}|biz|com|edu|gov|net|org|pro|web|xxx|aero|asia|coop|info|museum|name"
    r"|shop|xn--\w+|рф)\b)"
    r"|[0-9a-f]{6}(?=[0-9a-f]+(?![0-9A-Za-z]))",
    re.IGNORECASE,
)

_PLAIN_CODE = re.compile(r"[^`|\\\s](?:[^`|\\]*[^`|\\\s])?")


def escape(text: str, limit: int = 1_000) -> str:
    """Return one line of Markdown that reads as ``text`` and is nothing but text."""
    line = _bounded(text, limit)
    first = _FIRST.match(line)
    marked = _AUTOMATIC.sub(lambda match: f"{match.group()}\0", line[1:] if first else line)
    if first and _AUTOMATIC.match(line):
        return f"{_entity(first)}{_JOINER}{_spell(marked)}"
    return f"{_entity(first) if first else ''}{_spell(marked)}"


def code(text: str, limit: int = 1_000) -> str:
    """Return ``text`` as code, in which nothing acts and nothing is linked."""
    line = _bounded(text, limit)
    if _PLAIN_CODE.fullmatch(line):
        return f"`{line}`"
    return f"<code>{escape(text, limit)}</code>" if line else ""


def _spell(marked: str) -> str:
    return _ACTIVE.sub(_inactive, marked).replace("\0", _JOINER)


def _inactive(match: re.Match[str]) -> str:
    return _entity(match) if match.group() in "<>&" else f"\\{match.group()}"


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match.group())};"


def _bounded(text: str, limit: int) -> str:
    line = " ".join(clean_line(text.replace("\n", " ⏎ ")).split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


class Budget:
    """Text of at most so many bytes of UTF-8, filled in order of urgency, in whole entries."""

    # What is said about what was cut, and the ends of constructs, always fit in this.
    SLACK = 500

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes - self.SLACK
        self._parts: list[str] = []
        self._cut: list[str] = []

    def reserve(self, text: str) -> None:
        """Keep room for what is written after everything else."""
        self._left -= _size(text)

    def write(self, text: str) -> None:
        """Write what must not be cut."""
        self._left -= _size(text)
        self._parts.append(text)

    def section(
        self, head: str, entries: Iterable[str], tail: str, what: str, *, unseen: int = 0
    ) -> None:
        """Write a part with as many of its entries as fit; nothing where it has none."""
        kept: list[str] = []
        left = self._left - _size(head) - _size(tail)
        dropped = unseen
        for entry in entries:
            size = _size(entry)
            if dropped == unseen and size <= left:
                left -= size
                kept.append(entry)
            else:
                dropped += 1
        if kept:
            self._parts += [head, *kept, tail]
            self._left = left
        if dropped:
            self._cut.append(f"{dropped} of {dropped + len(kept)} {what}")

    def details(self, summary: str, entries: Iterable[str], what: str) -> None:
        """Write a part that is folded up, and closed again whatever is cut."""
        head = f"<details><summary>{summary}</summary>\n\n"
        self.section(head, entries, "\n</details>\n\n", what)

    def text(self) -> str:
        """Return everything, with what was left out at the end."""
        if not self._cut:
            return "".join(self._parts)
        note = (
            f"**Cut to fit:** left out are {'; '.join(self._cut)}. The other reports have all.\n\n"
        )
        return "".join([*self._parts, note])


def _size(text: str) -> int:
    return len(text.encode("utf-8"))
