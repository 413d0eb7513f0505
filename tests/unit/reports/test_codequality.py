"""GitLab's code quality: its required fields, unique and stable fingerprints, bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from precheck_gate.model.verdicts import Verdict
from precheck_gate.reports.codequality import CodeQualityReporter
from tests.support.verdicts import HOSTILE, about_run, finding, hostile_task, own, task, written

WARNS = Verdict.PASSED_WITH_WARNINGS


def check(text: str) -> list[dict[str, Any]]:
    """Return the violations, each with what GitLab requires and nothing else."""
    found: list[dict[str, Any]] = json.loads(text)
    assert isinstance(found, list)
    for one in found:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
        for name in ("description", "check_name", "fingerprint"):
            assert isinstance(one[name], str)
            assert one[name]
        assert one["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert set(one["location"]) == {"path", "lines"}
        assert not one["location"]["path"].startswith(("/", "./", ".."))
        assert list(one["location"]["lines"]) == ["begin"]
        assert one["location"]["lines"]["begin"] >= 1
    assert len({one["fingerprint"] for one in found}) == len(found)
    return found


def test_a_pass_is_an_empty_list() -> None:
    assert check(written("codequality", [task()])) == []


@pytest.mark.parametrize(
    ("verdict", "severity"),
    [
        (Verdict.ERROR, "critical"),
        (Verdict.INCOMPLETE, "critical"),
        (Verdict.BLOCKED, "blocker"),
        (WARNS, "minor"),
    ],
)
def test_severities(verdict: Verdict, severity: str) -> None:
    [one] = check(written("codequality", [task("t", own(verdict))]))
    assert one["severity"] == severity
    assert one["check_name"] == "precheck-gate/result"


def test_what_is_waived_informs() -> None:
    one = finding(WARNS, waived_by="W", waived_until="2027-01-31", waiver_reason="by design")
    [found] = check(written("codequality", [task("t", one)]))
    assert found["severity"] == "info"
    assert "Waived by W until 2027-01-31: by design." in found["description"]


def test_a_violation_stands_at_the_line_that_decided() -> None:
    one = finding(decided_by="ci/my policy.yaml:12 rules[3]")
    [found] = check(written("codequality", [task("t", one)]))
    assert found["location"]["path"].endswith("ci/my policy.yaml"), "a path, no URI"
    assert found["location"]["lines"] == {"begin": 12}


def test_fingerprints_are_unique_and_stable() -> None:
    ones = [finding(title="a"), finding(title="a"), finding(title="b")]
    first = {one["fingerprint"] for one in check(written("codequality", [task("t", *ones)]))}
    ones.reverse()
    again = {one["fingerprint"] for one in check(written("codequality", [task("t", *ones)]))}
    assert first == again
    assert len(first) == 3


def test_the_worst_are_kept_and_the_rest_is_told() -> None:
    tasks = [task(f"t{number}", finding(WARNS), finding()) for number in range(20)]
    found = check(written(lambda out: CodeQualityReporter(out, max_entries=25), tasks))
    assert [one["severity"] for one in found] == ["blocker"] * 20 + ["minor"] * 6
    assert found[-1]["description"].startswith("25 of 40 findings are in this report")
    assert "15 warning" in found[-1]["description"]


def test_the_bound_on_bytes_holds() -> None:
    tasks = [task(f"t{number}", finding(message="ü" * 1_000)) for number in range(100)]
    text = written(lambda out: CodeQualityReporter(out, max_bytes=50_000), tasks)
    assert len(text.encode()) <= 50_000
    found = check(text)
    assert 10 < len(found) < 30
    assert found[-1]["severity"] == "blocker"
    assert f"{len(found) - 1} of 100" in found[-1]["description"]


def test_hostile_text_stays_text() -> None:
    found = check(written("codequality", [hostile_task()], about_run(message=HOSTILE[0])))
    assert len(found) == len(HOSTILE) + 2


def test_the_same_run_gives_the_same_bytes() -> None:
    tasks = [hostile_task(), task()]
    assert written("codequality", tasks) == written("codequality", tasks)
