"""Every report made again from the JSON one has the bytes that the run itself would have."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from precheck_gate.__main__ import run_main
from precheck_gate.judgement.run import exit_code
from precheck_gate.reports.base import FORMATS, load_format
from precheck_gate.safetext.cleaning import clean
from precheck_gate.saved.reports import decoded
from tests.support.harness import OTHER, TASK, body, entry, item
from tests.support.strategies import Judged, runs
from tests.support.verdicts import HOSTILE_MARKUP, LIVE_FACTS, hostile_run, wave

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from precheck_gate.model.verdicts import RunFacts, RunVerdict, TaskVerdict

SIMULATOR = "precheck_gate/simulator/answers"


def written(form: str, run: RunVerdict, tasks: Sequence[TaskVerdict], facts: RunFacts) -> str:
    out = io.StringIO()
    reporter = load_format(form)(out)
    for task in tasks:
        reporter.add_task(task)
    reporter.finish(run, facts)
    return out.getvalue()


def same_again(run: RunVerdict, tasks: Sequence[TaskVerdict], facts: RunFacts) -> None:
    """Hold that each format is the same from the verdict and from its JSON report."""
    read = decoded(written("json", run, tasks, facts).encode(), text=clean, whole=True)
    for form in FORMATS:
        again = written(form, read.run, read.tasks, read.facts)
        assert again == written(form, run, tasks, facts), form


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(runs())
def test_any_run_is_the_same_in_every_format(judged: Judged) -> None:
    same_again(*judged)


def test_a_wave_is_the_same_in_every_format() -> None:
    run, tasks = wave(45, items=9)
    same_again(run, tasks, replace(LIVE_FACTS, exit_code=exit_code(run.verdict)))


REAL = {
    "passed": [body(entry())],
    "warnings": [body(entry(items=[item(result="ALARM", data="{'a': ['b', 1.50]}")]))],
    "blocked": [body(entry(items=[item(result="FAILED", failed_reason="X")], result=False))],
    "incomplete": [body(entry(process="42%"))],
    "in error": [body(entry(error_code="DRS.M00289", error_msg="no <b>such</b> job"))],
    "contradictory": [body(entry()), body(entry(process="1%"))],
    "two tasks": [body(entry(), entry(OTHER, items=[item(result="odd")]))],
    "a count that is off": [body(entry(), count=7)],
    "no answers": [b"<html>"],
    "escapes": [body(entry(items=[item("\x1b[31m\ud800::set-env", raw_error_msg="a\n\tb")]))],
}


@pytest.mark.parametrize("case", REAL)
def test_files_of_a_real_run_are_made_again_byte_for_byte(case: str, tmp_path: Path) -> None:
    answers = []
    for number, content in enumerate(REAL[case]):
        answers.append(str(tmp_path / f"answer{number}.json"))
        (tmp_path / f"answer{number}.json").write_bytes(content)
    first, again = tmp_path / "first", tmp_path / "again"
    reports = [f"--report={form}={first / form}" for form in FORMATS]
    run_main(["evaluate", *answers, "--task", TASK, "--now", "2026-06-15", *reports])
    targets = [f"--to={form}={again / form}" for form in FORMATS]
    assert run_main(["report", str(first / "json"), *targets]) == 0
    for form in FORMATS:
        assert (again / form).read_bytes() == (first / form).read_bytes(), form


def test_a_run_that_failed_before_it_judged_is_made_again_too(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(body(entry()))
    policy = tmp_path / "absent.yaml"
    reports = [f"--report={form}={tmp_path / form}" for form in FORMATS]
    run_main(["evaluate", str(tmp_path / "a.json"), "--policy", str(policy), *reports])
    again = tmp_path / "again"
    targets = [f"--to={form}={again / form}" for form in FORMATS]
    assert run_main(["report", str(tmp_path / "json"), *targets]) == 0
    for form in FORMATS:
        assert (again / form).read_bytes() == (tmp_path / form).read_bytes(), form


def test_texts_that_somebody_put_into_a_report_are_made_harmless() -> None:
    run, tasks = wave(2, items=3)
    report = written("json", run, tasks, replace(LIVE_FACTS, exit_code=exit_code(run.verdict)))
    mean = report.replace("check00 is PASSED", "\\u001b[31m\\ud800 ::set-env name=x::y")
    read = decoded(mean.encode(), text=clean, whole=True)
    message = read.tasks[0].findings[1].message
    assert message == "\\x1b[31m\\ud800 : :set-env name=x::y"


def test_hostile_text_passes_unchanged_where_the_schema_allows_it() -> None:
    run, tasks, _ = hostile_run(*HOSTILE_MARKUP)
    with pytest.raises(ValueError, match="wrong "):
        # Its dates are no dates, and its digest is no digest: the schema says so.
        decoded(written("json", run, tasks, _).encode(), text=clean, whole=True)
