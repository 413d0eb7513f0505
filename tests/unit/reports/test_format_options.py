"""Options of single formats: warnings in JUnit, the size of Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import junitparser
import pytest
from lxml import etree

from precheck_gate.__main__ import run_main
from tests.support.evaluating import BLOCKED, DDS, assert_valid_junit, evaluate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("format_options", "failures", "skipped", "texts"),
    [("skipped", 0, 2, 0), ("passed", 0, 0, 2), ("failure", 2, 0, 0)],
)
def test_warnings_are_what_the_user_wants_them_to_be(
    tmp_path: Path, format_options: str, failures: int, skipped: int, texts: int
) -> None:
    done = evaluate(tmp_path, [DDS], "--junit-warnings", format_options)
    assert done.code == 0
    assert done.report["verdict"] == "passed_with_warnings"
    xml = junitparser.JUnitXml.fromfile(str(done.junit))
    assert (xml.failures, xml.errors) == (failures, 0)
    assert sum(suite.skipped for suite in xml) == skipped
    said = [case.system_out for suite in xml for case in suite if case.system_out]
    assert len(said) == texts
    assert all(text.startswith("warning: ") and "decided by: " in text for text in said)
    assert_valid_junit(done.junit)


@pytest.mark.parametrize("format_options", ["passed", "failure"])
def test_what_blocks_stays_a_failure(tmp_path: Path, format_options: str) -> None:
    red = []
    for options in ((), ("--junit-warnings", format_options)):
        done = evaluate(tmp_path, [BLOCKED], *options)
        assert done.code == 1
        blocked = etree.parse(done.junit).xpath("//testcase[failure[@type='blocked'] or error]")
        red.append([case.get("name") for case in blocked])
    assert red[0] == red[1] != []


@pytest.mark.parametrize("format_options", ["skipped", "passed", "failure"])
def test_a_report_made_again_is_the_same(tmp_path: Path, format_options: str) -> None:
    done = evaluate(tmp_path, [DDS], "--junit-warnings", format_options)
    again = tmp_path / "again.xml"
    source = str(tmp_path / "report.json")
    assert (
        run_main(["report", source, "--to", f"junit={again}", "--junit-warnings", format_options])
        == 0
    )
    assert again.read_bytes() == done.junit.read_bytes()


def test_markdown_is_cut_to_what_was_asked_for(tmp_path: Path) -> None:
    markdown = ("--report", f"markdown={tmp_path / 'r.md'}")
    evaluate(tmp_path, [BLOCKED], *markdown)
    whole = (tmp_path / "r.md").read_bytes()
    assert len(whole) > 2_000
    evaluate(tmp_path, [BLOCKED], *markdown, "--max-bytes", "2000")
    cut = (tmp_path / "r.md").read_bytes()
    assert len(cut) <= 2_000
    assert b"Cut to fit" in cut
