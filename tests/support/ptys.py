"""The program on a pseudo-terminal: keys, signals, sizes, and what it shows."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Self

import pexpect

from tests.support.screens import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["PATIENCE", "Terminal"]

PATIENCE = 20.0
_STEERING = ("PRECHECK_GATE_", "HW_", "OS_", "HUAWEICLOUD_", "LC_", "LANG", "COLUMNS", "NO_COLOR")


class Terminal:
    """A running ``python -m precheck_gate``; a context manager that leaves no process behind."""

    def __init__(
        self,
        folder: Path,
        argv: Sequence[str],
        *,
        size: tuple[int, int] = (100, 24),
        environ: dict[str, str] | None = None,
        result_to: Path | None = None,
    ) -> None:
        clean = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith(_STEERING) and name not in ("FORCE_COLOR", "CI")
        }
        columns, lines = size
        command = [sys.executable, "-m", "precheck_gate", *argv]
        if result_to is not None:
            # Only stderr is the terminal then, as in "precheck-gate run ... > verdict.txt".
            command = [
                "sh",
                "-c",
                'out=$1; shift; exec "$@" >"$out"',
                "sh",
                str(result_to),
                *command,
            ]
        self._child = pexpect.spawn(
            command[0],
            command[1:],
            cwd=str(folder),
            env={
                **clean,
                "TERM": "xterm-256color",
                "LANG": "C.UTF-8",
                "PRECHECK_GATE_TOKEN": "t0ken",
                **(environ or {}),
            },
            dimensions=(lines, columns),
            encoding="utf-8",
            timeout=PATIENCE,
        )
        self.raw = ""
        self.screen = Screen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close(force=True)

    def wait_for(self, pattern: str) -> None:
        """Read until a pattern has come."""
        self._child.expect(pattern)
        self._take(self._child.before + self._child.after)

    def press_ctrl_c(self) -> None:
        self._child.sendcontrol("c")

    def terminate(self) -> None:
        self._child.kill(signal.SIGTERM)

    def resize(self, columns: int, lines: int) -> None:
        self._child.setwinsize(lines, columns)

    def finish(self) -> int:
        """Read to the end, and return the exit code."""
        self._child.expect(pexpect.EOF)
        self._take(self._child.before)
        self._child.close()
        code = self._child.exitstatus
        assert isinstance(code, int)
        return code

    def _take(self, text: str) -> None:
        self.raw += text
        self.screen.feed(text)
