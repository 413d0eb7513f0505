"""What is printed at the end: how much of it, how wide, and of many tasks each cause once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from precheck_gate.runtime.console import cells, indent_for, wrap
from precheck_gate.runtime.process import SystemClock
from precheck_gate.simulator.scenario import builtin_scenario
from precheck_gate.simulator.server import Simulator
from tests.support.evaluating import (
    BLOCKED,
    ID,
    answer,
    evaluate,
    item,
    task,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_short_tells_what_blocks_in_a_line_each(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [BLOCKED], "--summary", "short")
    lines = done.out.decode().splitlines()
    assert lines[0] == "✗ BLOCKED  1 of 2 tasks must not start; 1 may"
    assert lines[-1].startswith("exit     1 (blocked")
    assert len(lines) == 1 + 4 + 1
    assert all(line.startswith("  ✗ ") for line in lines[1:-1])
    assert done.report["verdict"] == "blocked"


def test_short_tells_the_code_of_an_error_without_a_message(tmp_path: Path) -> None:
    said = evaluate(tmp_path, [answer(task(error_code="DRS.M00289"))], "--summary", "short")
    assert "without a message (DRS.M00289)" in said.out.decode()
    both = answer(task(error_code="DRS.M00289", error_msg="gone (DRS.M00289)"))
    said = evaluate(tmp_path, [both], "--summary", "short")
    assert said.out.decode().count("DRS.M00289") == 1


def test_none_tells_the_exit_code_alone(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [BLOCKED], "--summary", "none")
    assert done.out.decode() == "exit     1 (blocked: at least one task must not start)\n"


def test_the_environment_chooses_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "precheck_gate", "run", "--help"], capture_output=True, text=True
    )
    assert "--summary [full|short|none]" in done.stdout


def test_an_allowed_item_is_one_line(tmp_path: Path) -> None:
    fine = answer(task(ID, item("a", "PASSED"), item("b", "PASSED")))
    lines = evaluate(tmp_path, [fine], "--verbose").out.decode().splitlines()
    found = [at for at, line in enumerate(lines) if " is PASSED" in line]
    assert len(found) == 2
    assert found[1] == found[0] + 1
    assert re.fullmatch(
        r"      a is PASSED  builtin:default:[0-9]+ statuses\.PASSED", lines[found[0]]
    )


def wave(number: int) -> list[bytes]:
    bad = item("srcDbBinlogIsOff", "FAILED", failed_reason="OFF", raw_error_msg="log_bin is OFF")
    tasks = [task(f"{n:08x}-88ad-43c8-811c-{n:07d}jb101", bad, result=False) for n in range(number)]
    return [answer(*tasks)]


def test_a_wave_has_each_cause_once(tmp_path: Path) -> None:
    said = evaluate(tmp_path, wave(60)).out.decode()
    assert said.count("srcDbBinlogIsOff is FAILED") == 1
    assert "60 tasks: 00000000-88ad-43c8-811c-0000000jb101, " in said
    assert " and 57 more" in said
    assert "… and 20 more tasks blocked; see the reports" in said


def test_a_green_wave_is_short(tmp_path: Path) -> None:
    tasks = [task(f"{n:08x}-88ad-43c8-811c-{n:07d}jb101") for n in range(60)]
    said = evaluate(tmp_path, [answer(*tasks)]).out.decode()
    assert "60 tasks may start" in said
    assert "… and 50 more tasks passed; see the reports" in said


def test_many_causes_end_with_a_number(tmp_path: Path) -> None:
    items = [item(f"check{n}", "FAILED") for n in range(40)]
    said = evaluate(tmp_path, [answer(task("a" * 36, *items, result=False))]).out.decode()
    assert said.count("is FAILED") == 25
    assert "… and 15 more causes; see the reports" in said


def test_each_sub_task_is_named(tmp_path: Path) -> None:
    subs = [{"id": f"sub-{n}", "name": f"orders-{n}", "check_result": "FAILED"} for n in range(3)]
    checked = item("tables", "FAILED", failed_sub_jobs=subs)
    said = evaluate(tmp_path, [answer(task("a" * 36, checked, result=False))]).out.decode()
    for number in range(3):
        assert f"orders-{number}" in said


def test_a_pipe_never_wraps(tmp_path: Path) -> None:
    long = "word " * 60
    bad = item("a", "FAILED", raw_error_msg=long.strip())
    said = evaluate(tmp_path, [answer(task("a" * 36, bad, result=False))]).out.decode()
    assert f"raw error: {long.strip()[:200]}" in said


@pytest.mark.parametrize("width", [20, 40, 80])
def test_wrapped_lines_fit_and_lose_no_word(width: int) -> None:
    text = "The binary log of the source 数据库 database is off, switch it on and restart it."
    lines = wrap([("bold", "next: "), ("", text)], width, 4)
    plain = ["".join(part for _, part in line) for line in lines]
    assert cells(plain[0]) <= width
    assert all(cells(line) <= width - 4 for line in plain[1:])
    assert " ".join(plain) == f"next: {text}"
    assert lines[0][0] == ("bold", "next: ") or lines[0][0] == ("bold", "next:")


def test_an_id_is_never_broken() -> None:
    name = "140b5236-88ad-43c8-811c-1268453jb101"
    assert name in ["".join(part for _, part in line) for line in wrap([("", f"a {name}")], 20)]


def test_an_id_and_its_comma_stay_together_on_a_narrow_terminal() -> None:
    line = [("", "140b5236-88ad-43c8-811c-1268453jb101,")]
    assert indent_for(line, 80, 6) == 6
    assert indent_for(line, 40, 4) == 3
    assert indent_for(line, 20, 4) == 0


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]])
def test_help_does_not_load_rich(arguments: list[str]) -> None:
    assert not _rich_is_loaded(arguments)


def test_a_log_does_not_load_rich(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken")
    report = tmp_path / "report.json"
    with Simulator(builtin_scenario("mysql"), SystemClock()) as simulator:
        arguments = [
            "--endpoint",
            simulator.url,
            "--project-id",
            "054ba152d480d55b2f5dc0069e7ddef0",
        ]
        arguments += ["--token-file", str(tmp_path / "token"), "--report", f"json={report}"]
        assert not _rich_is_loaded(["run", ID, *arguments])
    assert json.loads(report.read_bytes())["verdict"] == "passed"


def _rich_is_loaded(arguments: list[str]) -> bool:
    program = (
        "import sys\n"
        "from precheck_gate.__main__ import run_main\n"
        "run_main(sys.argv[1:])\n"
        "print('rich loaded:', 'rich' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60
    )
    return "rich loaded: True" in done.stdout
