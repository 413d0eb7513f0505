"""The form of our JUnit files: what keeps readers from losing, doubling or hiding a failure."""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from precheck_gate.model.verdicts import (
    Finding,
    FindingKind,
    RunFacts,
    RunVerdict,
    TaskVerdict,
    Verdict,
)
from precheck_gate.reports.junit import JUnitReporter
from tests.support.evaluating import (
    ID,
    OTHER_ID,
    Evaluated,
    answer,
    evaluate,
    expected_cases,
    item,
    task,
)

if TYPE_CHECKING:
    from pathlib import Path

JUNIT = ("--junit", "junit.xml")
STATUSES = ("failure", "error", "skipped")


def parsed(outcome: Evaluated) -> Any:
    """Return the root, read with the limits on size that readers built on libxml2 have."""
    return etree.parse(outcome.junit, etree.XMLParser(resolve_entities=False)).getroot()


def cases(outcome: Evaluated) -> list[tuple[str, str]]:
    return [(case.get("classname"), case.get("name")) for case in parsed(outcome).iter("testcase")]


def test_the_form_that_every_reader_takes(outcome: Evaluated) -> None:
    root = parsed(outcome)
    assert root.tag == "testsuites"
    assert len(root) > 0
    for element in root.iter():
        assert element.get("time") == (
            "0.000" if element.tag in ("testsuites", "testsuite", "testcase") else None
        )
        assert not {"disabled", "file", "line", "assertions"} & set(element.keys())
    for case in root.iter("testcase"):
        assert set(case.keys()) == {"name", "classname", "time"}
        assert len(case) <= 1
        for status in case:
            assert status.tag in STATUSES
            assert status.text.strip()
            assert status.get("message").strip()
            # Some readers show only the message, GitLab only the body.
            assert status.get("message").startswith(status.text.splitlines()[0][:1000])


def test_no_two_cases_have_the_same_name(outcome: Evaluated) -> None:
    twice = [name for name, count in Counter(cases(outcome)).items() if count > 1]
    assert not twice


def test_every_case_bears_its_task_in_the_classname(outcome: Evaluated) -> None:
    for suite in parsed(outcome).iter("testsuite"):
        for case in suite.iter("testcase"):
            assert case.get("classname").startswith(suite.get("name"))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"failed_reason": ""},
        {"failed_reason": None, "data": None, "raw_error_msg": None},
        {"failed_reason": "", "data": "", "raw_error_msg": "", "group": ""},
        {"failed_reason": " \n\t"},
        {"failed_reason": "\x00\x1b\ufffe"},
    ],
)
@pytest.mark.parametrize("status", ["FAILED", "", "failed", None, 1, "SKIPPED"])
def test_no_failure_is_lost_because_its_reason_is_empty(
    tmp_path: Path, status: Any, fields: dict[str, Any]
) -> None:
    done = evaluate(tmp_path, [answer(task(ID, item("a", status, **fields), item("b")))])
    assert done.code == 1
    failed = [case for case in parsed(done).iter("testcase") if case.find("failure") is not None]
    assert "a" in [case.get("name") for case in failed]
    (status_of_a,) = [case[0] for case in failed if case.get("name") == "a"]
    assert status_of_a.text.startswith("a ")


@pytest.mark.parametrize("verdict", [one for one in Verdict if one is not Verdict.PASSED])
def test_a_finding_without_any_text_is_not_lost(verdict: Verdict) -> None:
    silent = Finding(kind=FindingKind.ITEM, verdict=verdict, title="a", message="")
    out = io.StringIO()
    reporter = JUnitReporter(out)
    reporter.add_task(TaskVerdict(ID, verdict, (silent,)))
    facts = RunFacts(mode="evaluate", judged_on="2026-01-31", exit_code=1)
    reporter.finish(RunVerdict(verdict, (), (ID,)), facts)
    case = next(etree.fromstring(out.getvalue().encode()).iterfind(".//testcase[@name='a']"))
    assert len(case) == 1
    assert case[0].text.strip()


def test_an_item_without_a_status_fails(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [answer(task(ID, {"item": "a"}))])
    assert done.code == 1
    assert parsed(done).get("failures") == "1"


def test_doubled_items_keep_a_case_each(tmp_path: Path) -> None:
    names = ["a", "a", "a (2)", "a", "a (2)", "result", "b", "b"]
    items = [item(name, "FAILED", failed_reason=f"R{n}") for n, name in enumerate(names)]
    items[-1]["group"] = "g"
    done = evaluate(tmp_path, [answer(task(ID, *items, result=False))])
    found = cases(done)
    assert len(set(found)) == len(found) == len(items) + 1
    assert (f"{ID}.g", "b") in found
    assert (ID, "b") in found
    bodies = [case[0].text for case in parsed(done).iter("testcase") if len(case)]
    for number in range(len(items)):
        assert any(f": R{number}\n" in body for body in bodies)


