"""The JSON report: valid for every outcome, complete, and the same bytes for the same input."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import jsonschema
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lxml import etree

from precheck_gate.catalog import advise
from precheck_gate.documents import strict_json
from precheck_gate.drs.api.v3_wire import Answer, parse_answer
from precheck_gate.gate import Case, Gate, Outputs
from precheck_gate.judgement.context import JudgementContext
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble
from precheck_gate.model.verdicts import RunFacts
from precheck_gate.policy.loading import load_policy
from precheck_gate.reports.sinks import StreamSink
from precheck_gate.runtime.console import Console
from precheck_gate.runtime.process import Interrupts
from precheck_gate.safetext.cleaning import clean_line
from tests.support.evaluating import (
    BLOCKED,
    DDS,
    ID,
    MYSQL,
    REPORT_SCHEMA,
    Evaluated,
    answer,
    evaluate,
    expected_cases,
    item,
    task,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

POLICY = load_policy(None)
SCHEMA = jsonschema.Draft202012Validator(
    REPORT_SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def test_the_schema_itself_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(REPORT_SCHEMA)


def test_it_meets_its_schema(outcome: Evaluated) -> None:
    SCHEMA.validate(outcome.report)
    strict_json.loads(outcome.json_bytes)


def test_the_code_in_it_is_that_of_the_process(outcome: Evaluated) -> None:
    assert outcome.report["exit_code"] == outcome.code


def test_its_counts_are_those_of_its_findings(outcome: Evaluated) -> None:
    report = outcome.report
    tasks = Counter(one["verdict"] for one in report["tasks"])
    findings = Counter(
        finding["effect"]
        for one in report["tasks"]
        for finding in one["findings"]
        if finding["kind"] != "task"
    )
    assert report["counts"] == {"tasks": dict(tasks), "findings": dict(findings)}


def test_what_was_asked_for_is_what_was_judged(outcome: Evaluated) -> None:
    report = outcome.report
    assert Counter(report["requested"]) == Counter(one["task"] for one in report["tasks"])


def items_of(body: bytes) -> dict[str, list[dict[str, Any]]]:
    document = json.loads(body)
    return {one["precheck_id"]: one["precheck_result"] for one in document["results"]}


def test_every_item_is_in_it_with_its_raw_status_beside_the_effect(tmp_path: Path) -> None:
    odd = answer(
        task(
            "1" * 36,
            item("a", "passed", group="g", data="d", failed_reason="r", raw_error_msg="m"),
            item("b", "ALARM"),
            item("c", "FAILED", raw_error_msg="two\nlines"),
            item("d", " PASSED"),
            process="55%",
        )
    )
    done = evaluate(tmp_path, [MYSQL, DDS, BLOCKED, odd])
    told = {
        one["task"]: [finding for finding in one["findings"] if finding["kind"] == "item"]
        for one in done.report["tasks"]
    }
    sent = {key: of for body in (MYSQL, DDS, BLOCKED, odd) for key, of in items_of(body).items()}
    assert told.keys() == sent.keys()
    effects = {"PASSED": "allow", "ALARM": "warn"}
    for task_id, items in sent.items():
        assert len(told[task_id]) == len(items)
        for finding, one in zip(told[task_id], items, strict=True):
            assert finding["title"] == one["item"]
            assert finding["status"] == one["result"]
            assert finding["effect"] == effects.get(one["result"], "block")
            assert finding.get("group", "") == one.get("group", "")
            assert finding.get("failed_reason", "") == one.get("failed_reason", "")
            assert finding.get("raw_error", "") == one.get("raw_error_msg", "")
            assert finding.get("data", "") == one.get("data", "")


def test_what_is_allowed_keeps_its_raw_status(tmp_path: Path) -> None:
    rule = {"match": {"item": "a"}, "effect": "allow", "reason": "known"}
    (tmp_path / "policy.json").write_text(json.dumps({"version": 1, "rules": [rule]}))
    one = answer(task(ID, item("a", "ALARM", failed_reason="R")))
    done = evaluate(tmp_path, [one], "--policy", "policy.json")
    assert done.code == 0
    finding = done.report["tasks"][0]["findings"][1]
    assert finding | {"next_step": ""} == {
        "kind": "item",
        "effect": "allow",
        "verdict": "passed",
        "title": "a",
        "message": "a is ALARM: R",
        "status": "ALARM",
        "failed_reason": "R",
        "decided_by": "policy.json:1 rules[0]",
        "reason": "known",
        "next_step": "",
        "trace": ["policy.json:1 rules[0]: matches, allow"],
    }


def test_advisory_still_says_blocked(outcome_of: Callable[[str], Evaluated]) -> None:
    report = outcome_of("advisory").report
    assert (report["verdict"], report["advisory"], report["exit_code"]) == ("blocked", True, 0)


def test_a_bug_shows_none_of_its_values(outcome_of: Callable[[str], Evaluated]) -> None:
    done = outcome_of("bug")
    for content in (done.out, done.err, done.json_bytes, done.junit.read_bytes()):
        assert b"secret" not in content
    assert done.report["verdict"] == "error"
    assert done.report["tasks"] == []


def test_an_interrupted_run_says_so(outcome_of: Callable[[str], Evaluated]) -> None:
    report = outcome_of("interrupted").report
    assert (report["interrupted_by"], report["verdict"]) == ("SIGTERM", "incomplete")
    assert report["exit_code"] == 143


def test_the_same_input_on_the_same_day_gives_the_same_bytes(tmp_path: Path) -> None:
    outputs = set()
    for number in (1, 2, 3):
        folder = tmp_path / str(number)
        folder.mkdir()
        done = evaluate(folder, [MYSQL, DDS, BLOCKED])
        outputs.add((done.out, done.err, done.json_bytes, done.junit.read_bytes()))
    assert len(outputs) == 1


def test_the_seed_of_hashes_changes_no_byte(tmp_path: Path) -> None:
    for number, body in enumerate((MYSQL, DDS, BLOCKED, MYSQL)):
        (tmp_path / f"{number}.json").write_bytes(body)
    command = [sys.executable, "-m", "precheck_gate", "evaluate", *"0123"]
    command[4:] = [f"{name}.json" for name in command[4:]]
    outputs = set()
    for seed in ("1", "2"):
        reports = ["--junit", "j.xml", "--report", "json=r.json"]
        env = {name: text for name, text in os.environ.items() if "PRECHECK_GATE_" not in name}
        env["PYTHONHASHSEED"] = seed
        done = subprocess.run([*command, *reports], cwd=tmp_path, env=env, capture_output=True)
        assert done.returncode == 1, done.stderr
        files = [(tmp_path / name).read_bytes() for name in ("j.xml", "r.json")]
        outputs.add((done.stdout, done.stderr, *files))
    assert len(outputs) == 1


# Answers that mean something, and answers with anything anywhere.
WORDS = st.sampled_from(["PASSED", "ALARM", "FAILED", "passed", "", "SKIPPED", "100%", "99%"])
TEXTS = WORDS | st.text(st.characters(exclude_categories=()), max_size=12)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
SUB_TASKS = st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "name", "check_result"), TEXTS))
ITEMS = st.fixed_dictionaries(
    {"item": TEXTS, "result": WORDS | VALUES},
    optional={
        **dict.fromkeys(("group", "failed_reason", "data", "raw_error_msg"), TEXTS | VALUES),
        "failed_sub_jobs": st.lists(SUB_TASKS, max_size=2) | VALUES,
    },
)
RESULTS = st.fixed_dictionaries(
    {
        # A result that names no task makes the answer none.
        "precheck_id": st.sampled_from([ID, "b", "c"]) | TEXTS.filter(str.strip),
        "process": st.just("100%") | VALUES,
        "result": st.booleans() | VALUES,
        "precheck_result": st.lists(ITEMS, max_size=4) | VALUES,
    },
    optional=dict.fromkeys(
        ("error_code", "error_msg", "job_direction", "total_passed_rate", "rds_instance_id"),
        st.none() | TEXTS,
    ),
)


def judged(reading: Answer) -> tuple[int, str, str]:
    """Judge an answer; return the code, the JSON report and the JUnit file."""
    report, junit = io.StringIO(), io.StringIO()
    outputs = Outputs(reports=(("json", StreamSink(report)), ("junit", StreamSink(junit))))
    facts = RunFacts(mode="evaluate", judged_on="2026-01-31", exit_code=0)
    gate = Gate(facts, outputs, Console(io.StringIO(), io.StringIO()), Interrupts())
    observations = [
        Observation(
            task_id,
            entry if isinstance(entry, Snapshot) else None,
            entry if isinstance(entry, Trouble) else None,
        )
        for task_id, entry in reading.entries.items()
    ]
    case = Case(
        [one.task_id for one in observations],
        observations,
        JudgementContext(POLICY, date(2026, 1, 31), advise),
    )
    return gate.judge(case), report.getvalue(), junit.getvalue()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RESULTS, max_size=4))
def test_any_answer_gives_valid_reports(results: list[dict[str, Any]]) -> None:
    reading = parse_answer(json.dumps({"results": results}).encode())
    assume(len({clean_line(task_id) for task_id in reading.entries}) == len(reading.entries))
    code, text, xml = judged(reading)
    report = json.loads(text)
    SCHEMA.validate(report)
    assert code == report["exit_code"]
    assert (code == 0) == (report["verdict"] in ("passed", "passed_with_warnings"))
    root = etree.fromstring(xml.encode())
    total: Counter[str] = sum(expected_cases(report).values(), Counter())
    assert {name: root.get(name) for name in ("tests", "failures", "errors")} == {
        name: str(total[name]) for name in ("tests", "failures", "errors")
    }
    for kind, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert len(root.findall(f".//{kind}")) == total[name]
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    if not any("." in one["task"] for one in report["tasks"]):
        assert len(set(names)) == len(names)
