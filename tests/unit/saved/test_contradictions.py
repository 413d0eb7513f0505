"""What the gate writes never contradicts itself; a report of which one field was changed does."""

from __future__ import annotations

import copy
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from precheck_gate.__main__ import run_main
from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.errors import UsageError
from precheck_gate.reports.base import load_format
from precheck_gate.safetext.cleaning import clean_line
from precheck_gate.saved.reports import read_report
from tests.support.harness import OTHER, TASK, body, entry, item
from tests.support.outcome import complaints
from tests.support.strategies import Judged, runs
from tests.unit.reports.test_json_report import RESULTS, judged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


VERDICTS = ["passed", "passed_with_warnings", "blocked", "incomplete", "error"]
CODES = [0, 1, 2, 3, 4, 5, 10, 70, 130, 143, 255]


def report_on(judged: Judged) -> dict[str, Any]:
    run, tasks, facts = judged
    out = io.StringIO()
    reporter = load_format("json")(out)
    for task in tasks:
        reporter.add_task(task)
    reporter.finish(run, facts)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(runs())
def test_a_report_of_any_outcome_is_consistent(judged: Judged) -> None:
    assert complaints(report_on(judged)) == []


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RESULTS, max_size=4))
def test_the_report_on_any_answer_is_consistent(results: list[dict[str, Any]]) -> None:
    reading = parse_answer(json.dumps({"results": results}).encode())
    assume(len({clean_line(task_id) for task_id in reading.entries}) == len(reading.entries))
    _, report, _ = judged(reading)
    assert complaints(json.loads(report)) == []


OUTCOMES: dict[str, tuple[bytes, tuple[str, ...], int]] = {
    "passed": (body(entry()), (), 0),
    "passed, written in another way": (body(entry(process=100)), (), 0),
    "passed, at 1e2": (body(entry(process="MARK")).replace(b'"MARK"', b"1e2"), (), 0),
    "warnings": (body(entry(items=[item(result="ALARM")])), (), 0),
    "warnings with a code": (
        body(entry(items=[item(result="ALARM")])),
        ("--warn-exit-code", "10"),
        10,
    ),
    "blocked": (body(entry(result=False)), (), 1),
    "advisory": (body(entry(result=False)), ("--advisory",), 0),
    "incomplete": (body(entry(process="42%")), (), 3),
    "an error": (body(entry(error_code="DRS.M00289", error_msg="no")), (), 4),
    "not answered for": (body(entry()), ("--task", TASK, "--task", OTHER), 4),
    "no answer": (b"<html>", ("--task", TASK), 4),
    "bad usage": (body(entry()), ("--policy", "absent.yaml"), 2),
    "a lost report": (body(entry()), ("--junit", "/dev/full"), 5),
    "a lost report of warnings": (
        body(entry(items=[item(result="ALARM")])),
        ("--warn-exit-code", "10", "--junit", "/dev/full"),
        5,
    ),
    "a lost report of an advisory run": (
        body(entry(result=False)),
        ("--advisory", "--junit", "/dev/full"),
        5,
    ),
    "a lost report of a blocked run": (body(entry(result=False)), ("--junit", "/dev/full"), 1),
}


def outcome(name: str, folder: Path) -> dict[str, Any]:
    """Return the report of a run, which must say the code that the run ended with."""
    content, options, code = OUTCOMES[name]
    (folder / "answer.json").write_bytes(content)
    path = folder / "report.json"
    argv = ["evaluate", str(folder / "answer.json"), *options, f"--report=json={path}"]
    assert run_main(argv) == code
    report: dict[str, Any] = json.loads(path.read_bytes())
    assert report["exit_code"] == code
    return report


@pytest.mark.parametrize("name", OUTCOMES)
def test_the_report_of_a_real_run_says_its_exit_code_and_is_read_back(
    name: str, tmp_path: Path
) -> None:
    report = outcome(name, tmp_path)
    assert complaints(report) == []
    path = str(tmp_path / "report.json")
    assert run_main(["report", path, f"--to=markdown={tmp_path / 'report.md'}"]) == 0
    assert run_main(["diff", path, path]) == 0


def change(report: dict[str, Any], field: str, value: Any) -> None:
    *steps, last = field.split(".")
    place: Any = report
    for step in steps:
        place = place[int(step) if step.isdecimal() else step]
    assert place[last] != value, "that is no change"
    place[last] = value


