"""What a terminal shows: enough of one to follow what the program draws and wipes away."""

from __future__ import annotations

import re

__all__ = ["Screen"]

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
