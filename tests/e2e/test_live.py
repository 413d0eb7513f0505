"""The live table on a real pseudo-terminal, from the first question to the verdict."""

from __future__ import annotations

import contextlib
import re
import sys
from typing import TYPE_CHECKING, Protocol

import pytest

from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.runtime.process import SystemClock
from precheck_gate.simulator.scenario import load_scenario
from precheck_gate.simulator.server import Simulator

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals", allow_module_level=True)

from tests.e2e.terminals import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = "054ba152d480d55b2f5dc0069e7ddef0"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
HIDE_CURSOR = "\x1b[?25l"


def task_id(number: int) -> str:
    return f"{number:08x}-88ad-43c8-811c-{number:07d}jb101"


def scenario(*durations: str, more: str = "") -> str:
    tasks = "\n".join(
        f"  - {{id: {task_id(number)}, answer: mysql, duration: {duration}}}"
        for number, duration in enumerate(durations, 1)
    )
    return f"version: 1\ntasks:\n{tasks}\n{more}"


class Open(Protocol):
    def __call__(
        self,
        text: str,
        *options: str,
        tasks: int = 1,
        size: tuple[int, int] = (100, 24),
        environ: dict[str, str] | None = None,
        result_to: Path | None = None,
    ) -> Terminal: ...


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Open]:
    """Run a scenario behind the program on a terminal."""
    with contextlib.ExitStack() as stack:

        def start(
            text: str,
            *options: str,
            tasks: int = 1,
            size: tuple[int, int] = (100, 24),
            environ: dict[str, str] | None = None,
            result_to: Path | None = None,
        ) -> Terminal:
            loaded = load_scenario(parse_document(text, "test.yaml"))
            url = stack.enter_context(Simulator(loaded, SystemClock())).url
            named = [task_id(number) for number in range(1, tasks + 1)]
            argv = ["run", *named, "--endpoint", url, "--project-id", PROJECT, *options]
            terminal = Terminal(tmp_path, argv, size=size, environ=environ, result_to=result_to)
            return stack.enter_context(terminal)

        yield start


def test_the_table_shows_each_task(open_terminal: Open) -> None:
    terminal = open_terminal(scenario("0s", "1h"), "--interval", "30s", tasks=2)
    terminal.wait_for("next poll in 30 s")
    shown = terminal.screen.text
    assert re.search(r"1 of 2 done  ━+╌+  +50 %", shown)
    assert re.search(r"✓ 00000001  ━+ 100 %  39✓  passed", shown)
    assert re.search(r"▸ 00000002  ╌+   0 %  no items yet +now", shown)


def test_the_table_gives_way_to_the_verdict(open_terminal: Open) -> None:
    terminal = open_terminal(scenario("1s"), "--interval", "1s")
    terminal.wait_for("0 of 1 done")
    assert terminal.finish() == 0
    final = terminal.screen.text
    assert "PASSED  1 task may start" in final
    assert "next poll" not in final
    assert "of 1 done" not in final
    assert HIDE_CURSOR not in terminal.raw


@pytest.mark.parametrize("by_key", [True, False], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupt_leaves_the_terminal_clean(open_terminal: Open, by_key: bool) -> None:
    terminal = open_terminal(scenario("1h"), "--interval", "30s")
    terminal.wait_for("next poll in 30 s")
    if by_key:
        terminal.press_ctrl_c()
    else:
        terminal.terminate()
    assert terminal.finish() == (130 if by_key else 143)
    final = terminal.screen.text
    assert "interrupted; writing the reports" in final
    assert "INCOMPLETE" in final
    assert "Traceback" not in final
    assert "next poll" not in final
    assert HIDE_CURSOR not in terminal.raw


def test_a_wait_counts_down(open_terminal: Open) -> None:
    terminal = open_terminal(scenario("1h"), "--interval", "9s")
    terminal.wait_for("next poll in 9 s")
    terminal.wait_for("next poll in [78] s")
    terminal.wait_for("[1-3] s ago")


def test_throttling_is_told_in_words(open_terminal: Open) -> None:
    more = "faults:\n  - {when: {request: 1-}, status: 429, retry_after: 9}\n"
    terminal = open_terminal(scenario("1s", more=more))
    terminal.wait_for("throttled, retry in 9 s")
    terminal.wait_for("throttled, retry in [78] s")


@pytest.mark.parametrize("columns", [20, 40, 140])
def test_no_line_is_wider_than_the_terminal(open_terminal: Open, columns: int) -> None:
    terminal = open_terminal(scenario("1h", "1h"), tasks=2, size=(columns, 24))
    terminal.wait_for("next")
    terminal.wait_for("next")
    frames = terminal.raw.split("\x1b[J")[:-1]
    for frame in frames:
        drawn = [line for line in frame.split("\r\n") if line.endswith("\x1b[K")]
        for line in drawn:
            assert len(re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "", line)) < columns


