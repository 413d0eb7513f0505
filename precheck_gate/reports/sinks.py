"""Where reports go: files that appear whole or not at all, standard output, pipes, descriptors.

A path such as ``/dev/stderr`` names an open descriptor. What is behind it belongs to others, such
as a redirected log or a pipe to another program: it is appended to, and never replaced.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import secrets
import select
import shutil
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from precheck_gate.reports.base import copy_spool, open_spool
from precheck_gate.runtime.process import Interrupts

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from _typeshed import ReadableBuffer

PART_MARK = "precheck-gate: a further part of a larger report"
"""A mark near the top of every part but the first, which identifies it as ours."""

READER_SECONDS = 3.0  # to wait for a pipe's reader, which may be started together with the gate
STALLED_SECONDS = 30.0  # without progress until a reader is given up
HURRIED_SECONDS = 1.0  # the same, after a signal asked us to end
_SLICE_SECONDS = 0.1

_MARK_BYTES = 1_000  # at the top of a file, where PART_MARK is looked for
_MAX_LINKS = 40
_DESCRIPTORS = re.compile(r"/proc/([0-9]+)(?:/task/[0-9]+)?/fd")
_NO_FILE_BESIDE = (errno.EACCES, errno.EPERM, errno.EROFS)


class Sink(Protocol):
    """A place for one report."""

    name: str

    @property
    def remark(self) -> str:
        """What the user should know about how the report was written; "" for nothing."""
        ...

    def open(self) -> TextIO:
        """Return the stream to write to; OSError if there can be none."""
        ...

    def commit(self) -> None:
        """Make what was written appear; OSError if that fails."""
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
        # The null device replaces a stream that the caller closed.
        if getattr(self._stream, "name", "") == os.devnull:
            raise OSError(errno.EBADF, "it is closed", self.name)
        return self._stream

    def commit(self) -> None:  # noqa: D102
        self._stream.flush()

    def discard(self) -> None:  # noqa: D102
        return


class FileSink:
    """A file, written beside its target and renamed over it, so that nobody reads half a report.

    Missing folders are made. A link is followed. A device or pipe is written to directly, a pipe
    only while somebody reads it. A file that cannot be replaced, such as one that is mounted into a
    container, is written in place, and emptied if that fails.

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
                self._stream = _open_pipe(self._target, self._interrupts)
            else:
                self._stream = self._target.open("w", encoding="utf-8", newline="\n")
            return self._stream
        self._target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._stream = self._beside_target()
        except OSError as error:
            # A file that may be written in a folder that may not is mounted there.
            if error.errno not in _NO_FILE_BESIDE or not os.access(self._target, os.W_OK):
                raise
            self._stream = tempfile.TemporaryFile(  # noqa: SIM115  # `commit` closes it
                "w+", encoding="utf-8", newline="\n"
            )
        return self._stream

    def _beside_target(self) -> TextIO:
        name = f".{self._target.name[:100]}.{secrets.token_hex(6)}.tmp"
        self._temporary = self._target.parent / name
        # Before the file is there: a second signal may come in between.
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
        """Whether there may be further files beside it: not if it is a device or a pipe."""
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
        """Copy over the target what was written elsewhere."""
        written.seek(0)
        try:
            with self._target.open("w", encoding="utf-8", newline="\n") as target:
                shutil.copyfileobj(written, target)
                target.flush()
                os.fsync(target.fileno())
        except OSError:
            # Nobody may take an earlier report, or half of this one, for this one.
            with contextlib.suppress(OSError):
                os.truncate(self._target, 0)
            raise
        self.remark = "written in place, because the file cannot be replaced"

    def withdraw(self) -> None:
        """Remove a report that no longer holds, or empty it if that fails. Never raises."""
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
    """Return where a path leads; unlike `Path.resolve`, never raises."""
    try:
        return os.path.realpath(path)
    except OSError:  # a link that may not be read, such as one of another user's process
        return os.path.abspath(path)  # noqa: PTH100


