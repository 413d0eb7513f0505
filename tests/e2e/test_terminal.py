"""A real (pseudo-)terminal: the verdict after the live table, and Ctrl-C as a key.

What the table looks like is tested in tests/e2e/test_live.py.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.support.outcome import ID, OTHER, PATIENCE, Outcome, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.gate import Gate, Serve

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")

PENDING = f"""
version: 1
tasks:
  - {{id: {ID}, answer: mysql}}
  - {{id: {OTHER}, answer: mysql, duration: 1h}}
"""
QUICK = f"version: 1\ntasks: [{{id: {ID}, answer: mysql, duration: 1s}}]\n"
ERASE = "\x1b[J"
COLOUR = re.compile("\x1b\\[[0-9;]*m")
LIVE = "1 of 2 done"


class Terminal:
    """The program on a pseudo-terminal; keys are typed, and all that is shown is kept."""

    def __init__(self, gate: Gate, argv: list[str], environ: dict[str, str]) -> None:
        self._gate = gate
        self._child = pexpect.spawn(
            sys.executable,
            ["-m", "precheck_gate", *argv],
            cwd=str(gate.folder),
            env={**os.environ, "TERM": "xterm-256color", **environ},
            dimensions=(24, 120),
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
    tasks: tuple[str, ...] = (ID, OTHER),
    environ: dict[str, str] | None = None,
) -> Terminal:
    argv = gate.arguments(url, "--interval", "1s", *options, tasks=tasks)
    terminals.append(Terminal(gate, argv, environ or {}))
    return terminals[-1]


def test_ctrl_c_ends_the_live_table_and_the_run(
    gate: Gate, serve_now: Serve, terminals: list[Terminal]
) -> None:
    terminal = open_terminal(terminals, gate, serve_now(PENDING).url)
    terminal.wait_for(LIVE)
    terminal.press("c")
    outcome = terminal.finish()
    assert outcome.code == 130
    outcome.says("INCOMPLETE", "interrupted; writing the reports")
    assert outcome.report["interrupted_by"] == "SIGINT"
    # The live table is wiped away before what stays is written.
    assert LIVE not in outcome.text.rsplit(ERASE, 1)[1]


def test_the_live_table_gives_way_to_the_verdict(
    gate: Gate, serve_now: Serve, terminals: list[Terminal]
) -> None:
    outcome = open_terminal(terminals, gate, serve_now(QUICK).url, tasks=(ID,)).finish()
    assert outcome.code == 0
    assert "of 1 done" in outcome.text
    final = outcome.text.rsplit(ERASE, 1)[1]
    assert "PASSED" in final
    assert COLOUR.search(final)


def test_quiet_has_no_live_table(gate: Gate, serve_now: Serve, terminals: list[Terminal]) -> None:
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
    """A CI system that shows colours asks for them; the live table stays a terminal's."""
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("FORCE_COLOR", "1")
        with gate.start(*gate.arguments(serve_now("mysql").url)) as child:
            outcome = child.finish()
    assert COLOUR.search(outcome.out)
    assert ERASE not in outcome.text