def test_a_narrower_window_leaves_nothing_behind(open_terminal: Open) -> None:
    terminal = open_terminal(scenario("1h"), "--interval", "30s", size=(140, 24))
    terminal.wait_for("next poll in 30 s")
    terminal.resize(50, 24)
    terminal.wait_for("next poll in 2[0-8] s")
    # The lines of before are now folded: the program goes up over all of their rows.
    moves = [int(number) for number in re.findall(r"\x1b\[([0-9]+)A", terminal.raw)]
    assert max(moves) > min(moves) >= 3


def test_more_tasks_than_rows_are_counted_in_one(open_terminal: Open) -> None:
    durations = ["1h"] * 30
    terminal = open_terminal(scenario(*durations), tasks=30, size=(80, 12))
    terminal.wait_for("next poll")
    text = terminal.screen.text
    table = text[text.index("0 of 30 done") :].splitlines()
    assert len(table) <= 11
    assert re.search(r"… 22 more: 22 running", text)


@pytest.mark.parametrize(
    ("environ", "live", "coloured"),
    [
        ({}, True, True),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False, True),
    ],
    ids=["plain", "NO_COLOR", "both", "dumb", "dumb and forced"],
)
def test_the_terminal_is_taken_at_its_word(
    open_terminal: Open, environ: dict[str, str], live: bool, coloured: bool
) -> None:
    terminal = open_terminal(scenario("0s"), environ=environ)
    assert terminal.finish() == 0
    assert ("\x1b[K" in terminal.raw) == live
    assert bool(COLOUR.search(terminal.raw)) == coloured
    if not live:
        assert "100 %, 39 items, result true" in terminal.raw


def test_a_terminal_without_unicode_gets_ascii(open_terminal: Open) -> None:
    environ = {"PYTHONIOENCODING": "ascii"}
    terminal = open_terminal(scenario("1s"), "--interval", "1s", environ=environ)
    terminal.wait_for("0 of 1 done .*--")
    assert terminal.finish() == 0
    assert terminal.raw.isascii()
    assert "ok PASSED" in terminal.screen.text


def test_the_table_does_not_stand_in_the_way_of_other_lines(open_terminal: Open) -> None:
    terminal = open_terminal(scenario("1s"), "--interval", "1s", "--debug-http")
    assert terminal.finish() == 0
    final = terminal.screen.text
    assert "of 1 done" not in final
    assert re.search(r"batch-precheck-result", final)


def test_what_others_wrote_is_neither_markup_nor_control(open_terminal: Open) -> None:
    more = (
        "faults:\n  - {when: {request: 1-}, status: 400, shape: batch, code: DRS.M1, "
        'message: "[red]hot[/red] \\e[2J"}\n'
    )
    terminal = open_terminal(scenario("1h", more=more), "--grace", "1s", "--interval", "1s")
    terminal.wait_for(re.escape("[red]hot[/red]"))
    terminal.finish()


def test_a_report_on_the_screen_stands_below_no_table(open_terminal: Open) -> None:
    terminal = open_terminal(scenario("0s"), "--report", "json=-", "--summary", "none")
    assert terminal.finish() == 0
    final = terminal.screen.text
    assert "of 1 done" not in final
    assert '"verdict": "passed"' in final
    assert final.endswith("exit     0 (passed, or passed with warnings)")


def test_the_last_table_stays_where_the_verdict_goes_elsewhere(
    open_terminal: Open, tmp_path: Path
) -> None:
    verdict = tmp_path / "verdict.txt"
    terminal = open_terminal(scenario("0s"), result_to=verdict)
    assert terminal.finish() == 0
    assert "1 of 1 done" in terminal.screen.text
    assert "PASSED" not in terminal.screen.text
    said = verdict.read_text("utf-8")
    assert said.startswith("✓ PASSED  1 task may start\n")
    assert "\x1b" not in said
