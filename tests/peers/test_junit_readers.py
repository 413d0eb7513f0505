"""JUnit files as third parties read them: a schema and three readers, for every outcome."""

from __future__ import annotations

import html
import importlib
import re
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import junitparser
import pytest
from lxml import etree

from tests.support.evaluating import OUTCOMES, Evaluated, assert_valid_junit, expected_cases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COUNTS = ("tests", "failures", "errors", "skipped")


def test_the_schema_of_the_jenkins_xunit_plugin_is_met(outcome: Evaluated) -> None:
    assert_valid_junit(outcome.junit)


def test_the_schema_refuses_a_suite_without_counts(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text("<testsuites><testsuite name='a'/></testsuites>")
    with pytest.raises(etree.DocumentInvalid):
        assert_valid_junit(tmp_path / "junit.xml")


def test_junitparser_counts_what_the_json_report_says(outcome: Evaluated) -> None:
    expected = expected_cases(outcome.report)
    xml = junitparser.JUnitXml.fromfile(str(outcome.junit))
    assert [suite.name for suite in xml] == list(expected)
    for suite in xml:
        declared = {name: getattr(suite, name) for name in COUNTS}
        assert declared == {name: expected[suite.name][name] for name in COUNTS}
        assert declared == _counted_by_hand(suite)
    total: Counter[str] = sum(expected.values(), Counter())
    assert (xml.tests, xml.failures, xml.errors) == tuple(total[name] for name in COUNTS[:3])
    assert xml.tests > 0


def _counted_by_hand(suite: Any) -> dict[str, int]:
    found: Counter[str] = Counter()
    for case in suite:
        found["tests"] += 1
        for result in case.result:
            kind = {junitparser.Failure: "failures", junitparser.Error: "errors"}
            found[kind.get(type(result), "skipped")] += 1
    return {name: found[name] for name in COUNTS}


def test_a_reader_sees_red_exactly_when_the_verdict_is_not_green(outcome: Evaluated) -> None:
    xml = junitparser.JUnitXml.fromfile(str(outcome.junit))
    green = outcome.report["verdict"] in ("passed", "passed_with_warnings")
    assert (xml.failures + xml.errors == 0) == green


def test_every_message_of_the_json_report_can_be_read_in_junit(outcome: Evaluated) -> None:
    xml = junitparser.JUnitXml.fromfile(str(outcome.junit))
    bodies = "\n".join(r.text or "" for suite in xml for case in suite for r in case.result)
    report = outcome.report
    findings = [*report["findings"], *(f for one in report["tasks"] for f in one["findings"])]
    for finding in findings:
        if finding["verdict"] != "passed":
            assert finding["message"] in bodies
            for name in ("raw_error", "data", "next_step", "decided_by", "code"):
                assert finding.get(name, "").replace("\n", "\n    ") in bodies


def test_junit2html_names_what_blocks(outcome: Evaluated) -> None:
    parser = importlib.import_module("junit2htmlreport.parser")
    page = html.unescape(parser.Junit(str(outcome.junit)).html())
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))
    report = outcome.report
    for one in report["tasks"]:
        assert one["task"] in shown
        for finding in one["findings"]:
            if finding["effect"] == "block":
                assert finding["title"] in shown


def test_the_command_junit2html_copes(
    outcome_of: Callable[[str], Evaluated], tmp_path: Any
) -> None:
    page = tmp_path / "page.html"
    blocked = outcome_of("blocked")
    command = [sys.executable, "-m", "junit2htmlreport", str(blocked.junit), str(page)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    text = page.read_text(encoding="utf-8")
    for name in ("srcDbBinlogIsOff", "tableStructureConsistency", "brandNewCheck"):
        assert name in text
    assert "BINLOG_IS_OFF" in text


def test_the_command_junitparser_verify_agrees(outcome_of: Callable[[str], Evaluated]) -> None:
    for name, code in (("passed", 0), ("warnings", 0), ("blocked", 1), ("incomplete", 1)):
        path = str(outcome_of(name).junit)
        command = [sys.executable, "-m", "junitparser", "verify", path]
        done = subprocess.run(command, timeout=60, capture_output=True)
        assert done.returncode == code, (name, done.stderr)


def _publish() -> Any:
    """Return the parser of publish-unit-test-result-action, or skip: no registry has it."""
    try:
        return importlib.import_module("publish.junit")
    except ImportError:
        pytest.skip(
            "the parser of EnricoMi/publish-unit-test-result-action is on no package registry; "
            "to run this test, put the folder python/ of a checkout of it on PYTHONPATH"
        )


def test_the_most_used_github_reporter_sees_the_same(
    outcome_of: Callable[[str], Evaluated],
) -> None:
    publish = _publish()
    for name in OUTCOMES:
        outcome = outcome_of(name)
        suites = expected_cases(outcome.report)
        total: Counter[str] = sum(suites.values(), Counter())
        trees = publish.parse_junit_xml_files([str(outcome.junit)], False, False)
        parsed = publish.process_junit_xml_elems(trees)
        assert not parsed.errors
        assert parsed.suites == len(suites)
        counted = {of: getattr(parsed, f"suite_{of}") for of in COUNTS}
        assert counted == {of: total[of] for of in COUNTS}, name
        results = Counter(case.result for case in parsed.cases)
        kinds = {"failure": "failures", "error": "errors", "skipped": "skipped"}
        for result, of in kinds.items():
            assert results[result] == total[of], name
        assert results["success"] == total["passed"], name
        told = [case for case in parsed.cases if case.result != "success"]
        assert all(case.message and case.content for case in told), name
