"""Where reports go: files that appear whole or not at all, and standard output."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Protocol, TextIO

from precheck_gate.reports.pipes import open_pipe
from precheck_gate.runtime.signals import Interrupts

__all__ = ["FileSink", "Sink", "StreamSink", "real_path"]


class Sink(Protocol):
    """A place for one report."""

    name: str

    @property
    def remark(self) -> str:
        """What the user should know of how the report was written; "" for nothing."""
        ...

    def open(self) -> TextIO:
        """Return the stream to write to; OSError when there can be none."""
        ...

    def commit(self) -> None:
        """Make what was written appear; OSError when it cannot."""
        ...

    def discard(self) -> None:
        """Leave nothing behind. Never raises."""
        ...


class StreamSink:
    """Standard output, or any stream that stays open."""

    remark = ""

    def __init__(self, stream: TextIO, name: str = "-") -> None:
        self.name = name
        self._stream = stream

    def open(self) -> TextIO:  # noqa: D102
        # The null device stands in for a stream that the caller closed.
        if getattr(self._stream, "name", "") == os.devnull:
            raise OSError(errno.EBADF, "it is closed", self.name)
        return self._stream

    def commit(self) -> None:  # noqa: D102
        self._stream.flush()

    def discard(self) -> None:  # noqa: D102
        return


_NO_FILE_BESIDE = (errno.EACCES, errno.EPERM, errno.EROFS)


class FileSink:
    """A file, written beside its target and renamed over it, so that nobody reads half a report.

    Missing folders are made. A link is followed; a device or pipe is written to as it is, a pipe
    only as long as somebody reads it. A file that cannot be replaced, such as one that is mounted
    into a container, is written in place, and empty where that fails.

    Args:
        path: the file.
        interrupts: a signal ends the wait for the reader of a pipe; a second one removes the
            temporary file.
    """

    def __init__(self, path: Path, interrupts: Interrupts | None = None) -> None:
        self.name = str(path)
        self.remark = ""
        self._interrupts = interrupts or Interrupts()
        self._target = Path(real_path(path))
        self._stream: TextIO | None = None
        self._temporary: Path | None = None

    def open(self) -> TextIO:  # noqa: D102
        if self._target.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self.name)
        if self._target.exists() and not self._target.is_file():
            if self._target.is_dir():
                raise IsADirectoryError(None, "is a directory", self.name)
            if self._target.is_fifo():
                self._stream = open_pipe(self._target, self._interrupts)
            else:
                self._stream = self._target.open("w", encoding="utf-8", newline="\n")
            return self._stream
        self._target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._stream = self._beside_target()
        except OSError as error:
            # Where the file may be written and its folder not, it is mounted there.
            if error.errno not in _NO_FILE_BESIDE or not os.access(self._target, os.W_OK):
                raise
            self._stream = tempfile.TemporaryFile(  # noqa: SIM115  # `commit` closes it
                "w+", encoding="utf-8", newline="\n"
            )
        return self._stream

    def _beside_target(self) -> TextIO:
        name = f".{self._target.name[:100]}.{secrets.token_hex(6)}.tmp"
        self._temporary = self._target.parent / name
        # Before it is there: a second signal may come in between.
        self._interrupts.leftovers.add(self._temporary)
        try:
            descriptor = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            self._forget_temporary()
            raise
        return os.fdopen(descriptor, "w+", encoding="utf-8", newline="\n")

    def _forget_temporary(self) -> None:
        if self._temporary is not None:
            self._interrupts.leftovers.discard(self._temporary)
        self._temporary = None

    @property
    def divisible(self) -> bool:
        """Whether further files may stand beside it: not where it is a device or a pipe."""
        return self._target.is_file() or not self._target.exists()

    def beside(self, number: int) -> FileSink:
        """Return the sink of the part ``number`` of the same report."""
        path = Path(self.name)
        return FileSink(path.with_name(f"{path.stem}-{number}{path.suffix}"), self._interrupts)

    def commit(self) -> None:  # noqa: D102
        if self._stream is None:
            raise OSError(None, "was not opened", self.name)
        self._stream.flush()
        if self._temporary is not None:
            os.fsync(self._stream.fileno())
            self._temporary.chmod(self._mode())
            try:
                self._temporary.replace(self._target)
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                self._write_in_place(self._stream)
                self._temporary.unlink()
            self._forget_temporary()
        elif self.divisible:
            self._write_in_place(self._stream)
        self._stream.close()

    def _write_in_place(self, written: TextIO) -> None:
        """Write over the target what was written elsewhere."""
        written.seek(0)
        try:
            with self._target.open("w", encoding="utf-8", newline="\n") as target:
                shutil.copyfileobj(written, target)
                target.flush()
                os.fsync(target.fileno())
        except OSError:
            # Neither an earlier report nor half of this one may be taken for it.
            with contextlib.suppress(OSError):
                os.truncate(self._target, 0)
            raise
        self.remark = "it was written in place, since the file cannot be replaced"

    def withdraw(self) -> None:
        """Remove a report that no longer holds; where that fails, empty it. Never raises."""
        try:
            self._target.unlink(missing_ok=True)
        except OSError:
            with contextlib.suppress(OSError):
                os.truncate(self._target, 0)

    def _mode(self) -> int:
        """Return the mode of the file that is replaced, or what the umask leaves of 0666."""
        with contextlib.suppress(OSError):
            return stat.S_IMODE(self._target.stat().st_mode)
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask

    def discard(self) -> None:  # noqa: D102
        with contextlib.suppress(OSError):
            if self._stream is not None:
                self._stream.close()
        with contextlib.suppress(OSError):
            if self._temporary is not None:
                self._temporary.unlink()
        self._forget_temporary()


def real_path(path: str | Path) -> str:
    """Return where a path leads; never raises, whatever the first use of it may meet.

    Unlike Path.resolve, this does not fail on a link that leads to itself.
    """
    try:
        return os.path.realpath(path)
    except OSError:  # a link that may not be read, such as one of another user's process
        return os.path.abspath(path)  # noqa: PTH100
