"""Which CI system this is, by its environment or by the user's word; and those told nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from precheck_gate.__main__ import run_main
from precheck_gate.ci import SYSTEMS, detect
from tests.support.ci_runner import Spoken, outcome_of
from tests.support.verdicts import hostile_task

if TYPE_CHECKING:
    from pathlib import Path

MARKS = {
    "GITHUB_ACTIONS": "true",
    "GITLAB_CI": "true",
    "TF_BUILD": "True",
    "JENKINS_URL": "https://ci.example/",
}


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"GITHUB_ACTIONS": "true"}, "github"),
        ({"GITHUB_ACTIONS": "false"}, "none"),
        ({"GITLAB_CI": "true"}, "gitlab"),
        ({"TF_BUILD": "True"}, "azure"),
        ({"JENKINS_URL": "https://ci.example/"}, "jenkins"),
        ({"JENKINS_HOME": "/var/lib/jenkins"}, "jenkins"),
        ({"CI": "true"}, "none"),
        ({}, "none"),
        (MARKS, "github"),
    ],
)
def test_the_environment_says_which_system_it_is(environ: dict[str, str], name: str) -> None:
    assert detect(environ) == name


@pytest.mark.parametrize("name", ["none", "jenkins"])
def test_a_system_without_commands_is_told_nothing(name: str) -> None:
    spoken = Spoken(name)
    spoken.system.open_section("a")
    spoken.system.close_section()
    assert spoken.conclude(outcome_of([hostile_task()], exit_code=1)) == []
    assert spoken.system.summary_room() == 0
    assert spoken.lines == []


def test_every_system_bears_its_own_name() -> None:
    assert {name: Spoken(name).system.name for name in SYSTEMS} == {name: name for name in SYSTEMS}


@pytest.mark.parametrize(
    ("marks", "ci", "spoken"),
    [
        ("GITHUB_ACTIONS", "auto", "::error "),
        ("TF_BUILD", "auto", "##vso[task.logissue "),
        ("TF_BUILD", "github", "::error "),
        ("GITHUB_ACTIONS", "azure", "##vso[task.logissue "),
        ("GITHUB_ACTIONS", "none", ""),
        ("JENKINS_URL", "auto", ""),
        ("", "auto", ""),
    ],
)
def test_the_option_goes_before_the_environment(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    marks: str,
    ci: str,
    spoken: str,
) -> None:
    for name in (*MARKS, "JENKINS_HOME", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    if marks:
        monkeypatch.setenv(marks, MARKS[marks])
    answer = tmp_path / "answer.json"
    answer.write_text('{"results": [], "count": 0}', "utf-8")

    task = "140b5236-88ad-43c8-811c-1268453jb101"
    code = run_main(["evaluate", str(answer), "--task", task, "--ci", ci])

    assert code not in (0, 2, 70)
    printed = capfd.readouterr().out
    begins = [line for line in printed.splitlines() if line.startswith(("::", "##"))]
    assert all(line.startswith(spoken) for line in begins[:1])
    assert bool(begins) == bool(spoken)
