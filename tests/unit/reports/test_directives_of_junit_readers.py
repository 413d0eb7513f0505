"""What a reader of JUnit would obey in texts of the service, and paths in names, are inert."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from precheck_gate.safetext.cleaning import clean, clean_line
from tests.support.evaluating import ID, answer, evaluate, item, task
from tests.unit.reports.test_hostile_text import check_everything, strings

if TYPE_CHECKING:
    from pathlib import Path

# As Jenkins' junit-attachments, GitLab, testbeats and Xray look for them in a text.
DIRECTIVE = re.compile(r"\[\[(ATTACHMENT|PROPERTY)\|", re.IGNORECASE)

DIRECTIVES = (
    "[[ATTACHMENT|/etc/passwd]]",
    "[[PROPERTY|k=v]]",
    "[[PROPERTY|k]]\nv\n[[/PROPERTY]]",
    "[[attachment|/etc/passwd]]",
    "[[[ATTACHMENT|/etc/passwd]]]",
    "a [[\u200bATTACHMENT|/etc/passwd]]",
    "[[ATTACHMENT|/a]][[ATTACHMENT|/b]]",
)
CLIMBING = ("/../../../../etc", "..\\..\\windows", "..", "a/../../b", "/etc/passwd", "...", "C:\\x")


@pytest.mark.parametrize("text", DIRECTIVES)
@pytest.mark.parametrize("warnings", ["passed", "skipped", "failure"])
def test_no_report_holds_a_directive(tmp_path: Path, text: str, warnings: str) -> None:
    texts = dict.fromkeys(("group", "failed_reason", "data", "raw_error_msg"), text)
    sub = {"id": "1", "name": text[1:], "check_result": "ALARM"}
    odd = item(f"x{text}", "ALARM", **texts, failed_sub_jobs=[sub])
    done = evaluate(
        tmp_path,
        [answer(task(ID, item(), odd, job_direction=text))],
        *("--junit-warnings", warnings, "--report", "html=a.html", "--report", "markdown=a.md"),
        "--verbose",
    )
    assert done.code == 0
    check_everything(done)
    root = etree.parse(done.junit).getroot()
    said = [text for one in root.iter() for text in (*one.values(), one.text or "")]
    files = [(tmp_path / name).read_text() for name in ("junit.xml", "a.html", "a.md")]
    for one in (*said, *strings(done.report), *files, done.out.decode()):
        assert not DIRECTIVE.search(one), one
    assert any("ATTACHMENT|" in one.upper() or "PROPERTY|" in one.upper() for one in said)


PIECES = st.sampled_from(["[", "[[", "]]", "ATTACHMENT", "PROPERTY|", "|", "/", "a", " ", "\n"])


@given(st.lists(PIECES | st.characters(exclude_categories=()), max_size=12).map("".join))
def test_no_cleaned_text_is_or_completes_a_directive(text: str) -> None:
    for cleaned in (clean(text), clean_line(text)):
        assert not re.search(r"\[\[\w+\|", cleaned)
        assert clean(cleaned) == cleaned
        # Beside a bracket of ours.
        assert not re.search(r"\[\[(ATTACHMENT|PROPERTY)\|", f"[{cleaned}]")


@pytest.mark.parametrize(
    "text", ["[a] [b|c] if [[ -f x ]]", "a[0][1]", "[x|y|z]", "[[Page]]", "[[/PROPERTY]]"]
)
def test_common_brackets_stay(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("text", CLIMBING)
def test_no_name_in_junit_leads_out_of_a_folder(tmp_path: Path, text: str) -> None:
    sub = {"id": "1", "name": text, "check_result": "FAILED"}
    odd = item(text, "ALARM", group=text, failed_sub_jobs=[sub])
    ids = (ID, f"{ID}{text}")
    done = evaluate(tmp_path, [answer(*(task(one, odd, item()) for one in ids))], fixed_day=False)
    assert done.code in (1, 4)
    cases = list(etree.parse(done.junit).iter("testsuite", "testcase"))
    assert len(cases) >= 10
    for case in cases:
        for name in filter(None, (case.get("name"), case.get("classname"))):
            assert not re.search(r"[/\\]|\.\.", name), name
            assert name.strip(". ")
    # The whole text is still told.
    assert text in done.report["tasks"][0]["findings"][1]["title"]


def test_names_that_become_alike_stay_different(tmp_path: Path) -> None:
    items = [item(name, "PASSED", group="g") for name in ("a/b", "a\\b", "a-b")]
    done = evaluate(tmp_path, [answer(task(ID, *items))])
    cases = [
        (case.get("classname"), case.get("name"))
        for case in etree.parse(done.junit).iter("testcase")
    ]
    assert len(set(cases)) == len(cases) == 4
