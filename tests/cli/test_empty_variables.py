"""An empty variable in CI is a setting that was lost: refused, and never taken for the default."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import precheck_gate
from tests.support.outcome import ID

if TYPE_CHECKING:
    from tests.support.gate import Gate

ANSWER = str(Path(precheck_gate.__file__).parent / "simulator" / "answers" / "mysql.json")


@pytest.mark.parametrize("text", ["", "  "])
@pytest.mark.parametrize(
    "name", ["POLICY", "PROFILE", "TASKS", "STRICT_WAIVERS", "BASELINE", "NOW", "REDACT", "REPORT"]
)
def test_it_is_refused(gate: Gate, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.setenv(f"PRECHECK_GATE_{name}", text)
    outputs = gate.outputs if name != "REPORT" else gate.outputs[:1]
    outcome = gate.main("evaluate", ANSWER, *outputs, with_reports=name != "REPORT")
    assert outcome.code == 2
    outcome.says(f"The variable PRECHECK_GATE_{name} is empty: give it a value, or unset it")


@pytest.mark.parametrize("name", ["TASKS", "TASKS_FROM", "EXPECT_TASKS", "REGION", "TIMEOUT"])
def test_run_refuses_it_too(gate: Gate, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"PRECHECK_GATE_{name}", "")
    outcome = gate.main("run", *gate.outputs)
    assert outcome.code == 2
    outcome.reports(f"The variable PRECHECK_GATE_{name} is empty")


def test_the_command_line_goes_before_it(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRECHECK_GATE_POLICY", "")
    monkeypatch.setenv("PRECHECK_GATE_TASKS", "")
    argv = ["evaluate", ANSWER, "--task", ID, *gate.outputs]
    assert gate.main(*argv, "--policy", "builtin:default").code == 0
    outcome = gate.main(*argv)
    assert outcome.code == 2
    outcome.says("for the default policy, use builtin:default")


@pytest.mark.parametrize("preset", ["strict", "default", "permissive"])
def test_a_policy_of_ours_has_a_name(gate: Gate, preset: str) -> None:
    outcome = gate.main("evaluate", ANSWER, *gate.outputs, "--policy", f"builtin:{preset}")
    assert outcome.code == 0
    assert outcome.report["policy"]["name"] == f"builtin:{preset}"


def test_a_policy_that_is_not_ours(gate: Gate) -> None:
    outcome = gate.main("evaluate", ANSWER, *gate.outputs, "--policy", "builtin:lax")
    assert outcome.code == 2
    outcome.says("There is no policy builtin:lax", "builtin:strict")
