"""The process: its signals, its clock, and what the machine may lack."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from precheck_gate.errors import Interrupted, TransientFault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def signal_name(signum: int) -> str:
    """Return the name of a signal, such as ``SIGTERM``."""
    return signal.Signals(signum).name


class Interrupts:
    """Remembers the first signal, and raises `Interrupted` only where the program waits.

    A second signal ends the process at once: whoever presses Ctrl-C twice means it. Reports are
    renamed into place when they are whole, so that even then none is left half-written.

    Attributes:
        received: the first signal; None while there was none.
        leftovers: temporary files, which are removed where the process ends at once.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.leftovers: set[Path] = set()
        self._waiting = False

    def install(self) -> None:
        """Take over the signals of this process."""
        for signum in _SIGNALS:
            signal.signal(signum, self._handle)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Mark a wait: a signal that came before or comes within it raises `Interrupted`."""
        self._waiting = True
        try:
            self.check()
            yield
        finally:
            self._waiting = False

    def check(self) -> None:
        """Raise `Interrupted` if a signal has come."""
        if self.received is not None:
            raise Interrupted(self.received)

    def _handle(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.received is not None:
            for path in tuple(self.leftovers):
                with contextlib.suppress(OSError):
                    path.unlink()
            os._exit(128 + signum)
        self.received = signum
        if self._waiting:
            self._waiting = False
            raise Interrupted(signum)


SLICE_SECONDS = 0.5


class Clock(Protocol):
    """Tells the time, and waits."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC; for people and reports."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back; for deadlines and ages."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``; a signal may end the wait with `Interrupted`."""
        ...


class SystemClock:
    """The computer's clock; with ``interrupts``, a signal ends its `sleep`."""

    def __init__(self, interrupts: Interrupts | None = None) -> None:
        self._interrupts = interrupts

    def now(self) -> datetime:  # noqa: D102
        return datetime.now(UTC)

    def monotonic(self) -> float:  # noqa: D102
        return time.monotonic()

    def sleep(self, seconds: float) -> None:  # noqa: D102
        if self._interrupts is None:
            time.sleep(max(0.0, seconds))
            return
        # In slices: a signal that comes in the moment before the system call is seen at its end.
        end = time.monotonic() + seconds
        with self._interrupts.waiting():
            while (rest := end - time.monotonic()) > 0:
                time.sleep(min(rest, SLICE_SECONDS))


class CountingClock:
    """Another clock, and how many seconds were waited by it."""

    def __init__(self, inner: Clock) -> None:
        self._inner = inner
        self.waited = 0.0

    def now(self) -> datetime:  # noqa: D102
        return self._inner.now()

    def monotonic(self) -> float:  # noqa: D102
        return self._inner.monotonic()

    def sleep(self, seconds: float) -> None:  # noqa: D102
        began = self._inner.monotonic()
        try:
            self._inner.sleep(seconds)
        finally:
            self.waited += self._inner.monotonic() - began


_MEMORY = "memory"
_FILES = "file descriptors"
_THREADS = "threads"
_ERRNOS = {errno.ENOMEM: _MEMORY, errno.EMFILE: _FILES, errno.ENFILE: _FILES}
_HINTS = {
    _MEMORY: "Give the job more memory, or gate fewer tasks at once.",
    _FILES: "Raise the limit of open files (ulimit -n), or run fewer jobs on this machine.",
    _THREADS: "Raise the limit of threads (ulimit -u, or the container's PID limit) or of memory.",
}
_DEPTH = 10


def shortage(error: BaseException) -> TransientFault | None:
    """Return the shortage behind an error as an error that may pass; None for other errors."""
    for one in _causes(error):
        what = _lacking(one)
        if what:
            return TransientFault(f"This machine has no {what} left.", hint=_HINTS[what])
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    one: object = error
    for _ in range(_DEPTH):
        if not isinstance(one, BaseException):
            return
        yield one
        # urllib3 has it under `reason`, requests among the arguments.
        inner = (arg for arg in one.args if isinstance(arg, BaseException))
        one = one.__cause__ or getattr(one, "reason", None) or next(inner, None)


def _lacking(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return _MEMORY
    if isinstance(error, OSError):
        return _ERRNOS.get(error.errno or 0, "")
    if isinstance(error, RuntimeError) and str(error).startswith("can't start new thread"):
        return _THREADS
    return ""


@dataclass
class Runtime:
    """The world outside that a command works with; tests pass their own."""

    interrupts: Interrupts = field(default_factory=Interrupts)
    clock: Clock | None = None

    def the_clock(self) -> Clock:
        """Return the clock, the computer's own unless another was given."""
        return self.clock or SystemClock(self.interrupts)
