"""The program as a process of its own: its lines as they come, signals, and its end."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Self

from tests.support.outcome import Outcome, check

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["PATIENCE", "Child", "redirected"]

# Long enough for a slow machine; no test waits so long unless it fails.
PATIENCE = 20.0


def _command(argv: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "precheck_gate", *argv]


class Child:
    """A running ``python -m precheck_gate``; a context manager that leaves no process behind.

    Args:
        folder: where the reports go; also its working directory.
        argv: its arguments.
        environ: variables besides those of this process.
        tell_imports: whether each import is told on stderr, which names moments of its start.
    """

    def __init__(
        self,
        folder: Path,
        argv: Sequence[str],
        environ: dict[str, str] | None = None,
        *,
        tell_imports: bool = False,
    ) -> None:
        self.folder = folder
        self.argv = _command(argv)
        if tell_imports:
            self.argv[1:1] = ["-X", "importtime"]
        self._process = subprocess.Popen(
            self.argv,
            cwd=folder,
            env={**os.environ, **(environ or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._read: dict[str, list[str]] = {"out": [], "err": []}
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        streams = (("out", self._process.stdout), ("err", self._process.stderr))
        self._readers = [
            threading.Thread(target=self._follow, args=(name, stream), daemon=True)
            for name, stream in streams
        ]
        for reader in self._readers:
            reader.start()

    def _follow(self, name: str, stream: IO[str]) -> None:
        for line in stream:
            self._read[name].append(line)
            self._lines.put(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join(PATIENCE)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stdin(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_for(self, text: str) -> str:
        """Return the next line with ``text`` in it."""
        end = time.monotonic() + PATIENCE
        while (rest := end - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=min(rest, 0.5))
            except queue.Empty:
                if not self.running:
                    break
                continue
            if text in line:
                return line
        said = "".join(self._read["out"] + self._read["err"])
        raise AssertionError(f"never said {text!r}, but:\n{said}")

    def send(self, signum: int) -> None:
        self._process.send_signal(signum)

    def finish(self, *, within: float = PATIENCE, with_reports: bool = True) -> Outcome:
        """Wait for its end, and return what it left, checked."""
        self._process.wait(within)
        for reader in self._readers:
            reader.join(PATIENCE)
        out, err = "".join(self._read["out"]), "".join(self._read["err"])
        outcome = Outcome(self._process.returncode, out, err, self.folder)
        return check(outcome, with_reports=with_reports)


def redirected(folder: Path, argv: Sequence[str], how: str) -> Outcome:
    """Run the program in a shell with a redirection such as ``>/dev/full`` or ``| head -1``."""
    shell = subprocess.run(
        # The code is kept in a file, since a pipe's is that of its last command.
        ["sh", "-c", f'{{ "$@"; echo $? >../code; }} {how}', "sh", *_command(argv)],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    code = int((folder.parent / "code").read_text())
    return check(Outcome(code, shell.stdout, shell.stderr, folder), with_reports=False)
