"""The content of files with an answer each: bounded, and the same however often it is read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from precheck_gate.errors import NotAnAnswer, UsageError, unreadable
from precheck_gate.runtime.reading import TooLarge, read_file
from precheck_gate.saved.run_file import INDEX

if TYPE_CHECKING:
    from pathlib import Path

    from precheck_gate.saved.run_file import Exchange

__all__ = ["AnswerFiles"]

MAX_BYTES = 32 * 1024 * 1024


class AnswerFiles:
    """Reads answers, and notices where one is no longer what it was."""

    def __init__(self) -> None:
        self._digests: dict[Path, str] = {}

    def loose(self, file: Path) -> bytes:
        """Return the content of a file that no index tells of.

        Raises:
            UsageError: it cannot be read, or is empty.
            NotAnAnswer: it is too large, or was another at the time before.
        """
        content = self._content(file)
        if not content.strip():
            raise UsageError(f"The answer {file} is empty.", hint="Save it again, or leave it out.")
        digest = _digest_of(content)
        if digest != self._digests.setdefault(file, digest):
            raise NotAnAnswer(f"{file} changed while it was read.", hint="Run evaluate again.")
        return content

    def saved(self, folder: Path, exchange: Exchange) -> bytes:
        """Return the content of a file that an index tells of.

        Raises:
            UsageError: it cannot be read.
            NotAnAnswer: it is too large, or not what the index tells of.
        """
        content = self._content(folder / exchange.file)
        if _digest_of(content) != exchange.sha256:
            raise NotAnAnswer(f"it is not the answer that {INDEX} beside it tells of.")
        return content

    def _content(self, file: Path) -> bytes:
        try:
            return read_file(file, MAX_BYTES, keep=True)
        except TooLarge as error:
            raise NotAnAnswer(f"{error.strerror}.") from None
        except OSError as error:
            raise unreadable("The answer", file, error) from None


def _digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
