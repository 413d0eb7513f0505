"""`policy test`: which files it finds, the coverage it tells, what it prints, and its JUnit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import junitparser
import pytest

from precheck_gate.policy_tests.case_files import holds_cases
from tests.support.commands import case, policy_test, run, write
from tests.support.evaluating import assert_valid_junit

if TYPE_CHECKING:
    from pathlib import Path

COVERED = (
    case("items: {a: ALARM, b: ALARM}", "verdict: passed_with_warnings", "one")
    + case("items: {c: ALARM}\n  profile: staging", "verdict: passed_with_warnings", "two")
    + case("tasks: [{id: wave-1, items: {d: ALARM}}]", "verdict: passed", "three")
)


def test_the_coverage_names_what_no_case_exercised(tmp_path: Path) -> None:
    output = run(tmp_path, COVERED)
    assert "coverage: 4 of 6 rules and waivers (67 %), not exercised:" in output.out
    missed = [line.strip().rpartition("/")[2] for line in output.out.splitlines()[-2:]]
    assert missed == ["policy.yaml:5 rules[1]", "policy.yaml:8 waivers[1] (W-2)"]
    assert output.code == 0


def test_profiles_that_no_case_chooses_count_as_well(tmp_path: Path) -> None:
    output = run(tmp_path, case("items: {a: ALARM}", "verdict: passed_with_warnings"))
    assert "coverage: 1 of 6" in output.out
    assert "profiles.staging.rules[0]" in output.out
    assert "tasks.wave-*.rules[0]" in output.out


@pytest.mark.parametrize(("least", "code"), [("0", 0), ("66", 0), ("67", 1), ("100", 1)])
def test_too_little_coverage_fails(least: str, code: int, tmp_path: Path) -> None:
    output = run(tmp_path, COVERED, "--min-coverage", least)
    assert output.code == code
    assert (f"below the {least} %" in output.out) is (code == 1)


def test_a_policy_reached_by_two_paths_is_counted_once_and_what_it_extends_too(
    tmp_path: Path,
) -> None:
    (tmp_path / ".git").mkdir()
    write(
        tmp_path,
        base_yaml="version: 1\nrules:\n"
        "- {match: {item: a}, effect: warn}\n- {match: {item: c}, effect: warn}\n",
        team_yaml="version: 1\nextends: base.yaml\nrules: [{match: {item: b}, effect: warn}]\n",
        sub__other_yaml="version: 1\nextends: ../base.yaml\n",
    )
    cases = (
        case("policy: sub/../team.yaml\n  items: {a: PASSED}", "exit_code: 0", "one")
        + case("policy: ./team.yaml\n  items: {b: PASSED}", "exit_code: 0", "two")
        + case("policy: sub/other.yaml\n  items: {c: PASSED}", "exit_code: 0", "three")
    )
    assert "coverage: 3 of 3 rules and waivers (100 %)\n" in run(tmp_path, cases).out


def test_an_inline_policy_counts_where_it_stands(tmp_path: Path) -> None:
    head = (
        "version: 1\npolicy:\n  version: 1\n  rules:\n  - {match: {item: a}, effect: warn}\n"
        "  - {match: {item: b}, effect: warn}\ncases:\n"
    )
    cases = case("items: {a: PASSED}", "findings: [{decided_by: 'x.test.yaml:5 rules[0]'}]", "one")
    output = run(tmp_path, cases + cases.replace("name: one", "name: two"), head=head)
    assert output.code == 0, output.out
    assert "coverage: 1 of 2" in output.out
    assert "x.test.yaml:6 rules[1]" in output.out


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("test_a.yaml", True),
        ("a_test.yml", True),
        ("a.test.json", True),
        ("a.test.yaml", True),
        ("a.yaml", False),
        ("latest.yaml", False),
        ("test_a.txt", False),
        ("tests.yaml", False),
        ("contest.yaml", False),
        (".test.yaml", False),
    ],
)
def test_the_name_of_a_file_tells_whether_it_holds_cases(name: str, holds: bool) -> None:
    assert holds_cases(name) is holds


def test_a_folder_is_searched_and_a_named_file_is_always_taken(tmp_path: Path) -> None:
    text = "version: 1\npolicy: builtin:default\ncases:\n" + case(
        "items: {a: PASSED}", "verdict: passed"
    )
    for name in ("b.test.yaml", "sub/test_c.yaml", ".hidden/test_d.yaml", "other.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    output = policy_test(tmp_path)
    assert (output.code, "2 cases: 2 passed" in output.out) == (0, True)
    assert output.out.index("b.test.yaml") < output.out.index("test_c.yaml")
    assert "3 cases" in policy_test(tmp_path, tmp_path / "other.yaml", tmp_path / "b.test.yaml").out


def test_no_tests_are_no_pass(tmp_path: Path) -> None:
    output = policy_test(tmp_path)
    assert (output.code, "has no policy tests" in output.err) == (2, True)
    output = policy_test(tmp_path / "nowhere")
    assert (output.code, "There is no" in output.err) == (2, True)


def test_quiet_prints_what_is_wrong_and_the_count(tmp_path: Path) -> None:
    cases = case("items: {a: PASSED}", "verdict: passed", "good") + case(
        "items: {a: PASSED}", "verdict: blocked", "bad"
    )
    output = run(tmp_path, cases, "--quiet")
    assert "bad" in output.out
    assert "good" not in output.out
    assert "2 cases: 1 passed, 1 failed" in output.out


def test_evil_names_do_not_act(tmp_path: Path) -> None:
    head = json.dumps("\x1b[2J\n::error::x\n##vso[task]")
    output = run(tmp_path, case("items: {a: PASSED}", "verdict: blocked", head))
    assert "\x1b[2J" not in output.out
    assert "::error" not in output.out
    assert "##vso[" not in output.out


def test_junit_tells_each_case_and_every_reader_takes_it(tmp_path: Path) -> None:
    cases = (
        case("items: {a: PASSED}", "verdict: passed", "good")
        + case("items: {a: PASSED}", "verdict: blocked", "bad <&>")
        + case("items: {a: PASSED}\n  policy: nowhere.yaml", "verdict: passed", "away")
    )
    path = tmp_path / "out" / "junit.xml"
    (tmp_path / "y.test.yaml").write_text("version: 1\ncases: 1\n")
    output = run(tmp_path, cases, tmp_path / "y.test.yaml", "--junit", path)
    assert output.code == 2
    suites = junitparser.JUnitXml.fromfile(str(path))
    assert (suites.tests, suites.failures, suites.errors) == (4, 1, 2)
    first, second = suites
    assert [one.name for one in first] == ["good", "bad <&>", "away"]
    assert {one.classname for one in first} == {str(tmp_path / "x.test.yaml")}
    failure = ET.parse(path).getroot().find(".//failure")
    assert failure is not None
    assert failure.text is not None
    assert "expect.verdict (line 10)\n  - blocked\n  + passed" in failure.text
    assert "expect.verdict" in failure.attrib["message"]
    assert [one.name for one in second] == ["(the file itself)"]
    check_form(path)


def check_form(path: Path) -> None:
    """The form that the tests of our other JUnit demand: what every known reader takes."""
    root = ET.parse(path).getroot()
    assert root.tag == "testsuites"
    names = [(one.get("classname"), one.get("name")) for one in root.iter("testcase")]
    assert len(set(names)) == len(names)
    for element in root.iter():
        timed = element.tag in ("testsuites", "testsuite", "testcase")
        assert element.get("time") == ("0.000" if timed else None)
        assert not {"disabled", "file", "line", "assertions"} & set(element.keys())
    for one in root.iter("testcase"):
        assert set(one.keys()) == {"name", "classname", "time"}
        assert len(one) <= 1
        for status in one:
            assert status.tag in ("failure", "error")
            assert (status.text or "").strip()
            assert status.attrib["message"].strip()
            # Some readers show only the message, GitLab only the body.
            assert status.attrib["message"].startswith((status.text or "").splitlines()[0])


def test_junit_is_valid_by_the_schema_of_jenkins(tmp_path: Path) -> None:
    cases = "".join(
        case("items: {a: PASSED}", f"verdict: {verdict}", f"{verdict} <&> é")
        for verdict in ("passed", "blocked")
    )
    run(tmp_path, cases, "--junit", tmp_path / "junit.xml")
    assert_valid_junit(tmp_path / "junit.xml")


def test_junit_goes_to_stdout_alone(tmp_path: Path) -> None:
    output = run(tmp_path, case("items: {a: PASSED}", "verdict: passed"), "--junit", "-")
    assert ET.fromstring(output.out).get("tests") == "1"
    assert "1 case: 1 passed" in output.err


def test_junit_that_cannot_be_written_is_5_and_never_hides_a_failure(tmp_path: Path) -> None:
    good, bad = (case("items: {a: PASSED}", f"verdict: {one}") for one in ("passed", "blocked"))
    output = run(tmp_path, good, "--junit", tmp_path)
    assert (output.code, "could not be written" in output.err) == (5, True)
    assert run(tmp_path, bad, "--junit", tmp_path).code == 1
