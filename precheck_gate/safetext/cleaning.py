"""Make untrusted text harmless before it reaches a terminal, a log or a report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from precheck_gate.safetext.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Sequence

# Control characters (C0 without tab and newline, DEL, C1), invisible and bidirectional format
# characters, line separators, lone surrogates and noncharacters: they control terminals, forge
# lines or break XML and UTF-8.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff"
    + "".join(
        f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000)
    )
    + "]"
)

# Commands to a CI runner: "::name::" at the start of a line (GitHub), "##vso[" (Azure), "##["
# (both), "##teamcity[" anywhere in a line.
_COLON_COMMAND = re.compile(r"(?<![0-9A-Za-z])::(?=\s*[A-Za-z])")
_HASH_COMMAND = re.compile(r"##(?=\w*\[)")

# Directives to JUnit readers: "[[ATTACHMENT|path]]", "[[PROPERTY|name=value]]". The known ones also
# after a single bracket, which the text before it may double.
_BRACKETS = re.compile(r"\[{2,}(?=\s*/?\w+\s*\|)")
_BRACKET = re.compile(r"\[(?=(?:attachment|property)\|)", re.IGNORECASE)

_USERINFO = re.compile(r"(?<=://)[^/@\s]*@")


def _escape(match: re.Match[str]) -> str:
    sign = match.group()
    if sign.isascii():
        return f"\\x{ord(sign):02x}"
    return sign.encode("ascii", "backslashreplace").decode()


def inert(text: str) -> str:
    r"""Return ``text`` with everything that could act as a command made visible.

    Control, format and invalid characters become escapes (``\x1b``). Commands to CI runners and
    directives to JUnit readers are broken up (``::set-env`` becomes ``: :set-env``,
    ``[[ATTACHMENT|`` becomes ``[ [ ATTACHMENT|``). The result is valid UTF-8 and XML 1.0, and
    ``inert(inert(text)) == inert(text)``; tabs and newlines stay. Secrets are not masked: this is
    for what is compared and not shown.
    """
    if (
        text.isascii()
        and text.isprintable()
        and "::" not in text
        and "##" not in text
        and "|" not in text
    ):
        # This is the case for nearly all of the thousands of names.
        return text
    cleaned = _UNSAFE.sub(_escape, text)
    if "::" in cleaned:
        cleaned = _COLON_COMMAND.sub(": :", cleaned)
    if "##" in cleaned:
        cleaned = _HASH_COMMAND.sub("## ", cleaned)
    if "|" in cleaned:
        cleaned = _BRACKETS.sub(lambda found: " ".join(found.group()), cleaned)
        cleaned = _BRACKET.sub("[ ", cleaned)
    return cleaned


def clean(text: str) -> str:
    """Return ``text`` with secrets masked and made `inert`, for all reports, logs and terminals.

    Secrets are masked here because each format escapes text in its own way afterwards.
    """
    return inert(hide_secrets(text))


def clean_line(text: str) -> str:
    """Like `clean`, for one line: newlines and tabs become escapes too."""
    return clean(text).replace("\n", "\\n").replace("\t", "\\t")


def inert_line(text: str) -> str:
    """Like `clean_line`, with secrets not masked; see `inert`."""
    return inert(text).replace("\n", "\\n").replace("\t", "\\t")


def shorten(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of ``text``, and how many more there are.

    Secrets are masked first: one that is cut off would not be recognized any more.
    """
    text = hide_secrets(text)
    if len(text) <= limit:
        return text
    return f"{text[:limit].rstrip()} … ({len(text) - limit} more characters)"


def hide_credentials(text: str) -> str:
    """Return ``text`` without the ``user:password@`` part of any URL in it."""
    return _USERINFO.sub("***@", text)


MOST_NAMED = 5


def few(task_ids: Sequence[str]) -> str:
    """Return the first of some tasks for a message, and how many there are."""
    names = ", ".join(clean_line(shorten(one, 60)) for one in task_ids[:MOST_NAMED])
    if len(task_ids) == 1:
        return names
    more = len(task_ids) - MOST_NAMED
    return f"{len(task_ids)} tasks ({names}{f' and {more:,} more' if more > 0 else ''})"


def count(number: int, word: str) -> str:
    """Return a number with its word: ``1 task``, ``2 tasks``."""
    return f"{number} {word}{'' if number == 1 else 's'}"
