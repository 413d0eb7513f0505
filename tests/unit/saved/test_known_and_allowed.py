"""Only what warns or blocks is known from a baseline: what passes now is nobody's old debt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.commands import evaluate, write
from tests.support.harness import body, entry, item

if TYPE_CHECKING:
    from pathlib import Path

ANSWER = body(entry(items=[item("a", "ALARM"), item("b", "ALARM")]))


def known(report: dict[str, Any]) -> set[str]:
    return {
        finding["title"]
        for task in report["tasks"]
        for finding in task["findings"]
        if finding.get("known")
    }


def test_what_the_policy_allows_now_is_not_known_though_the_baseline_warned_of_it(
    tmp_path: Path,
) -> None:
    evaluate(tmp_path, ANSWER)
    baseline = str((tmp_path / "report.json").rename(tmp_path / "baseline.json"))
    _, report = evaluate(tmp_path, ANSWER, "--baseline", baseline)
    assert known(report) == {"a", "b"}
    rule = "rules: [{match: {item: a}, effect: allow}]"
    write(tmp_path, policy_yaml=f"version: 1\n{rule}\n")
    by = str(tmp_path / "policy.yaml")
    _, report = evaluate(tmp_path, ANSWER, "--baseline", baseline, "--policy", by)
    assert known(report) == {"b"}
