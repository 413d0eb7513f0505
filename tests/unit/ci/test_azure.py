"""Azure Pipelines: logging commands, read back as the agent does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from precheck_gate.model.verdicts import Verdict
from tests.support.ci_runner import Command, Spoken, azure_command, outcome_of
from tests.support.verdicts import HOSTILE, about_run, finding, hostile_task, own, task


@pytest.fixture
def azure(tmp_path: Path) -> Spoken:
    """Return a step of a job."""
    return Spoken("azure", {"AGENT_TEMPDIRECTORY": str(tmp_path)})


def commands(azure: Spoken, name: str = "") -> list[Command]:
    assert all("\n" not in line and "\r" not in line for line in azure.lines)
    said = [azure_command(line) for line in azure.lines]
    return [command for command in said if name in ("", command.name)]


@pytest.mark.parametrize("title", HOSTILE)
def test_a_group_is_one_line_whatever_its_title(azure: Spoken, title: str) -> None:
    azure.system.open_section(title)
    azure.system.close_section()

    begun, ended = azure.lines
    assert begun.startswith("##[group]")
    assert not {"\n", "\r"} & set(begun)
    assert ended == "##[endgroup]"


def test_findings_are_issues_at_the_policys_line(azure: Spoken) -> None:
    blocks = finding(Verdict.BLOCKED, "a", message="50%; of ]all", next_step="mend it")
    warns = finding(Verdict.PASSED_WITH_WARNINGS, "ttl", message="TTL")

    azure.conclude(outcome_of([task("t-1", own(), blocks, warns)], exit_code=1))

    error, warning = commands(azure, "task.logissue")
    assert error.properties == {"type": "error", "sourcepath": "policy.yaml", "linenumber": "7"}
    assert error.text == "t-1: 50%; of ]all. Next: mend it"
    assert warning.properties["type"] == "warning"


@pytest.mark.parametrize("count", [0, 1, 10, 11, 500])
def test_at_most_ten_issues_of_a_kind_and_the_rest_is_counted(azure: Spoken, count: int) -> None:
    blocks = [finding(Verdict.BLOCKED, f"item-{number}") for number in range(count)]

    azure.conclude(outcome_of([task("t-1", own(), *blocks)], exit_code=1))

    issues = commands(azure, "task.logissue")
    assert len(issues) == min(count, 10)
    if count > 10:
        assert issues[-1].text == f"{count - 9} more; see the reports"


def test_the_variables_say_what_may_start(azure: Spoken) -> None:
    tasks = [task("t-1"), task("t-2", own(Verdict.BLOCKED))]

    azure.conclude(outcome_of(tasks, exit_code=1))

    said = commands(azure, "task.setvariable")
    assert all(command.properties["isOutput"] == "true" for command in said)
    values = {command.properties["variable"]: command.text for command in said}
    assert json.loads(values.pop("PRECHECK_GATE_READY_TASKS")) == ["t-1"]
    assert json.loads(values.pop("PRECHECK_GATE_BLOCKED_TASKS")) == ["t-2"]
    assert values == {
        "PRECHECK_GATE_VERDICT": "blocked",
        "PRECHECK_GATE_EXIT_CODE": "1",
        "PRECHECK_GATE_WARNINGS": "0",
    }


@pytest.mark.parametrize(
    ("verdict", "code", "advisory", "completes"),
    [
        (Verdict.PASSED, 0, False, []),
        (Verdict.PASSED_WITH_WARNINGS, 0, False, ["SucceededWithIssues"]),
        (Verdict.PASSED_WITH_WARNINGS, 10, False, []),
        (Verdict.BLOCKED, 0, True, ["SucceededWithIssues"]),
        (Verdict.BLOCKED, 1, False, []),
    ],
)
def test_a_green_with_something_to_say_succeeds_with_issues(
    azure: Spoken, verdict: Verdict, code: int, advisory: bool, completes: list[str]
) -> None:
    azure.conclude(outcome_of([task("t-1", own(verdict))], exit_code=code, advisory=advisory))

    said = commands(azure, "task.complete")
    assert [command.properties["result"] for command in said] == completes


def test_the_summary_is_a_file_named_by_its_whole_path(azure: Spoken, tmp_path: Path) -> None:
    assert azure.system.summary_room() > 0
    assert azure.conclude(outcome_of([task("t-1")]), markdown="# Passed\n") == []

    (upload,) = commands(azure, "task.uploadsummary")
    assert Path(upload.text).is_absolute()
    assert Path(upload.text).read_text("utf-8") == "# Passed\n"


def test_a_summary_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    azure = Spoken("azure", {"AGENT_TEMPDIRECTORY": str(tmp_path / "absent")})
    (lost,) = azure.conclude(outcome_of([task("t-1")]), markdown="x")
    assert lost == "the summary could not be written: No such file or directory"
    assert commands(azure, "task.uploadsummary") == []


def test_without_a_folder_there_is_no_summary() -> None:
    azure = Spoken("azure")
    assert azure.system.summary_room() == 0
    assert azure.conclude(outcome_of([task("t-1")]), markdown="x") == []


def test_hostile_text_in_every_field_never_acts(azure: Spoken) -> None:
    run = [about_run(title=text, message=text, decided_by=text, next_step=text) for text in HOSTILE]

    azure.conclude(outcome_of([hostile_task()], *run, exit_code=1), policy=HOSTILE[2])

    assert {command.name for command in commands(azure)} == {"task.logissue", "task.setvariable"}
    for command in commands(azure, "task.logissue"):
        assert command.properties.keys() <= {"type", "sourcepath", "linenumber"}
        assert command.properties.get("linenumber", "1").isdecimal()
    # A command begins a line and nowhere else.
    assert all(line.count("##vso[") == 1 for line in azure.lines)