CHANGES: list[tuple[str, str, Any]] = [
    *(("blocked", "exit_code", code) for code in CODES if code != 1),
    *(("passed", "exit_code", code) for code in CODES if code not in (0, 5, 70)),
    *(("warnings", "exit_code", code) for code in CODES if code not in (0, 5, 10, 70)),
    *(("advisory", "exit_code", code) for code in CODES if code not in (0, 5, 70)),
    *(("incomplete", "exit_code", code) for code in CODES if code != 3),
    *(("an error", "exit_code", code) for code in CODES if code not in (4, 70)),
    *(("bad usage", "exit_code", code) for code in CODES if code not in (2, 4, 70)),
    ("advisory", "advisory", False),
    ("blocked", "advisory", True),
    ("passed", "interrupted_by", "SIGTERM"),
    ("incomplete", "interrupted_by", "SIGINT"),
    *(("blocked", "verdict", verdict) for verdict in VERDICTS if verdict != "blocked"),
    *(("blocked", "tasks.0.verdict", verdict) for verdict in VERDICTS if verdict != "blocked"),
    *(("passed", "verdict", verdict) for verdict in VERDICTS if verdict != "passed"),
    *(("passed", "tasks.0.result", text) for text in ("false", "", '"true"', "1", "null")),
    *(("warnings", "tasks.0.result", text) for text in ("false", "")),
    *(("passed", "tasks.0.progress", text) for text in ('"99%"', "", "99.9", "NaN", '"100%', "x")),
    ("passed", "requested", []),
    ("passed", "requested", [TASK, OTHER]),
    ("passed", "requested", [OTHER]),
    ("passed", "tasks", []),
    ("passed", "tasks.0.task", OTHER),
    ("passed", "tasks.0.findings.0.verdict", "blocked"),
    ("passed", "tasks.0.findings.0.kind", "run"),
    ("passed", "tasks.0.findings.1.effect", "block"),
    ("passed", "counts.tasks", {"passed": 2}),
    ("passed", "counts.findings", {}),
    ("bad usage", "findings.0.verdict", "passed"),
    ("bad usage", "findings.0.kind", "task"),
]


@pytest.mark.parametrize(("name", "field", "value"), CHANGES)
def test_a_report_of_which_one_field_was_changed_is_refused_by_every_reader(
    name: str, field: str, value: Any, tmp_path: Path
) -> None:
    report = outcome(name, tmp_path)
    change(report, field, value)
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report), encoding="utf-8")
    for whole in (True, False):
        with pytest.raises(UsageError, match="is not a JSON report of precheck-gate"):
            read_report(path, whole=whole)


def test_a_task_that_appears_twice_is_a_contradiction(tmp_path: Path) -> None:
    report = outcome("passed", tmp_path)
    report["tasks"] *= 2
    report["counts"] = {"tasks": {"passed": 2}, "findings": {"allow": 2}}
    assert "it contains a task more than once" in complaints(report)


def test_green_findings_about_a_run_without_a_task_are_a_contradiction(tmp_path: Path) -> None:
    report = outcome("passed", tmp_path)
    finding = report["tasks"][0]["findings"][0] | {"kind": "run"}
    report |= {"tasks": [], "requested": [], "findings": [finding]}
    report["counts"] = {"tasks": {}, "findings": {}}
    assert "its verdict is green, but it contains no task" in complaints(report)


def _verdict(report: dict[str, Any], draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
    report["verdict"] = draw(st.sampled_from(VERDICTS))


def _task_verdict(report: dict[str, Any], draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
    assume(report["tasks"])
    draw(st.sampled_from(report["tasks"]))["verdict"] = draw(st.sampled_from(VERDICTS))


def _effect(report: dict[str, Any], draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
    found = [*report["findings"], *(one for task in report["tasks"] for one in task["findings"])]
    draw(st.sampled_from(found))["effect"] = draw(st.sampled_from(["allow", "warn", "block"]))


def _counts(report: dict[str, Any], draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
    kind = draw(st.sampled_from(["tasks", "findings"]))
    names = VERDICTS if kind == "tasks" else ["allow", "warn", "block"]
    report["counts"][kind][draw(st.sampled_from(names))] = draw(st.integers(1, 9))


@pytest.mark.parametrize("damage", [_verdict, _task_verdict, _effect, _counts])
@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(runs(), st.data())
def test_any_change_of_what_follows_from_the_findings_is_a_contradiction(
    damage: Callable[..., None], judged: Judged, data: st.DataObject
) -> None:
    report = report_on(judged)
    assume(report["tasks"] or report["findings"])
    before = copy.deepcopy(report)
    damage(report, data.draw)
    assume(report != before)
    assert complaints(report) != []
