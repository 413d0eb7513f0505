"""What was typed where a path, a name or an ID belongs, and may be the credential itself.

``--token-file "$TOKEN"`` is a slip of every day, and its error must not quote what was given.
"""

from __future__ import annotations

import re

from precheck_gate.safetext.cleaning import clean_line, shorten
from precheck_gate.safetext.secrets import hide_secrets

__all__ = ["is_slip", "quoted", "told", "told_variable", "without_slips"]

# Letters and digits in turns, as in tokens and keys; names and paths are words between signs, with
# a number at an end. No path has a part of more than 255 characters on any usual file system.
_MIXED = re.compile(r"[A-Za-z][0-9]+[A-Za-z]|[0-9][A-Za-z]+[0-9]")
_LONG = re.compile(r"[0-9A-Za-z]{16,}")
_BASE64 = re.compile(r"[0-9A-Za-z+/_-]{200,}=*")
_ENDLESS = re.compile(r"[^/\\\s]{256,}")
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
_PATH = re.compile(r"[/~]|\.\.?[/\\]|[A-Za-z]:[/\\]|[a-z]+://")
_FILE = re.compile(r"\.[a-z]{2,5}")
# The ID of a project, an account, a user; of a task without its hyphens.
_ID = re.compile(r"[0-9a-z]{32}")
_VARIABLE = re.compile(r"[A-Za-z_][0-9A-Za-z_]*")
_WORD = re.compile(r"[^\s'\"(),]+")


def is_slip(value: object) -> bool:
    """Return whether a value looks like a credential, rather than a path, a name or an ID."""
    text = str(value).strip()
    hidden = hide_secrets(text)
    if hidden != text and not hidden.strip("*"):
        return True
    if _ENDLESS.search(text) or _JWT.fullmatch(text):
        return True
    if re.search(r"\s", text) or _PATH.match(text) or _ID.fullmatch(text):
        return False
    if _FILE.fullmatch(text[text.rfind(".") :]):
        return False
    mixed = any(_MIXED.search(part) for part in _LONG.findall(text))
    return mixed or _BASE64.fullmatch(text) is not None


def _instead(text: str) -> str:
    return f"(a text of {len(text)} characters that looks like a credential itself)"


def told(name: object) -> str:
    """Return a path or a name as an error may tell it: as it is, unless it is a slip."""
    return _instead(str(name)) if is_slip(name) else str(name)


def quoted(value: str, limit: int = 60, *, whole: str = "") -> str:
    """Return a value in quotes for an error, made harmless and shortened; unless it is a slip.

    Where it is a part of what was typed, ``whole`` is all of it.
    """
    slip = next((text for text in (whole, value) if is_slip(text)), None)
    return repr(clean_line(shorten(value, limit))) if slip is None else _instead(slip)


def told_variable(name: str) -> str:
    """Return the name of a variable as an error may tell it; what can be none is not repeated."""
    if _VARIABLE.fullmatch(name) is None:
        return f"(a text of {len(name)} characters that is no variable's name)"
    return told(name)


def without_slips(message: str) -> str:
    """Return a message of others about what was typed, without the words that are slips."""

    def replace(word: re.Match[str]) -> str:
        text = word.group().lstrip("-").rstrip(".:;")
        return word.group().replace(text, _instead(text)) if is_slip(text) else word.group()

    return _WORD.sub(replace, message)
