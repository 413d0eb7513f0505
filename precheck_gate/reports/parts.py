"""A report in several files where its readers bound the size of one: junit.xml, junit-2.xml."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from precheck_gate.reports.sinks import FileSink

__all__ = ["PART_MARK", "Parts"]

PART_MARK = "precheck-gate: a further part of a larger report"
"""Stands near the top of every file but the first, and tells it from files of others."""

_TOP = 1_000  # bytes in which the mark is looked for


class Parts:
    """A sink of several files: the first as it was named, the others beside it with a number.

    All of them appear when the report is complete, the first one last. Parts that an earlier,
    larger report left are removed then. A file of the same name that is no such part is nobody's to
    overwrite: its number is passed over.

    Args:
        first: the sink of the first file, already open.
    """

    def __init__(self, first: FileSink) -> None:
        self.name = first.name
        self._first = first
        self._further: list[FileSink] = []
        self._next = 2

    @property
    def remark(self) -> str:
        """What the user should know of how the files were written."""
        return next(filter(None, (sink.remark for sink in (self._first, *self._further))), "")

    @property
    def further(self) -> list[str]:
        """The names of the files after the first."""
        return [sink.name for sink in self._further]

    def open(self) -> TextIO:
        """Open the first file."""
        return self._first.open()

    def more(self) -> TextIO:
        """Open one file more; OSError when it cannot be."""
        while _is_taken(Path((sink := self._first.beside(self._next)).name)):
            self._next += 1
        self._next += 1
        self._further.append(sink)
        return sink.open()

    def commit(self) -> None:
        """Make all files appear, and remove parts that are left from before."""
        for sink in (*self._further, self._first):
            sink.commit()
        ours = set(self.further)
        for path in self._old_parts():
            if str(path) not in ours:
                path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Leave nothing behind. Never raises."""
        for sink in (self._first, *self._further):
            sink.discard()

    def _old_parts(self) -> list[Path]:
        like = Path(self._first.beside(0).name)
        pattern = like.name.rpartition("0")
        number = re.compile(f"{re.escape(pattern[0])}[1-9][0-9]*{re.escape(pattern[2])}")
        beside = [path for path in like.parent.iterdir() if number.fullmatch(path.name)]
        return [path for path in sorted(beside) if _is_part(path)]


def _is_taken(path: Path) -> bool:
    return path.exists() and not _is_part(path)


def _is_part(path: Path) -> bool:
    """Return whether a file is a part of an earlier report."""
    with contextlib.suppress(OSError):
        if path.is_file():
            with path.open("rb") as file:
                return PART_MARK.encode("ascii") in file.read(_TOP)
    return False
