"""The baseline: what an earlier report had is known, and never makes a block softer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precheck_gate.errors import UsageError
from precheck_gate.saved.reports import identities, load_baseline
from tests.support.commands import evaluate, gate, write
from tests.support.harness import (
    OTHER,
    TASK,
    body,
    entry,
    item,
    judge,
    policy,
)

if TYPE_CHECKING:
    from pathlib import Path

OLD = [item("a", "ALARM", failed_reason="R1"), item("b", "ALARM"), item("c")]
ALLOW = "baseline: {known_warnings: allow}\n"


def against(
    tmp_path: Path,
    items: list[dict[str, Any]],
    policy_text: str = "",
    *,
    then: tuple[str, ...] = (),
    now: tuple[str, ...] = (),
) -> tuple[int, dict[str, Any]]:
    """Judge `OLD`, then ``items`` with that report as the baseline."""
    write(tmp_path, policy_yaml=f"version: 1\n{policy_text}")
    evaluate(tmp_path, body(entry(items=OLD)), *then)
    baseline = (tmp_path / "report.json").rename(tmp_path / "baseline.json")
    output, report = evaluate(
        tmp_path,
        body(entry(items=items)),
        *("--policy", str(tmp_path / "policy.yaml"), "--baseline", str(baseline), *now),
    )
    return output.code, report


def known(report: dict[str, Any]) -> set[str]:
    return {
        finding["title"]
        for task in report["tasks"]
        for finding in task["findings"]
        if finding.get("known")
    }


def test_what_stood_in_the_baseline_is_known_and_what_is_new_is_not(tmp_path: Path) -> None:
    _, report = against(tmp_path, [*OLD, item("new", "ALARM")])
    assert known(report) == {"a", "b"}


@pytest.mark.parametrize(
    "changed",
    [
        item("a", "FAILED", failed_reason="R1"),
        item("a", "ALARM", failed_reason="R2"),
        item("a", "ALARM"),
        item("A", "ALARM", failed_reason="R1"),
        item("c", "ALARM"),
    ],
)
def test_another_status_reason_or_item_is_not_known(
    changed: dict[str, Any], tmp_path: Path
) -> None:
    assert known(against(tmp_path, [changed])[1]) == set()


def test_the_same_item_of_another_task_is_not_known() -> None:
    before = judge(body(entry(items=OLD)))
    after = judge(body(entry(OTHER, items=OLD)), [OTHER], known=identities(before.tasks))
    assert not [finding for finding in after.findings if finding.known]


def test_what_passes_is_never_called_known(tmp_path: Path) -> None:
    assert known(against(tmp_path, [item("c")])[1]) == set()


@pytest.mark.parametrize("limit", ["max_warnings", "max_warnings_per_task"])
@pytest.mark.parametrize(
    ("extra", "policy_text", "code"),
    [
        (0, ALLOW, 0),
        (1, ALLOW, 0),
        (2, ALLOW, 1),
        (0, "", 1),
        (0, "baseline: {known_warnings: count}\n", 1),
    ],
)
def test_known_warnings_do_not_count_where_the_policy_says_so_and_new_ones_do(
    limit: str, extra: int, policy_text: str, code: int, tmp_path: Path
) -> None:
    items = [*OLD, *(item(f"new-{number}", "ALARM") for number in range(extra))]
    text = f"{policy_text}limits: {{{limit}: 1}}\n"
    got, report = against(tmp_path, items, text)
    assert got == code
    assert known(report) == {"a", "b"}


def test_without_a_baseline_nothing_is_known_and_all_count(tmp_path: Path) -> None:
    write(tmp_path, policy_yaml=f"version: 1\n{ALLOW}limits: {{max_warnings: 1}}\n")
    output, report = evaluate(
        tmp_path, body(entry(items=OLD)), "--policy", tmp_path / "policy.yaml"
    )
    assert (output.code, known(report)) == (1, set())


def test_a_block_stays_a_block_though_it_is_known(tmp_path: Path) -> None:
    code, report = against(tmp_path, OLD, f"{ALLOW}statuses: {{ALARM: block}}\n")
    assert (code, report["verdict"], known(report)) == (1, "blocked", {"a", "b"})


def test_a_known_failure_stays_a_failure(tmp_path: Path) -> None:
    write(tmp_path, policy_yaml=f"version: 1\n{ALLOW}")
    content = body(entry(items=[item("a", "FAILED")], result=False))
    evaluate(tmp_path, content)
    baseline = (tmp_path / "report.json").rename(tmp_path / "baseline.json")
    output, report = evaluate(
        tmp_path, content, "--policy", tmp_path / "policy.yaml", "--baseline", baseline
    )
    assert (output.code, known(report)) == (1, {"a"})


@pytest.mark.parametrize("redact", ["reasons", "all", "data"])
def test_with_redaction_on_both_sides_the_known_are_known(redact: str, tmp_path: Path) -> None:
    hidden = ("--redact", redact)
    items = [*OLD, item("new", "ALARM", failed_reason="R1")]
    code, report = against(
        tmp_path, items, f"{ALLOW}limits: {{max_warnings: 1}}\n", then=hidden, now=hidden
    )
    assert (code, known(report)) == (0, {"a", "b"})
    assert ("R1" in json.dumps(report)) is (redact == "data")


@pytest.mark.parametrize("redact", ["reasons", "all", "data"])
def test_a_redacted_run_knows_what_a_plain_baseline_had(redact: str, tmp_path: Path) -> None:
    items = [*OLD, item("new", "ALARM", failed_reason="R1")]
    _, report = against(tmp_path, items, now=("--redact", redact))
    assert known(report) == {"a", "b"}


def test_a_plain_run_does_not_take_a_reason_that_was_left_out_for_known(tmp_path: Path) -> None:
    _, report = against(tmp_path, OLD, then=("--redact", "reasons"))
    assert known(report) == {"b"}


_statuses = st.sampled_from(["PASSED", "ALARM", "FAILED", "NEW"])
_items = st.dictionaries(st.sampled_from("abcd"), _statuses, min_size=1)


@settings(deadline=None, max_examples=50)
@given(_items, _items, st.booleans())
def test_a_baseline_never_makes_a_verdict_worse_nor_a_finding_softer(
    old: dict[str, str], new: dict[str, str], result: bool
) -> None:
    by = policy(f"version: 1\n{ALLOW}limits: {{max_warnings: 1}}\n")

    def content(items: dict[str, str]) -> bytes:
        return body(
            entry(items=[item(name, status) for name, status in items.items()], result=result)
        )

    before = identities(judge(content(old), by=by).tasks)
    plain, compared = judge(content(new), by=by), judge(content(new), by=by, known=before)
    assert compared.verdict.severity <= plain.verdict.severity
    assert [task.verdict for task in compared.tasks] == [task.verdict for task in plain.tasks]
    for one, other in zip(plain.tasks, compared.tasks, strict=True):
        assert [(f.title, f.verdict) for f in one.findings] == [
            (f.title, f.verdict) for f in other.findings
        ]


def test_identities_are_those_of_the_report(tmp_path: Path) -> None:
    sub = {"id": "s-1", "name": "shard\u202e-1", "check_result": "FAILED"}
    content = body(entry(items=[*OLD, item("e\x1b[31m", "NEW\n", failed_sub_jobs=[sub])]))
    evaluate(tmp_path, content)
    tasks = judge(content).tasks
    assert load_baseline(tmp_path / "report.json") == identities(tasks)
    again = judge(content, known=load_baseline(tmp_path / "report.json"))
    assert all(
        finding.known
        for finding in again.findings
        if not finding.verdict.green and finding.kind.value != "task"
    )


def damaged(**changes: Any) -> dict[str, Any]:
    finding = {"kind": "item", "verdict": "blocked", "title": "a"}
    task = {"task": TASK, "verdict": "blocked", "findings": [finding]}
    report: dict[str, Any] = {
        "format": "precheck-gate/report",
        "format_version": 1,
        "verdict": "blocked",
        "tasks": [task],
        "findings": [],
    }
    for where, value in changes.items():
        holder = {"report": report, "task": task, "finding": finding}[where.partition("_")[0]]
        holder[where.partition("_")[2]] = value
    return report


def test_the_smallest_report_is_one(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(json.dumps(damaged()))
    assert load_baseline(tmp_path / "b.json") == {(TASK, "item", "a", "", "", "")}


@pytest.mark.parametrize(
    "report",
    [
        damaged(report_format="x"),
        damaged(report_format_version=2),
        damaged(report_verdict="fine"),
        damaged(report_tasks=None),
        damaged(report_findings=[1]),
        damaged(task_task=1),
        damaged(task_verdict=None),
        damaged(task_findings={}),
        damaged(finding_verdict="green"),
        damaged(finding_title=[]),
        damaged(finding_status=1),
        damaged(finding_failed_reason={}),
        [],
        None,
    ],
)
def test_what_is_no_report_is_refused_with_2(report: Any, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text(json.dumps(report))
    with pytest.raises(UsageError, match="is not a JSON report of precheck-gate"):
        load_baseline(path)
    (tmp_path / "answer.json").write_bytes(body(entry()))
    output = gate("evaluate", tmp_path / "answer.json", "--baseline", path)
    assert (output.code, "--report json=FILE" in output.err) == (2, True)


def test_what_contradicts_itself_is_refused_with_2(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_bytes(body(entry()))
    path = tmp_path / "b.json"
    for changed in (
        damaged(report_verdict="passed"),
        damaged(task_verdict="passed"),
        damaged(finding_verdict="passed"),
        damaged(task_findings=[]),
        damaged(finding_effect="allow"),
        damaged(report_counts={"tasks": {"passed": 1}, "findings": {"block": 1}}),
        damaged(report_counts={"tasks": {"blocked": 1}, "findings": {"allow": 1}}),
        damaged(report_counts={}),
        damaged(report_counts=[]),
        damaged(report_counts=None),
    ):
        path.write_text(json.dumps(changed))
        with pytest.raises(UsageError, match="is not a JSON report of precheck-gate: the "):
            load_baseline(path)
        assert gate("evaluate", tmp_path / "answer.json", "--baseline", path).code == 2


def test_what_does_not_contradict_itself_is_a_report(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    counts = {"tasks": {"blocked": 1}, "findings": {"block": 1}}
    for good in (damaged(finding_effect="block"), damaged(report_counts=counts)):
        path.write_text(json.dumps(good))
        assert load_baseline(path) == {(TASK, "item", "a", "", "", "")}


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"a":1,"a":2}'])
def test_what_is_no_json_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is not a JSON report"):
        load_baseline(path)
    with pytest.raises(UsageError, match="cannot be read"):
        load_baseline(tmp_path / "nowhere.json")
