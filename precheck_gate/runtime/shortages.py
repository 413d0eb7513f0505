"""Recognise that the machine ran out of memory, threads or file descriptors."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from precheck_gate.errors import TransientFault

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    """Return the shortage behind an error as an error that may pass; None if there is none."""
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
