"""An answer's JSON and the fields in it, as every wire format reads them."""

from __future__ import annotations

from typing import Any

from precheck_gate.documents import strict_json
from precheck_gate.errors import NotAnAnswer
from precheck_gate.safetext.cleaning import clean_line, shorten

__all__ = ["any_text", "parse_json", "parse_object", "text_in"]


def parse_json(body: bytes, hint: str = "") -> Any:
    """Return the value that a body spells.

    Raises:
        NotAnAnswer: not one JSON document as RFC 8259 means it.
    """
    try:
        return strict_json.loads(body)
    except ValueError as error:
        reason = clean_line(shorten(strict_json.complaint(error, keys=True), 200))
        raise NotAnAnswer(
            f"The answer is not JSON that can be trusted: {reason}.", hint=hint
        ) from None


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the object that a body spells.

    Raises:
        NotAnAnswer: as `parse_json` does, or another value than an object.
    """
    document = parse_json(body)
    if not isinstance(document, dict):
        raise NotAnAnswer("The answer is no JSON object.")
    return document


def text_in(entry: dict[str, Any], key: str) -> str:
    """Return a text field; "" where it is absent or of another type."""
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def any_text(value: Any) -> str:
    """Return a text field; a value of another type keeps its JSON form, so that none is lost."""
    if isinstance(value, str):
        return value
    return "" if value is None else strict_json.compact(value)
