"""The JSON report says the code with which the process ends, whatever is lost on the way there."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from precheck_gate.catalog import advise
from precheck_gate.ci import CiSystem
from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.gate import Case, Gate, Outputs, no_ci
from precheck_gate.judgement.context import JudgementContext
from precheck_gate.model.snapshots import Observation, Snapshot
from precheck_gate.model.verdicts import RunFacts
from precheck_gate.policy.loading import load_policy
from precheck_gate.reports.sinks import FileSink
from precheck_gate.runtime.console import Console
from precheck_gate.runtime.process import Interrupts
from tests.support.evaluating import BLOCKED, DDS, MYSQL, Evaluated, evaluate
from tests.support.outcome import complaints

if TYPE_CHECKING:
    from collections.abc import Callable

    from precheck_gate.ci import Written
    from precheck_gate.judgement.readiness import Readiness

full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")


def says_its_code(done: Evaluated, code: int) -> None:
    """Hold that a run ended with a code, and that its report says so and is whole."""
    assert done.code == code
    assert done.report["exit_code"] == code
    assert complaints(done.report) == []


def test_every_outcome(outcome: Evaluated) -> None:
    says_its_code(outcome, outcome.code)


@full_disk
@pytest.mark.parametrize(
    ("body", "options", "code"),
    [
        (MYSQL, (), 5),
        (DDS, ("--warn-exit-code", "10"), 5),
        (BLOCKED, ("--advisory",), 5),
        (BLOCKED, (), 1),
    ],
)
@pytest.mark.parametrize("lost", ["junit=/dev/full", "json=/dev/full", "html=answer-1.json/x"])
def test_another_report_that_is_lost(
    tmp_path: Path, body: bytes, options: tuple[str, ...], code: int, lost: str
) -> None:
    # In both orders: the report is as right when it was asked for first.
    for reports in (
        ("--report", "json=report.json", "--report", lost),
        ("--report", lost, "--report", "json=report.json"),
    ):
        says_its_code(evaluate(tmp_path, [body], *options, reports=reports), code)


def test_a_bug_in_another_report(tmp_path: Path) -> None:
    with mock.patch(
        "precheck_gate.reports.junit.JUnitReporter.finish", side_effect=ValueError("bug")
    ):
        says_its_code(evaluate(tmp_path, [MYSQL]), 70)


@pytest.mark.parametrize(("body", "code"), [(MYSQL, 5), (BLOCKED, 1)])
def test_an_output_of_the_ci_system_that_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes, code: int
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path))
    done = evaluate(tmp_path, [body], "--ci", "github")
    says_its_code(done, code)
    assert b"GITHUB_OUTPUT" in done.err


@full_disk
@pytest.mark.parametrize(("body", "code"), [(MYSQL, 5), (BLOCKED, 1)])
def test_a_verdict_that_cannot_be_printed(tmp_path: Path, body: bytes, code: int) -> None:
    (tmp_path / "answer.json").write_bytes(body)
    command = ["evaluate", "answer.json", "--report", "json=report.json"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "precheck_gate", *command],
            cwd=tmp_path,
            timeout=60,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    says_its_code(Evaluated(done.returncode, b"", done.stderr, tmp_path), code)


class Meddling(CiSystem):
    """A CI system in which something happens after the reports were written."""

    def __init__(self, happens: Callable[[], list[str]]) -> None:
        self._happens = happens

    def conclude(self, outcome: Readiness, written: Written) -> list[str]:
        return self._happens()


def gate(path: Path, ci: CiSystem | None = None, interrupts: Interrupts | None = None) -> int:
    """Judge an answer that passes, with a JSON report."""
    observations = [
        Observation(name, entry)
        for name, entry in parse_answer(MYSQL).entries.items()
        if isinstance(entry, Snapshot)
    ]
    outputs = Outputs(reports=(("json", FileSink(path)),), ci=ci or no_ci())
    facts = RunFacts(mode="evaluate", judged_on="2026-01-31", exit_code=0)
    console = Console(io.StringIO(), io.StringIO())
    context = JudgementContext(load_policy(None), date(2026, 1, 31), advise)
    case = Case([one.task_id for one in observations], observations, context)
    return Gate(facts, outputs, console, interrupts or Interrupts()).judge(case)


def read(path: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(path.read_bytes())
    return report


def test_a_report_that_has_to_be_corrected_changes_in_nothing_else(tmp_path: Path) -> None:
    good, lost = tmp_path / "good.json", tmp_path / "lost.json"
    assert gate(good) == 0
    assert gate(lost, Meddling(lambda: ["something is lost"])) == 5
    assert read(lost) == {**read(good), "exit_code": 5}


def test_a_signal_after_the_reports_were_written(tmp_path: Path) -> None:
    interrupts, path = Interrupts(), tmp_path / "report.json"

    def signalled() -> list[str]:
        interrupts.received = signal.SIGTERM
        return []

    assert gate(path, Meddling(signalled), interrupts) == 143
    report = read(path)
    assert (report["exit_code"], report["interrupted_by"]) == (143, "SIGTERM")
    assert complaints(report) == []


def test_a_report_that_cannot_be_corrected_does_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.json"

    def full() -> list[str]:
        assert read(path)["exit_code"] == 0
        monkeypatch.setattr(Path, "replace", mock.Mock(side_effect=OSError(28, "No space left")))
        return ["something is lost"]

    assert gate(path, Meddling(full)) == 5
    assert list(tmp_path.iterdir()) == []
