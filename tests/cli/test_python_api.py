"""The Python API: loaded on first use, as strict as ``evaluate``, and as its page says."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from contextlib import redirect_stdout
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

import precheck_gate
from precheck_gate import (
    ExitCode,
    Judgement,
    PrecheckGateError,
    UsageError,
    Verdict,
    judge,
    load_policy,
)
from tests.support.harness import OTHER, TASK, TODAY, body, entry, item
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate

ANSWERS = ROOT / "precheck_gate" / "simulator" / "answers"
PAGE = (ROOT / "docs" / "python.md").read_text("utf-8")


# --- loading --------------------------------------------------------------------------------------


def test_the_import_loads_nothing() -> None:
    code = (
        "import __future__, sys; before = set(sys.modules); import precheck_gate; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, cwd=ROOT)
    loaded = done.stdout.decode().split()
    assert loaded == [
        *("precheck_gate", "precheck_gate.runtime", "precheck_gate.runtime.version")
    ], done.stderr


def test_every_name_is_there_and_no_other() -> None:
    for name in precheck_gate.__all__:
        assert getattr(precheck_gate, name).__name__
    with pytest.raises(AttributeError, match="nosuch"):
        getattr(precheck_gate, "nosuch")  # noqa: B009
    assert not hasattr(precheck_gate, "parse_answer")


def test_the_page_names_every_name() -> None:
    assert not [name for name in precheck_gate.__all__ if f"`{name}`" not in PAGE]


def test_the_example_of_the_page_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, shown = re.findall(r"```(?:python|text)\n(.*?)```", PAGE, re.DOTALL)
    alarm = item("srcCollHasTtlIndex", "ALARM", failed_reason="SRC_HAS_TTL_INDEXES")
    (tmp_path / "answer.json").write_bytes(body(entry(OTHER, items=[alarm])))
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(program, "docs/python.md", "exec"), {})
    assert printed.getvalue() == shown


# --- the same verdict as evaluate -----------------------------------------------------------------

GOOD, WARNS = entry(), entry(items=[item("a", "ALARM")])
BODIES = {
    "passed": body(GOOD),
    "warning": body(WARNS),
    "failed item": body(entry(items=[item("a", "FAILED")], result=False)),
    "unknown status": body(entry(items=[item("a", "MAYBE")])),
    "running": body(entry(process="99.99%")),
    "no items": body(entry(items=[])),
    "no results": body(),
    "another task": body(entry(OTHER)),
    "and another task": body(GOOD, entry(OTHER)),
    "twice": body(GOOD, WARNS),
    "unnamed": body({**GOOD, "precheck_id": ""}),
    "counts more": json.dumps({"count": 9, "results": [GOOD]}).encode(),
    "error": b'{"error_code": "DRS.M00289", "error_msg": "no"}',
    "no JSON": b"<html>",
    "two documents": body(GOOD) * 2,
    "duplicate key": body(GOOD).replace(b'"result": true', b'"result": false, "result": true'),
    "a list": b"[]",
    "no text": b"\xff\xfe",
}


def evaluated(gate: Gate, content: bytes, tasks: list[str], *more: str) -> tuple[int, Any]:
    path = gate.folder / "answer.json"
    path.write_bytes(content)
    named = [f"--task={task}" for task in tasks]
    report = ["--report", f"json={gate.folder / 'report.json'}", "--now", TODAY.isoformat()]
    outcome = gate.main("evaluate", str(path), *named, *report, *more, with_reports=False)
    return outcome.code, json.loads((gate.folder / "report.json").read_text("utf-8"))


def assert_same(gate: Gate, content: bytes, tasks: list[str], policy: str) -> Judgement:
    code, report = evaluated(gate, content, tasks, "--policy", policy)
    result = judge(content, tasks=tasks, policy=policy, today=TODAY)
    assert (int(result.exit_code), result.verdict.value) == (code, report["verdict"])
    assert bool(result) is result.passed is (code == 0)
    for task in report["tasks"]:
        mine = result.tasks[task["task"]]
        assert mine.verdict.value == task["verdict"]
        assert len(mine.findings) == len(task["findings"])
        if result.verdict is not Verdict.ERROR:
            assert [one.message for one in mine.findings] == [
                one["message"] for one in task["findings"]
            ]
    assert set(result.tasks) == set(tasks)
    return result


@pytest.mark.parametrize("policy", ["builtin:strict", "builtin:default", "builtin:permissive"])
@pytest.mark.parametrize("name", BODIES)
def test_an_answer_gets_the_verdict_of_evaluate(gate: Gate, name: str, policy: str) -> None:
    assert_same(gate, BODIES[name], [TASK], policy)
    assert_same(gate, BODIES[name], [TASK, OTHER], policy)


@pytest.mark.parametrize("path", sorted(ANSWERS.glob("*.json")), ids=lambda path: path.stem)
def test_the_answers_of_the_simulator_get_the_verdict_of_evaluate(gate: Gate, path: Path) -> None:
    content = path.read_bytes()
    task = json.loads(content)["results"][0]["precheck_id"]
    for policy in ("builtin:strict", "builtin:default"):
        result = assert_same(gate, content, [task], policy)
        as_text = judge(content.decode(), tasks=[task], policy=policy, today=TODAY)
        as_object = judge(json.loads(content), tasks=[task], policy=policy, today=TODAY)
        assert result == as_text == as_object


def test_only_what_is_green_is_true() -> None:
    assert judge(BODIES["passed"], tasks=[TASK])
    warned = judge(BODIES["warning"], tasks=[TASK])
    assert (warned.verdict, bool(warned)) == (Verdict.PASSED_WITH_WARNINGS, True)
    blocked = judge(BODIES["failed item"], tasks=[TASK])
    assert (blocked.verdict, blocked.exit_code) == (Verdict.BLOCKED, ExitCode.BLOCKED)
    assert not blocked


def test_an_unreadable_answer_says_why() -> None:
    result = judge(BODIES["no JSON"], tasks=[TASK])
    assert result.exit_code is ExitCode.SERVICE
    assert result.findings[0].message
    assert not result.tasks[TASK].verdict.green


def test_an_answer_beyond_the_bound_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("precheck_gate.api.MAX_BYTES", 100)
    assert judge(BODIES["passed"], tasks=[TASK]).exit_code is ExitCode.SERVICE


# --- policies -------------------------------------------------------------------------------------


def test_a_policy_file_and_its_waivers(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        "version: 1\nwaivers:\n"
        "  - {id: W-1, match: {item: a}, owner: me, reason: for now, expires: 2026-06-30}\n",
        encoding="utf-8",
    )
    policy = load_policy(path)
    answer = BODIES["failed item"].replace(b'"result": false', b'"result": true')
    for by in (policy, path, str(path)):
        valid = judge(answer, tasks=[TASK], policy=by, today=date(2026, 6, 30))
        expired = judge(answer, tasks=[TASK], policy=by, today=date(2026, 7, 1))
        assert (valid.exit_code, expired.exit_code) == (0, 1)


def test_a_profile_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="prod"):
        load_policy(profile="prod")


# --- wrong input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "tasks"),
    [
        (b"", [TASK]),
        ("  \n", [TASK]),
        (None, [TASK]),
        (bytearray(b"{}"), [TASK]),
        ([], [TASK]),
        ({"results": {1, 2}}, [TASK]),
        ({"results": float("nan")}, [TASK]),
        ({"results": [{**GOOD, "process": 99.99999999999999999}]}, [TASK]),
        ({"results": [{**GOOD, "process": Decimal(100)}]}, [TASK]),
        ("\ud800", [TASK]),
        (BODIES["passed"], []),
        (BODIES["passed"], [TASK, TASK]),
        (BODIES["passed"], ["orders"]),
        (BODIES["passed"], [f"{TASK} "]),
        (BODIES["passed"], TASK),
        (BODIES["passed"], [7]),
    ],
)
def test_wrong_input_is_an_error_and_never_green(answer: Any, tasks: Any) -> None:
    with pytest.raises(UsageError) as caught:
        judge(answer, tasks=tasks)
    assert isinstance(caught.value, PrecheckGateError)
    assert caught.value.hint


def test_an_object_that_holds_itself() -> None:
    answer: dict[str, Any] = {}
    answer["results"] = [answer]
    with pytest.raises(UsageError):
        judge(answer, tasks=[TASK])


@pytest.mark.parametrize("policy", ["nosuch.yaml", "builtin:nosuch"])
def test_a_policy_that_cannot_be_used(policy: str) -> None:
    with pytest.raises(UsageError):
        judge(BODIES["passed"], tasks=[TASK], policy=policy)


def test_no_text_shows_a_credential_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "MIIFsecretMIIFsecretMIIFsecret"
    monkeypatch.setenv("PRECHECK_GATE_TOKEN", secret)
    answer = body(entry(items=[item("a", "FAILED", failed_reason=f"token {secret}")]))
    assert secret not in repr(judge(answer, tasks=[TASK]))
