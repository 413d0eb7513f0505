"""Read the input of users: a file, a named pipe, a device, stdin; with limits of size and time.

Anything but a regular file may never end. It is read in short waits, between which a signal or the
time limit ends the read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import stat
import time
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from precheck_gate.runtime.process import Interrupts


READ_SECONDS = 30.0
"""How long an input may take that is not a regular file."""
_SLICE_SECONDS = 0.1
_CHUNK = 1024 * 1024
# Opening a named pipe must not wait for its writer. Not every system has each of these.
_FLAGS = os.O_RDONLY
for _name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"):
    _FLAGS |= getattr(os, _name, 0)


class TooLarge(OSError):
    """The input is larger than the limit."""

    def __init__(self, bound: int) -> None:
        size = f"{bound >> 20} MiB" if bound >= 1 << 20 else f"{bound >> 10} KiB"
        super().__init__(errno.EFBIG, f"it is larger than {size}")


@dataclass(frozen=True, slots=True)
class _Limits:
    """What ends a read early: a signal, or a deadline on the monotonic clock."""

    interrupts: Interrupts | None = None
    deadline: float = float("inf")


_UNLIMITED = _Limits()
_limits: ContextVar[_Limits] = ContextVar("limits of reading", default=_UNLIMITED)
# The content of pipes, by device and inode: a pipe can be read only once.
_kept: dict[tuple[int, int], bytes] = {}


@contextlib.contextmanager
def reads_end_with(interrupts: Interrupts) -> Iterator[None]:
    """End every read inside with `Interrupted` when a signal comes."""
    with _limited(replace(_limits.get(), interrupts=interrupts)):
        yield


@contextlib.contextmanager
def read_before(seconds: float) -> Iterator[None]:
    """End every read inside when so many seconds are over, counted from now."""
    limits = _limits.get()
    deadline = min(limits.deadline, time.monotonic() + seconds)
    with _limited(replace(limits, deadline=deadline)):
        yield


@contextlib.contextmanager
def _limited(limits: _Limits) -> Iterator[None]:
    token = _limits.set(limits)
    try:
        yield
    finally:
        _limits.reset(token)


def read_file(path: Path, bound: int, *, keep: bool = False) -> bytes:
    """Return the whole content of a file, a named pipe or a device, up to ``bound`` bytes.

    With ``keep``, a pipe is read once, and its content returned again at the next call.

    Raises:
        TooLarge: it has more than ``bound`` bytes.
        OSError: it cannot be read, or did not end in time.
        Interrupted: a signal came, and it is not a regular file.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        identity = (status.st_dev, status.st_ino)
        if not keep or stat.S_ISREG(status.st_mode):
            return read_descriptor(descriptor, bound)
        if identity not in _kept:
            _kept[identity] = read_descriptor(descriptor, bound)
        content = _kept[identity]
        if len(content) > bound:
            raise TooLarge(bound)
        return content
    finally:
        os.close(descriptor)


def read_descriptor(descriptor: int, bound: int, *, seconds: float | None = None) -> bytes:
    """Return the content of an open descriptor, such as stdin, which stays open.

    ``seconds`` (default: `READ_SECONDS`) limits the time if it is not a regular file; the limit of
    `read_before` applies as well. Raises as `read_file` does.
    """
    content = bytearray()
    wait: Callable[[], None] = _no_wait
    if os.name == "posix" and not stat.S_ISREG(os.fstat(descriptor).st_mode):
        wait = _Wait(descriptor, READ_SECONDS if seconds is None else seconds)
    while True:
        wait()
        try:
            chunk = os.read(descriptor, min(_CHUNK, bound + 1 - len(content)))
        except BlockingIOError:
            continue
        if not chunk:
            return bytes(content)
        content += chunk
        if len(content) > bound:
            raise TooLarge(bound)


def _no_wait() -> None:
    """Return at once: a regular file can always be read."""


class _Wait:
    """Waits until there is something to read, or the end of the input."""

    def __init__(self, descriptor: int, seconds: float) -> None:
        limits = _limits.get()
        began = time.monotonic()
        self._interrupts = limits.interrupts
        self._end = min(began + seconds, limits.deadline)
        self._allowed = max(0.0, self._end - began)
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def __call__(self) -> None:
        while True:
            if self._interrupts is not None:
                self._interrupts.check()
            left = self._end - time.monotonic()
            if left <= 0:
                raise OSError(errno.ETIMEDOUT, f"it did not end within {self._allowed:.0f} s")
            # In slices: a signal that comes in the moment before the wait is seen at its end.
            if self._poll.poll(min(left, _SLICE_SECONDS) * 1000):
                return
