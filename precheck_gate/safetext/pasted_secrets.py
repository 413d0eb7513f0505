"""Credentials that were pasted where a path, a name or an ID belongs.

``--token-file "$TOKEN"`` is a common mistake, and the error for it must not quote the value.
"""

from __future__ import annotations

import re

from precheck_gate.safetext.cleaning import clean_line, shorten
from precheck_gate.safetext.secrets import hide_secrets

# Letters and digits mixed, as in tokens and keys. Names and paths are words between signs, with a
# number at the end. No part of a path is longer than 255 characters on any usual file system.
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


def looks_like_secret(value: object) -> bool:
    """Return whether a value looks like a credential and not like a path, a name or an ID."""
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


def safe_name(name: object) -> str:
    """Return a path or a name for an error; a description of it if it looks like a credential."""
    return _instead(str(name)) if looks_like_secret(name) else str(name)


def quoted(value: str, limit: int = 60, *, whole: str = "") -> str:
    """Like `safe_name`, in quotes, made harmless and shortened.

    If the value is a part of what was typed, ``whole`` is all of it.
    """
    slip = next((text for text in (whole, value) if looks_like_secret(text)), None)
    return repr(clean_line(shorten(value, limit))) if slip is None else _instead(slip)


def safe_variable_name(name: str) -> str:
    """Return a variable's name for an error; a description of it if it cannot be a name."""
    if _VARIABLE.fullmatch(name) is None:
        return f"(a text of {len(name)} characters that is not a valid variable name)"
    return safe_name(name)


def without_pasted_secrets(message: str) -> str:
    """Return a library's message about what was typed, without words that look like credentials."""

    def replace(word: re.Match[str]) -> str:
        text = word.group().lstrip("-").rstrip(".:;")
        return (
            word.group().replace(text, _instead(text)) if looks_like_secret(text) else word.group()
        )

    return _WORD.sub(replace, message)
