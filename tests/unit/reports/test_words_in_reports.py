"""The words of a report by which a pipeline goes on: they are a contract, and stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import evaluate, write
from tests.support.harness import body, entry, item

if TYPE_CHECKING:
    from pathlib import Path

WAIVER = "- {{id: {0}, match: {{item: {1}}}, reason: r, owner: o, since: {2}, expires: {3}}}\n"
POLICY = (
    "version: 1\nrequired_items: [z]\nlimits: {max_warnings: 0}\nwaivers:\n"
    + WAIVER.format("USED", "a", "2026-06-01", "2026-07-01")
    + WAIVER.format("UNUSED", "y", "2026-06-01", "2026-07-01")
    + WAIVER.format("EXPIRED", "y", "2026-06-01", "2026-06-02")
    + WAIVER.format("PENDING", "y", "2026-07-01", "2026-07-02")
)


@pytest.fixture
def report(tmp_path: Path) -> dict[str, Any]:
    sub = {"id": "s-1", "name": "orders", "check_result": "ALARM"}
    items = [item("a", "FAILED"), item("b", failed_sub_jobs=[sub])]
    write(tmp_path, policy_yaml=POLICY)
    by = str(tmp_path / "policy.yaml")
    _, found = evaluate(tmp_path, body(entry(items=items)), "--policy", by)
    return found


def test_each_finding_says_what_it_is_about(report: dict[str, Any]) -> None:
    [task] = report["tasks"]
    kinds = {finding["kind"] for finding in task["findings"]}
    assert kinds == {"task", "item", "sub_task", "required_item"}
    assert {finding["kind"] for finding in report["findings"]} == {"run"}


def test_without_a_baseline_no_finding_is_known(report: dict[str, Any]) -> None:
    findings = [*report["findings"], *report["tasks"][0]["findings"]]
    assert not [finding for finding in findings if finding.get("known")]


def test_each_waiver_says_what_became_of_it(report: dict[str, Any]) -> None:
    states = {waiver["id"]: waiver["state"] for waiver in report["waivers"]}
    assert states == {name: name.lower() for name in ("USED", "UNUSED", "EXPIRED", "PENDING")}


@pytest.mark.parametrize(
    ("sent", "verdict"),
    [
        (entry(), "passed"),
        (entry(items=[item("a", "ALARM")]), "passed_with_warnings"),
        (entry(items=[item("a", "FAILED")]), "blocked"),
        (entry(process="7%"), "incomplete"),
        (entry(error_code="DRS.M00289"), "error"),
    ],
)
def test_each_verdict_has_its_word(sent: dict[str, Any], verdict: str, tmp_path: Path) -> None:
    _, found = evaluate(tmp_path, body(sent))
    assert (found["verdict"], found["tasks"][0]["verdict"]) == (verdict, verdict)
