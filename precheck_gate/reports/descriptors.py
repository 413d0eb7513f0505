"""Paths that name an open descriptor, such as ``/dev/stderr``, and writing to what is behind it.

What such a path leads to belongs to others: a log that was redirected, a pipe to another program.
It is written to where it stands, and never replaced.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from precheck_gate.reports.pipes import stream_into
from precheck_gate.reports.sinks import real_path

if TYPE_CHECKING:
    from precheck_gate.runtime.signals import Interrupts

__all__ = ["DescriptorSink", "OpenDescriptor", "descriptor_at"]

_FOLDER = re.compile(r"/proc/([0-9]+)(?:/task/[0-9]+)?/fd")
_MOST_LINKS = 40
_SPOOL_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class OpenDescriptor:
    """A descriptor that a path names: one of this process, or the ``path`` of another's."""

    number: int
    path: Path | None = None

    def duplicate(self) -> int:
        """Return a descriptor to write to, at the place where the original stands.

        Raises:
            OSError: it is not open, or was opened by this program itself.
        """
        if self.path is not None:
            return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC)
        # What the program opened itself is not inherited: a connection, or the null device in
        # place of a standard stream that the caller closed.
        if not os.get_inheritable(self.number):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return os.dup(self.number)


def descriptor_at(path: str | Path) -> OpenDescriptor | None:
    """Return the descriptor that a path names, through links; None for any other path."""
    ours = {f"/proc/{os.getpid()}/fd", os.path.realpath("/dev/fd")}
    place = Path(path)
    for _ in range(_MOST_LINKS):
        folder = real_path(place.parent)
        place = Path(folder, place.name)
        of_process = _FOLDER.fullmatch(folder)
        if place.name.isdecimal() and (of_process or folder in ours):
            own = folder in ours or (of_process and int(of_process[1]) == os.getpid())
            return OpenDescriptor(int(place.name), None if own else place)
        try:
            place = Path(folder, place.readlink())
        except OSError:  # it is no link, or is not there
            return None
    return None


class DescriptorSink:
    """An open descriptor: the report goes there in one piece, when it is complete.

    Args:
        name: the path as it was given.
        descriptor: what the path names.
        interrupts: a signal shortens the wait for a reader.
    """

    remark = ""

    def __init__(self, name: str, descriptor: OpenDescriptor, interrupts: Interrupts) -> None:
        self.name = name
        self._descriptor = descriptor
        self._interrupts = interrupts
        self._spool: TextIO | None = None

    def open(self) -> TextIO:  # noqa: D102
        os.close(self._descriptor.duplicate())  # tells at once where there is none
        self.discard()
        # typeshed: it is a TextIO in all but name
        self._spool = tempfile.SpooledTemporaryFile(  # type: ignore[assignment]  # noqa: SIM115
            max_size=_SPOOL_BYTES, mode="w+", encoding="utf-8", newline="\n"
        )
        return self._spool  # type: ignore[return-value]

    def commit(self) -> None:  # noqa: D102
        if self._spool is None:
            raise OSError(None, "was not opened", self.name)
        self._spool.seek(0)
        out = stream_into(self._descriptor.duplicate(), self.name, self._interrupts)
        with out:
            shutil.copyfileobj(self._spool, out)
        self.discard()

    def discard(self) -> None:  # noqa: D102
        if self._spool is not None:
            self._spool.close()
        self._spool = None
