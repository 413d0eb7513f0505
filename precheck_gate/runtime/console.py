"""Print lines that fit the terminal: the verdict to stdout, everything else to stderr."""

from __future__ import annotations

import errno
import os
import re
import sys
import unicodedata
from typing import TYPE_CHECKING, TextIO

from precheck_gate.errors import reason_of
from precheck_gate.safetext.cleaning import clean, hide_credentials
from precheck_gate.safetext.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precheck_gate.errors import PrecheckGateError

NARROWEST = 16


def cells(text: str) -> int:
    """Return how many columns a terminal takes for a text."""
    if text.isascii():
        return len(text)
    return sum(_cell(character) for character in text)


def _cell(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrap(
    parts: Sequence[tuple[str, str]], width: int, hang: int = 0
) -> list[list[tuple[str, str]]]:
    """Break a line of (style, text) at blanks into lines of at most ``width`` columns.

    Lines after the first have ``hang`` columns less. A word that is longer than a line (an ID, a
    path) is left to the terminal, so that it can be copied whole.
    """
    lines: list[list[tuple[str, str]]] = [[]]
    room = max(NARROWEST, width)
    used = 0
    for style, text in parts:
        for word in re.findall(r"\s+|\S+", text):
            size = cells(word)
            if used and used + size > room and not word.isspace():
                lines.append([])
                room, used = max(NARROWEST, width - hang), 0
            if word.isspace() and not used and len(lines) > 1:
                continue
            lines[-1].append((style, word))
            used += size
    return [_joined(line) for line in lines]


def indent_for(line: Sequence[tuple[str, str]], width: int, indent: int) -> int:
    """Return the indent of a line: less than ``indent`` where only so its one long word fits."""
    return max(0, min(indent, width - sum(cells(text) for _, text in line)))


def _joined(line: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join neighbours of the same style, without blanks at the end."""
    while line and line[-1][1].isspace():
        line.pop()
    joined: list[tuple[str, str]] = []
    for style, word in line:
        if joined and joined[-1][0] == style:
            joined[-1] = (style, joined[-1][1] + word)
        else:
            joined.append((style, word))
    return joined


_NARROW = 60  # columns; below it deep indents would cost too much
_RESET = "\x1b[0m"


class Style:
    """Colours of the terminal, by what they mean."""

    GOOD = "\x1b[32m"
    WARNING = "\x1b[33m"
    BAD = "\x1b[31m"
    STRONG = "\x1b[1m"
    FAINT = "\x1b[2m"


def colour_wanted(stream: TextIO) -> bool:
    """Return whether to colour: ``NO_COLOR`` and ``FORCE_COLOR`` first, else only on a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Console:
    """Prints the verdict to ``result`` (stdout), progress and errors to ``progress`` (stderr).

    A result that cannot be printed is recorded in ``failure`` and never raised.
    """

    def __init__(self, result: TextIO | None = None, progress: TextIO | None = None) -> None:
        self.result = result or sys.stdout
        self.progress = progress or sys.stderr
        self.failure: str = ""
        self.before_line: Callable[[], None] | None = None
        """Called before a line is printed, so that a live table can make room."""
        self._colour = {
            id(stream): colour_wanted(stream) for stream in (self.result, self.progress)
        }
        # What is still in the buffers is printed first, and may fail as any other print.
        self.flush()
        for stream in (self.result, self.progress):
            _escape_unknown(stream)

    def paint(self, stream: TextIO, style: str, text: str) -> str:
        """Return ``text`` made harmless, in a colour where the stream takes one."""
        return f"{style}{clean(text)}{_RESET}" if self._colour[id(stream)] else clean(text)

    def symbols(self, stream: TextIO) -> tuple[str, str, str]:
        """Return the signs for good, warning and bad that the stream can show."""
        try:
            "✓✗".encode(getattr(stream, "encoding", None) or "ascii")
        except (UnicodeEncodeError, LookupError):
            return ("ok", "!", "X")
        return ("✓", "!", "✗")

    def coloured(self, stream: TextIO) -> bool:
        """Return whether the stream takes colours."""
        return self._colour[id(stream)]

    def columns(self, stream: TextIO) -> int | None:
        """Return the width of the terminal behind a stream; None without a terminal."""
        size = _terminal_size(stream)
        return None if size is None else size.columns

    def rows(self, stream: TextIO) -> int:
        """Return the height of the terminal behind a stream."""
        size = _terminal_size(stream)
        return 24 if size is None else size.lines

    def print_parts(
        self, parts: Sequence[tuple[str, str]], *, indent: int = 0, hang: int = 0
    ) -> None:
        """Print a line of (style, text) to the result's stream, a style of "" for none.

        On a terminal it is wrapped; the first line has ``indent`` columns, further lines ``hang``
        more. In a pipe it stays one line, for grep.
        """
        safe = [(style, clean(text)) for style, text in parts]
        width = self.columns(self.result)
        if width is not None and width < _NARROW:
            indent, hang = indent // 2, hang // 2
        lines = [safe] if width is None else wrap(safe, width - indent, hang)
        for number, line in enumerate(lines):
            painted = "".join(
                self.paint(self.result, style, text) if style else text for style, text in line
            )
            left = indent + (hang if number else 0)
            if width is not None:
                left = indent_for(line, width, left)
            self.print_result(f"{' ' * left}{painted}".rstrip(" "))

    def print_result(self, line: str) -> None:
        """Print a line, already made harmless by `paint`, to the result's stream."""
        self._write(self.result, line)

    def say(self, text: str) -> None:
        """Print a line of progress; on a terminal it is wrapped at its width."""
        width = None if "\n" in text else self.columns(self.progress)
        lines = [[("", clean(text))]] if width is None else wrap([("", clean(text))], width - 2)
        self._write(self.progress, "\n  ".join("".join(part for _, part in line) for line in lines))

    def write_raw(self, text: str) -> None:
        """Write to the progress stream as it is: for the live line's own control codes."""
        self._write(self.progress, text, end="")

    def command(self, line: str) -> None:
        """Print a line to the result's stream that a CI runner reads as a command."""
        self._write(self.result, line)

    def error(self, error: PrecheckGateError) -> None:
        """Print what happened, and what to do."""
        label = self.paint(self.progress, Style.BAD, "error:")
        self._write(self.progress, f"{label} {clean(hide_credentials(error.message))}")
        if error.hint:
            self._write(self.progress, f"  next: {clean(hide_credentials(error.hint))}")

    def warn(self, text: str) -> None:
        """Print a warning."""
        label = self.paint(self.progress, Style.WARNING, "warning:")
        self._write(self.progress, f"{label} {clean(text)}")

    def flush(self) -> None:
        """Flush both streams; record a failure in ``failure``."""
        self._write(self.result, "", end="")
        self._write(self.progress, "", end="")

    def _write(self, stream: TextIO, text: str, end: str = "\n") -> None:
        # The last safety net: a credential that is printed by mistake is still masked.
        text = hide_secrets(text)
        if end and self.before_line is not None:
            self.before_line()
        try:
            stream.write(text + end)
            stream.flush()
        except (OSError, ValueError) as error:
            # A closed pipe is the reader's choice; a full disk loses the verdict.
            gone = isinstance(error, OSError) and error.errno in (errno.EPIPE, errno.EINVAL)
            _silence(stream)
            if stream is self.result and not gone and not self.failure:
                self.failure = reason_of(error)
                self.warn(
                    f"the result could not be printed: {self.failure}; "
                    "make room where the output goes, and run the gate again"
                )


def _terminal_size(stream: TextIO) -> os.terminal_size | None:
    try:
        if not stream.isatty() or os.environ.get("TERM") == "dumb":
            return None
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return None
    # A pseudo-terminal without a size says 0.
    return os.terminal_size((size.columns or 80, size.lines or 24))


def _escape_unknown(stream: TextIO) -> None:
    """Make a stream escape what its encoding cannot show."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is None:
        return
    try:
        reconfigure(errors="backslashreplace")
    except (OSError, ValueError):  # the reader is gone
        _silence(stream)
        reconfigure(errors="backslashreplace")


def _silence(stream: TextIO) -> None:
    """Point a broken stream at the null device, so that the interpreter can flush it at its end."""
    try:
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, stream.fileno())
        os.close(descriptor)
    except (OSError, ValueError):
        return
