"""`policy validate`: everything that is wrong, of every file, at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.commands import TODAY, call, write_policy
from tests.support.harness import body, entry

if TYPE_CHECKING:
    import pytest

GOOD = "version: 1\nrules: [{match: {item: x}, effect: warn}]\n"
WAIVER = "{id: %s, match: {item: x}, reason: r, owner: o, expires: %s}"


def waivers(*lines: str) -> str:
    return "version: 1\nwaivers:\n" + "".join(f"- {line}\n" for line in lines)


def test_a_line_for_each_good_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write_policy(tmp_path, GOOD, "a.yaml")
    write_policy(tmp_path, waivers(WAIVER % ("W", "2027-01-31")) + "extends: ./a.yaml\n", "b.yaml")
    write_policy(tmp_path, GOOD + "profiles: {staging: {skipped: warn}}\n", "c.yaml")
    done = call(capsys, "policy", "validate", "a.yaml", "b.yaml", "c.yaml")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "a.yaml: valid (1 rule, 0 waivers)",
        "b.yaml: valid (1 rule, 1 waiver, extends a.yaml)",
        "c.yaml: valid (1 rule, 0 waivers, profiles staging)",
    ]


def test_every_problem_of_every_file_and_the_good_ones_all_the_same(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_policy(tmp_path, "version: 2\nrule: []\nstatuses: {ALARM: warm}\n", "a.yaml")
    write_policy(tmp_path, "a: [\n", "b.yaml")
    write_policy(tmp_path, GOOD, "c.yaml")
    done = call(capsys, "policy", "validate", "a.yaml", "b.yaml", "none.yaml", "c.yaml")
    assert done.code == 2
    assert done.out == "c.yaml: valid (1 rule, 0 waivers)\n"
    assert done.err.startswith("error: 3 of 4 policies are not valid:\n")
    for said in (
        "a.yaml:1:10: version: 2 must be 1",
        "a.yaml:2:1: rule: unknown key 'rule' (did you mean 'rules'?)",
        "a.yaml:3:19: statuses.ALARM: ",
        "b.yaml:2:1:",
        "none.yaml: The policy none.yaml cannot be read: No such file or directory.",
    ):
        assert said in done.err


def test_one_sort_of_problem_does_not_hide_another(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_policy(tmp_path, "version: 1\nstatus: {}\n", "base.yaml")
    text = waivers(WAIVER % ("W", "2027-02-30"), WAIVER % ("'!'", "soon"))
    write_policy(tmp_path, text + "extends: ./base.yaml\n")
    done = call(capsys, "policy", "validate", "policy.yaml")
    assert done.code == 2
    assert "policy.yaml:3:59: waivers[0].expires: 2027-02-30 is not a date" in done.err
    assert "waivers[1].expires" in done.err
    assert "waivers[1].id" in done.err
    assert "base.yaml:2:1: status: unknown key 'status'" in done.err


def test_every_profile_is_checked_with_what_it_lies_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = waivers(WAIVER % ("W", "2026-12-01")) + (
        "profiles:\n  short: {max_waiver_days: 10}\n  long: {max_waiver_days: 300}\n"
    )
    write_policy(tmp_path, text)
    done = call(capsys, "policy", "validate", "policy.yaml", "--now", TODAY)
    assert done.code == 2
    assert done.err.count('waiver "W" runs 169 days from today, over 10') == 1
    assert "over 300" not in done.err


def test_a_profile_that_is_named_has_to_be_there(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = write_policy(tmp_path, GOOD + "profiles: {staging: {skipped: warn}}\n")
    assert call(capsys, "policy", "validate", path, "--profile", "staging").code == 0
    done = call(capsys, "policy", "validate", path, "--profile", "stagin")
    assert done.code == 2
    assert "Did you mean 'staging'?" in done.err


def test_a_file_outside_only_where_that_is_allowed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "inner").mkdir()
    write_policy(tmp_path, GOOD, "base.yaml")
    path = write_policy(tmp_path / "inner", "version: 1\nextends: ../base.yaml\n")
    refused = call(capsys, "policy", "validate", path)
    assert refused.code == 2
    assert "--allow-outside" in refused.err
    assert call(capsys, "policy", "validate", path, "--allow-outside").code == 0


def test_a_circle_is_told_once_and_ends(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write_policy(tmp_path, "version: 1\nextends: ./b.yaml\n", "a.yaml")
    write_policy(tmp_path, "version: 1\nextends: ./a.yaml\n", "b.yaml")
    done = call(capsys, "policy", "validate", "a.yaml")
    assert done.code == 2
    assert "extend each other in a circle" in done.err


def test_a_text_of_the_file_reaches_the_terminal_harmless(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_policy(tmp_path, 'version: 1\n"::warning::x": "\\e[31m"\n')
    done = call(capsys, "policy", "validate", "policy.yaml")
    assert done.code == 2
    assert "::warning" not in done.err
    assert "\x1b" not in done.err


def test_no_file_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "policy", "validate").code == 2


def test_the_same_file_twice_is_checked_once(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_policy(tmp_path, GOOD)
    done = call(capsys, "policy", "validate", "policy.yaml", "policy.yaml")
    assert done.out.count("valid") == 1
    assert Path("policy.yaml").exists()


def test_what_is_wrong_with_waivers_is_told_beside_what_the_schema_says(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    late = "{id: L, match: {item: x}, reason: r, owner: o, since: 2027-02-01, expires: 2027-01-31}"
    lines = waivers(WAIVER % ("W", "2027-01-31"), WAIVER % ("W", "2027-02-30"), late)
    write_policy(tmp_path, f"{lines}rule: []\nmax_waiver_days: 5\n", "a.yaml")
    done = call(capsys, "policy", "validate", "a.yaml")
    assert done.code == 2
    for said in (
        'a.yaml:3:3: waivers[0]: waiver "W" runs',
        'a.yaml:4:3: waivers[1]: duplicate waiver ID "W"',
        "2027-02-30 is not a date",
        "a.yaml:5:3: waivers[2]: expires is earlier than since",
        "a.yaml:6:1: rule: unknown key 'rule'",
    ):
        assert done.err.count(said) == 1, said


def test_validate_lint_show_and_evaluate_list_the_same_problems(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lines = waivers(WAIVER % ("W", "2027-01-31"), WAIVER % ("W", "2027-02-30"))
    write_policy(tmp_path, f"{lines}rule: []\nmax_waiver_days: 5\nextends: ./base.yaml\n", "a.yaml")
    write_policy(tmp_path, "version: 1\nstatuses: {ALARM: warm}\n", "base.yaml")
    (tmp_path / "answer.json").write_bytes(body(entry()))
    given = {
        "validate": ("policy", "validate", "a.yaml"),
        "lint": ("policy", "lint", "a.yaml"),
        "show": ("policy", "show", "a.yaml"),
        "evaluate": ("evaluate", "answer.json", "--policy", "a.yaml", "--ci", "none"),
    }
    listed = {}
    for name, arguments in given.items():
        done = call(capsys, *arguments, "--now", TODAY)
        assert done.code == 2
        listed[name] = [one for one in done.err.splitlines() if ".yaml:" in one and ": " in one]
    assert len(listed["validate"]) == 5
    assert all(found == listed["validate"] for found in listed.values()), listed