class Parts:
    """A report in several files: ``junit.xml``, and beside it ``junit-2.xml`` and so on.

    All of them appear when the report is complete, the first one last. Parts that an earlier,
    larger report left are removed then. A number is skipped if its file exists and is not a part.

    Args:
        first: the sink of the first file, already open.
    """

    def __init__(self, first: FileSink) -> None:
        self.name = first.name
        self._first = first
        self._further: list[FileSink] = []
        self._next = 2

    @property
    def remark(self) -> str:  # noqa: D102
        return next(filter(None, (sink.remark for sink in (self._first, *self._further))), "")

    @property
    def further(self) -> list[str]:
        """The names of the files after the first."""
        return [sink.name for sink in self._further]

    def open(self) -> TextIO:  # noqa: D102
        return self._first.open()

    def more(self) -> TextIO:
        """Open one more file; OSError if that fails."""
        while (path := Path((sink := self._first.beside(self._next)).name)).exists():
            if _is_part(path):
                break
            self._next += 1
        self._next += 1
        self._further.append(sink)
        return sink.open()

    def commit(self) -> None:  # noqa: D102
        for sink in (*self._further, self._first):
            sink.commit()
        ours = set(self.further)
        for path in self._old_parts():
            if str(path) not in ours:
                path.unlink(missing_ok=True)

    def discard(self) -> None:  # noqa: D102
        for sink in (self._first, *self._further):
            sink.discard()

    def _old_parts(self) -> list[Path]:
        like = Path(self._first.beside(0).name)
        before, _, after = like.name.rpartition("0")
        number = re.compile(f"{re.escape(before)}[1-9][0-9]*{re.escape(after)}")
        beside = [path for path in like.parent.iterdir() if number.fullmatch(path.name)]
        return [path for path in sorted(beside) if _is_part(path)]


def _is_part(path: Path) -> bool:
    """Return whether a file is a part of an earlier report."""
    with contextlib.suppress(OSError):
        if path.is_file():
            with path.open("rb") as file:
                return PART_MARK.encode("ascii") in file.read(_MARK_BYTES)
    return False


@dataclass(frozen=True, slots=True)
class OpenDescriptor:
    """A descriptor that a path names: one of this process, or the ``path`` of another's."""

    number: int
    path: Path | None = None

    def duplicate(self) -> int:
        """Return a descriptor that writes at the position of the original.

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
    for _ in range(_MAX_LINKS):
        folder = real_path(place.parent)
        place = Path(folder, place.name)
        of_process = _DESCRIPTORS.fullmatch(folder)
        if place.name.isdecimal() and (of_process or folder in ours):
            own = folder in ours or (of_process and int(of_process[1]) == os.getpid())
            return OpenDescriptor(int(place.name), None if own else place)
        try:
            place = Path(folder, place.readlink())
        except OSError:  # not a link, or not there
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
        self._context: AbstractContextManager[TextIO] | None = None
        self._spool: TextIO | None = None

    def open(self) -> TextIO:  # noqa: D102
        os.close(self._descriptor.duplicate())  # fail early if it is not open
        self.discard()
        self._context = open_spool()
        self._spool = self._context.__enter__()
        return self._spool

    def commit(self) -> None:  # noqa: D102
        if self._spool is None:
            raise OSError(None, "was not opened", self.name)
        with _stream_into(self._descriptor.duplicate(), self.name, self._interrupts) as out:
            copy_spool(self._spool, out)
        self.discard()

    def discard(self) -> None:  # noqa: D102
        if self._context is not None:
            self._context.__exit__(None, None, None)
        self._context = self._spool = None


def _open_pipe(path: Path, interrupts: Interrupts) -> TextIO:
    """Return a stream into a named pipe; OSError if nobody reads it."""
    before, end = interrupts.received, time.monotonic() + READER_SECONDS
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            return _stream_into(descriptor, str(path), interrupts)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        if interrupts.received != before or time.monotonic() >= end:
            raise OSError(errno.ENXIO, "nobody reads it", str(path))
        time.sleep(_SLICE_SECONDS)


def _stream_into(descriptor: int, name: str, interrupts: Interrupts) -> TextIO:
    """Return a stream into a descriptor, which is closed with it; ``name`` is for messages."""
    raw = _Pipe(descriptor, name, interrupts)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", newline="\n")


class _Pipe(io.RawIOBase):
    """The writing end of a pipe; waits for the reader, but not for ever.

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
                # A pipe that is ready takes so much without blocking, whoever opened it.
                with contextlib.suppress(BlockingIOError):
                    return os.write(self._descriptor, view[: select.PIPE_BUF])
            hurried = self._interrupts.received is not None
            limit = HURRIED_SECONDS if hurried else STALLED_SECONDS
            self._given_up = time.monotonic() - began >= limit
        # Raised again when the stream is closed, which must not wait once more.
        raise OSError(errno.ETIMEDOUT, "its reader has stopped reading", self._name)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()
