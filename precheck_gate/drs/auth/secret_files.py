"""Files that hold one credential: read up to a bound, and what is wrong told without quoting."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from precheck_gate.errors import reason_of
from precheck_gate.runtime.reading import read_file
from precheck_gate.safetext.secrets import Secret

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Content", "is_word", "read_secret"]

_MAX_BYTES = 64 * 1024


class Content(NamedTuple):
    """What was read, or why it could not be and what to do about that."""

    secret: Secret
    complaint: str = ""
    hint: str = ""


def read_secret(path: Path) -> Content:
    """Return the content of a file; no error gets out, since one of decoding holds all of it."""
    try:
        return Content(Secret(read_file(path, _MAX_BYTES).decode("utf-8-sig").strip()))
    except UnicodeDecodeError:
        return Content(Secret(""), "is not text")
    except OSError as error:
        complaint = f"cannot be read: {reason_of(error)}"
        return Content(Secret(""), complaint, "Check the path and its permissions.")


def is_word(text: str) -> bool:
    """Return whether a text may be part of a header as it is: printable ASCII without blanks."""
    return text.isascii() and text.isprintable() and " " not in text
