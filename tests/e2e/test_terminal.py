"""A real (pseudo-)terminal: the live line, colours, the width, and Ctrl-C as a key."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.e2e.outcome import ID, OTHER, Outcome, check
from tests.e2e.processes import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Gate, Serve

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")

PENDING = f"""
version: 1
tasks:
  - {{id: {ID}, answer: mysql}}
  - {{id: {OTHER}, answer: mysql, duration: 1h}}
"""
QUICK = f"version: 1\ntasks: [{{id: {ID}, answer: mysql, duration: 3s}}]\n"
ERASE = "\r\x1b[2K"
COLOUR = re.compile("\x1b\\[[0-9;]*m")
LIVE = "1 of 2 done"


class Terminal:
    """The program on a pseudo-terminal; keys are typed, and all that is shown is kept."""

    def __init__(self, gate: Gate, argv: list[str], columns: int, environ: dict[str, str]) -> None:
        self._gate = gate
        self._child = pexpect.spawn(
            sys.executable,
            ["-m", "precheck_gate", *argv],
            cwd=str(gate.folder),
            env={**os.environ, "TERM": "xterm-256color", **environ},
            dimensions=(24, columns),
            encoding="utf-8",
            timeout=PATIENCE,
        )
        self._shown = ""

    def wait_for(self, text: str) -> None:
        self._child.expect_exact(text)
        self._shown += self._child.before + text

    def press(self, key: str) -> None:
        self._child.sendcontrol(key)

    def finish(self) -> Outcome:
        self._child.expect(pexpect.EOF)
        self._shown += self._child.before
        self.close()
        code = self._child.exitstatus
        assert code is not None
        return check(Outcome(code, self._shown, "", self._gate.folder))

    def close(self) -> None:
        self._child.close(force=True)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def open_terminal(
    terminals: list[Terminal],
    gate: Gate,
    url: str,
    *options: str,
    columns: int = 120,
    tasks: tuple[str, ...] = (ID, OTHER),
    environ: dict[str, str] | None = None,
) -> Terminal:
    argv = gate.arguments(url, "--interval", "1s", *options, tasks=tasks)
    terminals.append(Terminal(gate, argv, columns, environ or {}))
    return terminals[-1]


def live_lines(text: str) -> list[str]:
    """Return what was shown between an erased line and the next: the live line's states."""
    return [part for part in text.split(ERASE) if "next question" in part or " done" in part]


def test_ctrl_c_ends_the_live_line_and_the_run(
    gate: Gate, serve_now: Serve, terminals: list[Terminal]
) -> None:
    terminal = open_terminal(terminals, gate, serve_now(PENDING).url)
    terminal.wait_for(LIVE)
    terminal.press("c")
    outcome = terminal.finish()
    assert outcome.code == 130
    outcome.says("INCOMPLETE", "interrupted; writing what is known")
    assert outcome.report["interrupted_by"] == "SIGINT"
    # The live line is wiped away before what stays is written.
    assert not re.search(r"left[^\r\n]*interrupted; writing", outcome.text)
    assert ERASE in outcome.text


def test_the_live_line_gives_way_to_the_verdict(
    gate: Gate, serve_now: Serve, terminals: list[Terminal]
) -> None:
    outcome = open_terminal(terminals, gate, serve_now(QUICK).url, tasks=(ID,)).finish()
    assert outcome.code == 0
    assert live_lines(outcome.text)
    assert all("\n" not in line for line in live_lines(outcome.text))
    final = outcome.text.rsplit(ERASE, 1)[1]
    assert "PASSED" in final
    assert COLOUR.search(final)


@pytest.mark.parametrize("columns", [40, 20])
def test_the_live_line_never_wraps(
    gate: Gate, serve_now: Serve, terminals: list[Terminal], columns: int
) -> None:
    terminal = open_terminal(terminals, gate, serve_now(PENDING).url, columns=columns)
    terminal.wait_for("[00:00] 1 of 2")
    terminal.wait_for(ERASE)
    terminal.press("c")
    outcome = terminal.finish()
    lines = [part for part in outcome.text.split(ERASE) if re.match(r"\[\d\d:\d\d\] 1 of 2", part)]
    assert lines
    # The terminal itself shows the key as ^C behind the line.
    assert all(len(line.split("^C")[0]) < columns for line in lines)


@pytest.mark.parametrize(
    ("environ", "live", "coloured"),
    [
        ({"NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False, True),
    ],
    ids=["NO_COLOR", "TERM=dumb", "dumb but FORCE_COLOR"],
)
def test_the_terminal_is_taken_at_its_word(
    gate: Gate,
    serve_now: Serve,
    terminals: list[Terminal],
    environ: dict[str, str],
    live: bool,
    coloured: bool,
) -> None:
    terminal = open_terminal(terminals, gate, serve_now(QUICK).url, tasks=(ID,), environ=environ)
    outcome = terminal.finish()
    assert outcome.code == 0
    assert (ERASE in outcome.text) == live
    assert bool(COLOUR.search(outcome.text)) == coloured
    if not live:
        assert ("\x1b" in outcome.text) == coloured


def test_quiet_has_no_live_line(gate: Gate, serve_now: Serve, terminals: list[Terminal]) -> None:
    terminal = open_terminal(terminals, gate, serve_now(QUICK).url, "--quiet", tasks=(ID,))
    outcome = terminal.finish()
    assert outcome.code == 0
    assert ERASE not in outcome.text
    assert "PASSED" in outcome.text


def test_an_ascii_terminal_gets_ascii(
    gate: Gate, serve_now: Serve, terminals: list[Terminal]
) -> None:
    terminal = open_terminal(
        terminals, gate, serve_now(QUICK).url, tasks=(ID,), environ={"PYTHONIOENCODING": "ascii"}
    )
    outcome = terminal.finish()
    assert outcome.code == 0
    assert outcome.text.isascii()


def test_forced_colour_without_a_terminal(gate: Gate, serve_now: Serve) -> None:
    """A CI system that shows colours asks for them; the live line stays a terminal's."""
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("FORCE_COLOR", "1")
        with gate.start(*gate.arguments(serve_now("mysql").url)) as child:
            outcome = child.finish()
    assert COLOUR.search(outcome.out)
    assert ERASE not in outcome.text
