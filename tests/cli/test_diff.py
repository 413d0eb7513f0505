"""`precheck-gate diff`: what appeared, went and changed, and when it is worse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from precheck_gate.documents.validation import load_schema
from tests.support.commands import evaluate, gate, write
from tests.support.harness import OTHER, TASK, body, entry, item

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Output

STRICT = "version: 1\nextends: builtin:strict\n"
WAIVER = "waivers: [{id: W-1, match: {item: a}, reason: r, owner: o, expires: 2026-07-01}]\n"


def report(
    tmp_path: Path, name: str, *entries: dict[str, Any], policy: str = "version: 1\n"
) -> Path:
    write(tmp_path, policy_yaml=policy)
    evaluate(tmp_path, body(*entries), "--policy", tmp_path / "policy.yaml")
    return (tmp_path / "report.json").rename(tmp_path / name)


def diff(old: Path, new: Path, *arguments: str) -> tuple[Output, dict[str, Any]]:
    """Compare; return the text form and the JSON form, which always says the same."""
    value = gate("diff", old, new, "--format", "json", *arguments)
    comparison = json.loads(value.out)
    jsonschema.validate(comparison, load_schema("diff-1"))
    text = gate("diff", old, new, *arguments)
    assert text.code == value.code == (1 if comparison["worse"] else 0)
    return text, comparison


def titles(comparison: dict[str, Any], kind: str, task: int = 0) -> list[str]:
    found = comparison["tasks"][task]["findings"][kind]
    return [one["new"]["title"] if kind == "changed" else one["title"] for one in found]


def test_nothing_changed(tmp_path: Path) -> None:
    old = report(tmp_path, "old.json", entry(items=[item("a", "ALARM")]))
    output, comparison = diff(old, old)
    assert (output.code, comparison["worse"], comparison["tasks"], comparison["same"]) == (
        0,
        False,
        [],
        1,
    )
    assert output.out.startswith("not worse: passed_with_warnings, unchanged\n")
    assert "1 task did not change." in output.out


def test_findings_that_appeared_went_and_changed_are_told_apart(tmp_path: Path) -> None:
    old = report(
        tmp_path, "old.json", entry(items=[item("a", "ALARM"), item("b", "ALARM"), item("c")])
    )
    new = report(
        tmp_path,
        "new.json",
        entry(items=[item("a", "ALARM", failed_reason="R"), item("c"), item("d", "ALARM")]),
    )
    output, comparison = diff(old, new)
    assert (titles(comparison, "appeared"), titles(comparison, "gone")) == (["d"], ["b"])
    assert titles(comparison, "changed") == ["a"]
    assert output.code == 0
    assert "  + warn: d is ALARM\n" in output.out
    assert "  - warn: b is ALARM\n" in output.out
    assert "  ~ warn: a is ALARM: R (reason (none) → R)\n" in output.out


@pytest.mark.parametrize(
    ("before", "after", "what", "worse"),
    [
        (item("a", "ALARM"), item("a", "FAILED"), {"effect", "status"}, True),
        (item("a", "FAILED"), item("a", "ALARM"), {"effect", "status"}, False),
        (item("a"), item("a", "ALARM"), {"effect", "status"}, True),
        (item("a", "ALARM"), item("a"), {"effect", "status"}, False),
        (item("a", "NEW"), item("a", "FAILED"), {"status"}, False),
        (
            item("a", "FAILED", failed_reason="R1"),
            item("a", "FAILED", failed_reason="R2"),
            {"reason"},
            False,
        ),
    ],
)
def test_a_change_of_status_or_reason(
    before: dict[str, Any], after: dict[str, Any], what: set[str], worse: bool, tmp_path: Path
) -> None:
    old = report(tmp_path, "old.json", entry(items=[before], result=False))
    new = report(tmp_path, "new.json", entry(items=[after], result=False))
    _, comparison = diff(old, new)
    [change] = comparison["tasks"][0]["findings"]["changed"]
    assert set(change["what"]) == what
    # With result false the verdict is blocked either way; only what newly blocks is worse.
    assert comparison["worse"] is (worse and after["result"] == "FAILED")
    if before["result"] != "NEW":
        # With result true, what is FAILED contradicts it, which blocks newly where it was unknown.
        old = report(tmp_path, "old.json", entry(items=[before]))
        new = report(tmp_path, "new.json", entry(items=[after]))
        assert diff(old, new)[1]["worse"] is worse


def test_a_waiver_that_came_or_ended_is_a_change(tmp_path: Path) -> None:
    alarm = entry(items=[item("a", "ALARM")])
    blocked = report(tmp_path, "old.json", alarm, policy=STRICT)
    waived = report(tmp_path, "new.json", alarm, policy=STRICT + WAIVER)
    output, comparison = diff(blocked, waived)
    [change] = comparison["tasks"][0]["findings"]["changed"]
    assert change["what"] == ["effect", "waived", "waived until"]
    assert output.code == 0
    assert (
        "(effect block → warn, waived (none) → W-1, waived until (none) → 2026-07-01)" in output.out
    )
    ended, _ = diff(waived, blocked)
    assert ended.code == 1
    renewed = report(
        tmp_path, "later.json", alarm, policy=STRICT + WAIVER.replace("2026-07-01", "2026-07-02")
    )
    output, comparison = diff(waived, renewed)
    assert comparison["tasks"][0]["findings"]["changed"][0]["what"] == ["waived until"]
    assert output.code == 0


def test_an_item_that_passes_and_came_or_went_is_not_worth_a_word(tmp_path: Path) -> None:
    old = report(tmp_path, "old.json", entry(items=[item("a"), item("b")]))
    new = report(tmp_path, "new.json", entry(items=[item("a"), item("c")]))
    assert diff(old, new)[1]["tasks"] == []


def test_an_allowed_alarm_is_told_though_it_passes(tmp_path: Path) -> None:
    lax = "version: 1\nextends: builtin:permissive\n"
    old = report(tmp_path, "old.json", entry(items=[item("c")]), policy=lax)
    new = report(tmp_path, "new.json", entry(items=[item("c"), item("a", "ALARM")]), policy=lax)
    output, comparison = diff(old, new)
    assert (titles(comparison, "appeared"), output.code) == (["a"], 0)


def test_a_finding_that_blocks_beside_others_is_worse_though_the_verdict_stays(
    tmp_path: Path,
) -> None:
    old = report(tmp_path, "old.json", entry(items=[item("a", "FAILED")], result=False))
    new = report(
        tmp_path, "new.json", entry(items=[item("a", "FAILED"), item("b", "FAILED")], result=False)
    )
    output, comparison = diff(old, new)
    assert output.code == 1
    assert comparison["reasons"] == [f"task {TASK}: b blocks now"]


def test_the_same_item_twice_is_counted_twice(tmp_path: Path) -> None:
    old = report(tmp_path, "old.json", entry(items=[item("a", "FAILED")], result=False))
    twice = [item("a", "FAILED"), item("a", "FAILED")]
    new = report(tmp_path, "new.json", entry(items=twice, result=False))
    assert titles(diff(old, new)[1], "appeared") == ["a"]
    assert titles(diff(new, old)[1], "gone") == ["a"]


def test_a_task_that_is_gone_is_worse_unless_ignored(tmp_path: Path) -> None:
    old = report(tmp_path, "old.json", entry(), entry(OTHER))
    new = report(tmp_path, "new.json", entry())
    output, comparison = diff(old, new)
    assert (output.code, comparison["reasons"]) == (1, [f"task {OTHER} is gone"])
    [task] = comparison["tasks"]
    assert (task["change"], task["old_verdict"], task["new_verdict"]) == ("gone", "passed", None)
    assert diff(old, new, "--ignore-gone")[0].code == 0


@pytest.mark.parametrize(
    ("more", "code"), [({}, 0), ({"result": False}, 1), ({"process": "5%"}, 1)]
)
def test_a_task_that_appeared_is_worse_where_it_may_not_start(
    more: dict[str, Any], code: int, tmp_path: Path
) -> None:
    old = report(tmp_path, "old.json", entry())
    new = report(tmp_path, "new.json", entry(), entry(OTHER, **more))
    output, comparison = diff(old, new)
    assert output.code == code
    assert [task["change"] for task in comparison["tasks"]] == ["appeared"]


def test_a_verdict_of_the_run_alone_may_be_worse(tmp_path: Path) -> None:
    alarm = entry(items=[item("a", "ALARM")])
    old = report(tmp_path, "old.json", alarm)
    new = report(tmp_path, "new.json", alarm, policy="version: 1\nlimits: {max_warnings: 0}\n")
    output, comparison = diff(old, new)
    assert output.code == 1
    assert comparison["findings"]["appeared"][0]["title"] == "limits.max_warnings"
    assert comparison["tasks"] == []
    assert output.out.startswith("WORSE: passed_with_warnings → blocked\n")


@pytest.mark.parametrize("arguments", [["a.json"], [], ["a.json", "b.json", "--format", "xml"]])
def test_usage_is_2(arguments: list[str]) -> None:
    assert gate("diff", *arguments).code == 2


def test_what_is_no_report_is_2_and_named(tmp_path: Path) -> None:
    good = report(tmp_path, "good.json", entry())
    (tmp_path / "bad.json").write_text("{}")
    for pair in ((good, tmp_path / "bad.json"), (tmp_path / "bad.json", good)):
        output = gate("diff", *pair)
        assert (output.code, "bad.json is not a JSON report" in output.err) == (2, True)
    assert gate("diff", good, tmp_path / "nowhere.json").code == 2


def test_a_report_whose_verdict_was_changed_by_hand_is_2(tmp_path: Path) -> None:
    blocked = report(tmp_path, "blocked.json", entry(items=[item("a", "FAILED")], result=False))
    changed = json.loads(blocked.read_text()) | {"verdict": "passed", "exit_code": 0}
    (tmp_path / "changed.json").write_text(json.dumps(changed))
    for pair in ((blocked, tmp_path / "changed.json"), (tmp_path / "changed.json", blocked)):
        output = gate("diff", *pair)
        assert output.code == 2
        assert "the verdict of the run does not follow from its tasks" in output.err


def test_it_stands_among_the_commands() -> None:
    assert "  diff  " in gate("--help").out
    assert "more severe" in gate("diff", "--help").out
