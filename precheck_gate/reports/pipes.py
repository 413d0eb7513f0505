"""Named pipes as places of reports: whether somebody reads them or not, no write hangs for ever."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import ReadableBuffer

    from precheck_gate.runtime.signals import Interrupts

__all__ = ["open_pipe", "stream_into"]

# The reader may be started at the same moment as the gate.
READER_SECONDS = 3.0
# A reader that takes nothing for so long has stopped reading; and where a signal asks us to end.
STALLED_SECONDS = 30.0
HURRIED_SECONDS = 1.0
_SLICE_SECONDS = 0.1


def open_pipe(path: Path, interrupts: Interrupts) -> TextIO:
    """Return a stream into a named pipe.

    Raises:
        OSError: nobody reads it.
    """
    return stream_into(_open(path, interrupts), str(path), interrupts)


def stream_into(descriptor: int, name: str, interrupts: Interrupts) -> TextIO:
    """Return a stream into a descriptor, which is closed with it; ``name`` is for messages."""
    raw = _Pipe(descriptor, name, interrupts)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", newline="\n")


def _open(path: Path, interrupts: Interrupts) -> int:
    before, end = interrupts.received, time.monotonic() + READER_SECONDS
    while True:
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        if interrupts.received != before or time.monotonic() >= end:
            raise OSError(errno.ENXIO, "nobody reads it", str(path))
        time.sleep(_SLICE_SECONDS)


class _Pipe(io.RawIOBase):
    """The end of a pipe that is written to; waits for the reader, but not for ever.

    After a signal a reader that is merely slow still gets the whole report; a second signal ends
    the process.
    """

    def __init__(self, descriptor: int, name: str, interrupts: Interrupts) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._name = name
        self._interrupts = interrupts
        self._given_up = False
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        view = memoryview(data)
        began = time.monotonic()
        while not self._given_up:
            if self._poll.poll(_SLICE_SECONDS * 1000):
                # So much a pipe takes without blocking when it is ready, whoever opened it.
                with contextlib.suppress(BlockingIOError):
                    return os.write(self._descriptor, view[: select.PIPE_BUF])
            hurried = self._interrupts.received is not None
            bound = HURRIED_SECONDS if hurried else STALLED_SECONDS
            self._given_up = time.monotonic() - began >= bound
        # Said again when the stream is closed, which must not wait once more.
        raise OSError(errno.ETIMEDOUT, "its reader has stopped reading", self._name)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()
