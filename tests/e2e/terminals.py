"""The program on a pseudo-terminal: keys, signals, sizes, and what it shows."""

from __future__ import annotations

import os
import re
import signal
import sys
from typing import TYPE_CHECKING, Self

import pexpect

from tests.support.outcome import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


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


_TOKEN = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\r\n|\r|\n|[^\x1b\r\n]+")


class Screen:
    """Lines without end above, and the cursor's movements that the program uses.

    Anything that it does not know raises: a control code that nobody meant does not go unseen.
    """

    def __init__(self) -> None:
        self.lines = [""]
        self.row = 0
        self.column = 0

    def feed(self, text: str) -> None:
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            assert match is not None, text[position : position + 20]
            position = match.end()
            if match.group(2):
                self._control(match.group(2), match.group(1))
            elif "\n" in match.group():
                self._next_line()
            elif match.group() == "\r":
                self.column = 0
            else:
                self._write(match.group())

    def _control(self, letter: str, argument: str) -> None:
        match letter:
            case "m":
                return
            case "A":
                self.row = max(0, self.row - int(argument or 1))
            case "K":
                self.lines[self.row] = self.lines[self.row][: self.column]
            case "J":
                self.lines[self.row] = self.lines[self.row][: self.column]
                del self.lines[self.row + 1 :]
            case _:
                raise AssertionError(f"unknown control code {argument}{letter}")

    def _next_line(self) -> None:
        self.row += 1
        self.column = 0
        if self.row == len(self.lines):
            self.lines.append("")

    def _write(self, text: str) -> None:
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + text + line[self.column + len(text) :]
        self.column += len(text)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines).rstrip()