def test_sub_tasks_have_cases_of_their_own(tmp_path: Path) -> None:
    subs = [
        {"id": "1", "name": "n", "check_result": "FAILED"},
        {"id": "1", "name": "n", "check_result": "FAILED"},
        {"id": "2", "check_result": "PASSED"},
        {},
    ]
    done = evaluate(tmp_path, [answer(task(ID, item("a", failed_sub_jobs=subs)))])
    assert done.code == 1
    names = [name for _, name in cases(done)]
    assert names == ["result", "a", "a [n 1]", "a [n 1] (2)", "a [2]", "a [(unnamed)]"]
    assert parsed(done).get("failures") == "3"


def test_errors_of_the_run_keep_a_case_each(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [b"<html>", b"[]", b"{}"])
    found = cases(done)
    assert len(set(found)) == len(found)
    bodies = "".join(error.text for error in parsed(done).iter("error"))
    for number in (1, 2, 3):
        assert f"answer-{number}.json" in bodies


def test_the_same_item_in_two_tasks_is_two_cases(tmp_path: Path) -> None:
    done = evaluate(tmp_path, [answer(task(ID), task(OTHER_ID))])
    assert len(set(cases(done))) == 4


def test_the_service_s_own_words_are_properties_of_the_suite(tmp_path: Path) -> None:
    fields = {"job_direction": "up", "total_passed_rate": "99%", "rds_instance_id": "in01"}
    done = evaluate(tmp_path, [answer(task(process="100.0%", result=None, **fields))])
    assert {p.get("name"): p.get("value") for p in parsed(done).iter("property")} == {
        "verdict": "blocked",
        "progress": '"100.0%"',
        "result": "null",
        "job_direction": "up",
        "total_passed_rate": "99%",
        "rds_instance_id": "in01",
    }


@pytest.mark.parametrize("field", ["failed_reason", "raw_error_msg", "data"])
def test_a_text_of_a_megabyte_survives(tmp_path: Path, field: str) -> None:
    long = "x" * 999_990 + "THE END"
    done = evaluate(tmp_path, [answer(task(ID, item("a", "FAILED", **{field: long})))])
    failure = next(case[0] for case in parsed(done).iter("testcase") if case.get("name") == "a")
    assert long in failure.text
    assert len(failure.get("message")) < 2100
    assert "more characters" in failure.get("message")


@pytest.mark.parametrize("text", ["x", "汉", "\U0001f600"])
def test_no_text_is_too_long_for_a_reader(tmp_path: Path, text: str) -> None:
    # libxml2 and GitLab refuse a text of more than ten million bytes.
    long = text * (10_200_000 // len(text.encode()))
    whole = answer(task(ID, item("a", "FAILED", raw_error_msg="LONG"))).decode()
    done = evaluate(tmp_path, [whole.replace("LONG", long).encode()], reports=JUNIT)
    assert done.code == 1
    assert parsed(done).get("failures") == "2"


@pytest.mark.parametrize("field", ["item", "group"])
def test_no_name_is_too_long_for_a_reader(tmp_path: Path, field: str) -> None:
    one = item("a", "FAILED") | {field: "x" * 10_200_000}
    done = evaluate(tmp_path, [answer(task(ID, one))], reports=JUNIT)
    assert done.code == 1
    assert parsed(done).get("failures") == "2"


def test_long_names_that_begin_alike_stay_apart(tmp_path: Path) -> None:
    items = [item("n" * 600 + end, "FAILED") for end in "abc"]
    done = evaluate(tmp_path, [answer(task(ID, *items))])
    assert len(set(cases(done))) == 4


def test_thousands_of_items_alike_take_no_square_of_time(tmp_path: Path) -> None:
    # A search from the beginning for each would be a hundred million steps, and end in no test.
    done = evaluate(tmp_path, [answer(task(ID, *[item()] * 15_000))], reports=JUNIT)
    assert done.code == 0
    root = parsed(done)
    assert root.get("tests") == "15001"
    assert root.find("testsuite")[-1].get("name") == "srcDbConnection (15000)"


def test_counts_are_those_of_the_json_report_at_the_root_too(outcome: Evaluated) -> None:
    total: Counter[str] = sum(expected_cases(outcome.report).values(), Counter())
    root = parsed(outcome)
    for name in ("tests", "failures", "errors"):
        assert root.get(name) == str(total[name])
