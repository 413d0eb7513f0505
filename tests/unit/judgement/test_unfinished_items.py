"""An item without a status is still running: said so, and never green, whatever a policy says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.model.snapshots import Item, Snapshot, Status
from precheck_gate.model.verdicts import Finding, FindingKind, Verdict
from tests.support.harness import (
    TASK,
    Judged,
    body,
    entry,
    item,
    judge,
    policy,
    without,
)

ABSENT = object()
NONE: list[Any] = ["", None, ABSENT]

WAIVED = """
waivers:
- {id: W-1, match: {item: '*'}, reason: r, owner: o, expires: 2026-07-01}
"""
POLICIES = {
    "default": "version: 1\n",
    "permissive": "version: 1\nextends: builtin:permissive\n",
    "unknown: allow": "version: 1\nstatuses: {unknown: allow}\n",
    "unknown: warn": "version: 1\nstatuses: {unknown: warn}\n",
    "a rule that allows": "version: 1\nrules: [{match: {item: '*'}, effect: allow}]\n",
    "a rule that warns": "version: 1\nrules: [{match: {status: unknown}, effect: warn}]\n",
    "a waiver": f"version: 1\n{WAIVED}",
    "a waiver of the requirement": f"version: 1\nrequired_items: [newCheck]\n{WAIVED}",
    "skipped: allow": "version: 1\nskipped: allow\nstatuses: {unknown: allow}\n",
}


def unfinished_item(status: Any, **more: Any) -> dict[str, Any]:
    one = item("newCheck", status, **more)
    return without(one, "result") if status is ABSENT else one


def unfinished_sub(status: Any) -> dict[str, Any]:
    sub = {"id": "s-1", "name": "orders", "check_result": status}
    one = without(sub, "check_result") if status is ABSENT else sub
    return item("newCheck", "PASSED", failed_sub_jobs=[one])


def judged(one: dict[str, Any], by: str = "default", process: str = "100%") -> Judged:
    content = body(entry(items=[item(), one], process=process, result=process == "100%"))
    return judge(content, by=policy(POLICIES[by]))


def about(found: Judged, kind: FindingKind) -> Finding:
    [finding] = [one for one in found.findings if one.kind is kind and one.title == "newCheck"]
    return finding


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("status", NONE, ids=["empty", "null", "absent"])
@pytest.mark.parametrize("skipped", [False, True])
def test_no_policy_makes_an_item_without_a_status_green_at_100_percent(
    status: Any, name: str, skipped: bool
) -> None:
    found = judged(unfinished_item(status, is_skipped=skipped), name)
    assert found.verdict is Verdict.BLOCKED
    finding = about(found, FindingKind.ITEM)
    assert (finding.verdict, finding.waived_by, finding.reason) == (Verdict.BLOCKED, "", "")
    assert finding.decided_by.startswith("gate: ")
    said = "newCheck has no status although the pre-check is at 100 %"
    assert finding.message == said + (", and was skipped in DRS" if skipped else "")
    assert finding.next_step.startswith("Run the pre-check again")


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("status", NONE, ids=["empty", "null", "absent"])
def test_no_policy_makes_a_sub_task_without_a_status_green(status: Any, name: str) -> None:
    found = judged(unfinished_sub(status), name)
    assert found.verdict is Verdict.BLOCKED
    finding = about(found, FindingKind.SUB_TASK)
    assert finding.verdict is Verdict.BLOCKED
    said = "newCheck has no status for the sub-task orders s-1"
    assert finding.message == f"{said} although the pre-check is at 100 %"


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("status", NONE, ids=["empty", "null", "absent"])
def test_below_100_percent_it_is_still_running_and_not_called_undocumented(
    status: Any, name: str
) -> None:
    found = judged(unfinished_item(status), name, "60%")
    assert found.verdict is Verdict.INCOMPLETE
    finding = about(found, FindingKind.ITEM)
    assert (finding.verdict, finding.message) == (Verdict.INCOMPLETE, "newCheck is still running")
    of_sub = about(judged(unfinished_sub(status), name, "60%"), FindingKind.SUB_TASK)
    assert of_sub.message == "newCheck is still running for the sub-task orders s-1"


@pytest.mark.parametrize("status", ["null", " ", "NEW", 0, False, []])
def test_any_other_status_is_unknown_and_the_policys_matter(status: Any) -> None:
    found = judged(unfinished_item(status), "unknown: warn")
    assert found.verdict is Verdict.PASSED_WITH_WARNINGS
    assert found.says("a status that DRS does not document")


def snapshot(one: dict[str, Any]) -> Snapshot:
    found = parse_answer(json.dumps({"results": [entry(items=[one])]}).encode()).entries[TASK]
    assert isinstance(found, Snapshot)
    return found


@pytest.mark.parametrize("status", NONE, ids=["empty", "null", "absent"])
def test_a_snapshot_knows_whether_a_check_in_it_has_not_ended(status: Any) -> None:
    assert snapshot(unfinished_item(status)).unfinished
    assert snapshot(unfinished_sub(status)).unfinished


@pytest.mark.parametrize("status", ["PASSED", "null", " ", 0])
def test_a_status_of_any_other_kind_has_ended(status: Any) -> None:
    assert not snapshot(unfinished_item(status)).unfinished
    assert not snapshot(unfinished_sub(status)).unfinished


def test_an_item_without_a_sub_task_is_unfinished_by_its_own_status_alone() -> None:
    assert Item("a", "", Status.UNKNOWN, "").unfinished
    assert not Item("a", "", Status.UNKNOWN, "null").unfinished


def test_the_next_step_of_what_has_ended_is_the_catalogues() -> None:
    failed = item("srcDbBinlogIsOff", "FAILED", failed_sub_jobs=[{"check_result": "FAILED"}])
    steps = [
        one.next_step
        for one in judge(body(entry(items=[failed]))).findings
        if one.title == "srcDbBinlogIsOff"
    ]
    assert len(set(steps)) == 1
    assert len(steps) == 2
    assert "binlog" in steps[0].casefold()
