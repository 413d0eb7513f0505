"""SIGINT and SIGTERM: they end a wait at once, and interrupt nothing else."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from precheck_gate.errors import Interrupted

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
