"""Answers as they may be kept: without any secret, and still judged as they came."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from precheck_gate.documents import strict_json
from precheck_gate.model.snapshots import Snapshot
from precheck_gate.safetext.secrets import hide_secrets
from precheck_gate.saved.answers.entries import entries_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precheck_gate.saved.run_file import Exchange

__all__ = ["without_secrets"]

_NOTE = (
    "The answer repeats a credential in a field that the verdict depends on, or in a form that "
    "cannot be hidden there. It is kept as text and cannot be judged again."
)


def without_secrets(exchange: Exchange, body: bytes) -> tuple[Exchange, bytes]:
    """Return an answer, and what the index says of it, without any secret.

    Of an answer that repeats none, every byte stays. Of another, secrets are hidden in the values
    and, where nothing is read from those, in the keys. If even so it would not be judged as it
    came, it is kept as a text inside of JSON that is no answer.
    """
    hidden = replace(
        exchange,
        request_id=hide_secrets(exchange.request_id),
        started={hide_secrets(one): task for one, task in exchange.started.items()},
    )
    text = body.decode("utf-8", "surrogateescape")
    masked = hide_secrets(text)
    if masked == text and hidden.started == exchange.started:
        return hidden, body
    meant = _judged(exchange, body)
    for candidate in _candidates(body, masked):
        if _judged(hidden, candidate) == meant:
            return hidden, candidate
    return hidden, _bytes(json.dumps({"note": _NOTE, "answer": masked}, ensure_ascii=False))


def _candidates(body: bytes, masked: str) -> Iterator[bytes]:
    try:
        document = strict_json.loads(body)
    except ValueError:
        yield masked.encode("utf-8", "surrogateescape")
        return
    for keys in (True, False):
        yield _bytes(strict_json.compact(_hidden(document, keys=keys)))


def _bytes(spelt: str) -> bytes:
    # Half of a character has no bytes; its escape is that of JSON.
    return spelt.encode("utf-8", "backslashreplace")


def _hidden(value: Any, *, keys: bool) -> Any:
    match value:
        case str():
            return hide_secrets(value)
        case dict():
            return {
                hide_secrets(key) if keys else key: _hidden(inner, keys=keys)
                for key, inner in value.items()
            }
        case list():
            return [_hidden(one, keys=keys) for one in value]
    return value


def _judged(exchange: Exchange, body: bytes) -> dict[str, object]:
    """Return what is judged of an answer: all but the texts that are only shown."""
    entries, _ = entries_of(exchange, body)
    return {task: _without_shown(entry) for task, entry in entries.items()}


def _without_shown(entry: object) -> object:
    if not isinstance(entry, Snapshot):
        return getattr(entry, "kind", None)
    items = tuple(replace(item, data="", raw_error="") for item in entry.items)
    return replace(entry, items=items, instance_id="")
