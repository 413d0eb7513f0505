"""A credential as a value that shows nothing of itself, wherever it ends up."""

from __future__ import annotations

import json
from typing import NoReturn
from urllib.parse import quote

__all__ = ["Secret", "hide_secrets", "hide_secrets_in_bytes"]

_MASK = "***"
# Shorter ones would be found in ordinary words.
_SHORTEST = 8

# What has to be hidden in texts that others wrote, longest first; a process knows a handful.
_known: list[str] = []


class Secret:
    """Holds a credential; only `reveal` gives it out, at the one place that sends it.

    It shows a mask in ``repr``, ``str`` and ``format``, and so in tracebacks with locals; pickle,
    copy and JSON refuse it. What it holds is also hidden by `hide_secrets` from then on.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value
        _remember(value)

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


def hide_secrets(text: str) -> str:
    """Return ``text`` without the value of any `Secret` of this process, for texts of others.

    A service may well repeat in an error what it was sent.
    """
    for value in _known:
        if value in text:
            text = text.replace(value, _MASK)
    return text


def hide_secrets_in_bytes(content: bytes) -> bytes:
    """Like `hide_secrets`, for what is not decoded yet."""
    for value in _known:
        encoded = value.encode("utf-8", "surrogateescape")
        if encoded in content:
            content = content.replace(encoded, _MASK.encode())
    return content


def _remember(value: str) -> None:
    if len(value) < _SHORTEST:
        return
    # As it is, as it stands in JSON, and as it stands in a URL.
    forms = {value, json.dumps(value)[1:-1], quote(value, safe="", errors="replace")}
    new = forms.difference(_known)
    if new:
        _known[:] = sorted({*_known, *new}, key=len, reverse=True)
