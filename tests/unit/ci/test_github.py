"""GitHub Actions: annotations, outputs and the job summary, read back as the runner does."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from precheck_gate.__main__ import run_main
from precheck_gate.ci.github import MAX_SUMMARY, SUMMARY_LEAST, SUMMARY_MARGIN
from precheck_gate.model.verdicts import Verdict
from precheck_gate.reports.base import MARKDOWN_LEAST
from tests.support.ci_runner import Command, Spoken, github_command, outcome_of, outputs_in
from tests.support.verdicts import HOSTILE, about_run, finding, hostile_task, own, task

OUTPUTS = (
    *("verdict", "exit-code", "ready-tasks", "blocked-tasks", "warnings"),
    *("junit", "report", "summary"),
)


@pytest.fixture
def github(tmp_path: Path) -> Spoken:
    """Return a step of a job, with the files that the runner gives it."""
    files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for path in files.values():
        path.touch()
    return Spoken("github", {name: str(path) for name, path in files.items()})


def text_of(github: Spoken, name: str) -> str:
    return Path(github.environ[name]).read_text("utf-8")


def commands(github: Spoken) -> list[Command]:
    assert all("\n" not in line and "\r" not in line for line in github.lines)
    return [github_command(line) for line in github.lines]


# -- groups ------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", HOSTILE)
def test_a_group_is_one_command_whatever_its_title(github: Spoken, title: str) -> None:
    github.system.open_section(title)
    github.system.close_section()

    begun, ended = commands(github)
    assert (begun.name, ended.name, ended.text) == ("group", "endgroup", "")


# -- annotations -------------------------------------------------------------------------------


def test_blocking_findings_are_errors_and_warnings_are_warnings(github: Spoken) -> None:
    blocks = finding(Verdict.BLOCKED, "a,b:c", message="50% of\nall", next_step="mend it")
    warns = finding(Verdict.PASSED_WITH_WARNINGS, "ttl", message="TTL indexes")

    github.conclude(outcome_of([task("t-1", own(), blocks, warns)], exit_code=1))

    error, warning = commands(github)
    assert (error.name, warning.name) == ("error", "warning")
    assert error.properties == {"title": "a,b:c of task t-1", "file": "policy.yaml", "line": "7"}
    assert error.text == "50% of\\nall. Next: mend it"
    assert github.lines[0].startswith("::error title=a%2Cb%3Ac of task t-1,file=")
    assert "50%25 of" in github.lines[0]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 500])
def test_at_most_ten_of_a_kind_and_the_rest_is_counted(github: Spoken, count: int) -> None:
    blocks = [finding(Verdict.BLOCKED, f"item-{number}") for number in range(count)]
    warns = [finding(Verdict.PASSED_WITH_WARNINGS, f"warn-{number}") for number in range(count)]

    github.conclude(outcome_of([task("t-1", own(), *blocks, *warns)], exit_code=1))

    for kind in ("error", "warning"):
        of_kind = [command for command in commands(github) if command.name == kind]
        assert len(of_kind) == min(count, 10)
        if count > 10:
            assert of_kind[-1].text == f"{count - 9} more; see the job summary"
            assert not [one for one in of_kind[:-1] if " more" in one.text]


def test_what_concerns_the_run_comes_first_and_names_no_task(github: Spoken) -> None:
    github.conclude(outcome_of([task("t-1", own(Verdict.BLOCKED))], about_run(), exit_code=4))

    first, second = commands(github)
    assert first.properties["title"] == "service"
    assert second.properties["title"] == "result of task t-1"


def test_hostile_text_in_every_field_never_acts(github: Spoken) -> None:
    hostile = hostile_task()
    run = [about_run(title=text, message=text, decided_by=text, next_step=text) for text in HOSTILE]

    github.conclude(
        outcome_of([hostile], *run, exit_code=1),
        reports={"junit": "\n".join(HOSTILE[:3]), "json": HOSTILE[7]},
        policy=HOSTILE[2],
    )

    said = commands(github)
    assert {command.name for command in said} == {"error", "warning"}
    assert all(command.properties.keys() <= {"title", "file", "line"} for command in said)
    assert all(command.properties.get("line", "1").isdecimal() for command in said)
    assert max(map(len, github.lines)) < 10_000
    outputs = outputs_in(text_of(github, "GITHUB_OUTPUT"))
    assert outputs.keys() == set(OUTPUTS)
    assert outputs["verdict"] == "error"
    assert json.loads(outputs["ready-tasks"]) == []


# -- outputs -----------------------------------------------------------------------------------


def test_the_outputs_say_what_may_start(github: Spoken) -> None:
    tasks = [
        task("t-1"),
        task("t-2", own(Verdict.BLOCKED)),
        task("t-3", own(), finding(Verdict.PASSED_WITH_WARNINGS)),
    ]
    Path(github.environ["GITHUB_OUTPUT"]).write_text("earlier<<E\nkept\nE\n", "utf-8")
    reports = {"junit": "out put/j.xml", "json": "r.json", "markdown": "s.md"}

    assert github.conclude(outcome_of(tasks, exit_code=1), reports=reports) == []

    outputs = outputs_in(text_of(github, "GITHUB_OUTPUT"))
    assert outputs.pop("earlier") == "kept"
    assert tuple(outputs) == OUTPUTS
    assert json.loads(outputs.pop("ready-tasks")) == ["t-1", "t-3"]
    assert json.loads(outputs.pop("blocked-tasks")) == ["t-2"]
    assert outputs == {
        "verdict": "blocked",
        "exit-code": "1",
        "warnings": "1",
        "junit": "out put/j.xml",
        "report": "r.json",
        "summary": "s.md",
    }


def test_no_delimiter_is_used_twice_or_could_be_guessed(github: Spoken) -> None:
    for _ in range(2):
        github.conclude(outcome_of([task("t-1")]))

    fences = re.findall(r"<<(\S+)$", text_of(github, "GITHUB_OUTPUT"), re.MULTILINE)
    assert len(set(fences)) == len(fences) == 2 * len(OUTPUTS)
    assert all(re.fullmatch(r"precheck-gate-[0-9a-f]{32}", fence) for fence in fences)


def test_a_path_that_is_no_text_loses_nothing_else(github: Spoken) -> None:
    assert github.conclude(outcome_of([task("t-1")]), reports={"junit": "\udcff.xml"}) == []
    assert outputs_in(text_of(github, "GITHUB_OUTPUT"))["junit"] == r"\udcff.xml"


@pytest.mark.parametrize("variable", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_what_cannot_be_written_is_told(github: Spoken, tmp_path: Path, variable: str) -> None:
    github.environ[variable] = str(tmp_path)

    lost = github.conclude(outcome_of([task("t-1")]), markdown="# passed\n")

    assert lost == [f"{variable} could not be written: Is a directory"]


@pytest.mark.parametrize(("code", "told"), [(0, "5"), (10, "5"), (1, "1"), (3, "3"), (143, "143")])
def test_a_lost_summary_is_in_the_exit_code_that_is_told(
    github: Spoken, tmp_path: Path, code: int, told: str
) -> None:
    github.environ["GITHUB_STEP_SUMMARY"] = str(tmp_path)

    github.conclude(outcome_of([task("t-1")], exit_code=code), markdown="# passed\n")

    assert outputs_in(text_of(github, "GITHUB_OUTPUT"))["exit-code"] == told


def test_outside_of_a_step_nothing_is_missed() -> None:
    github = Spoken("github")
    assert github.system.summary_room() == 0
    assert github.conclude(outcome_of([task("t-1")]), markdown="x") == []


# -- the job summary ---------------------------------------------------------------------------


def test_the_summary_goes_behind_what_is_there(github: Spoken) -> None:
    Path(github.environ["GITHUB_STEP_SUMMARY"]).write_text("# Earlier\n", "utf-8")
    github.conclude(outcome_of([task("t-1")]), markdown="# Passed\n")
    assert text_of(github, "GITHUB_STEP_SUMMARY") == "# Earlier\n# Passed\n"


def test_the_room_for_a_summary_is_what_earlier_steps_left(github: Spoken) -> None:
    path = Path(github.environ["GITHUB_STEP_SUMMARY"])
    full = MAX_SUMMARY - SUMMARY_MARGIN
    assert github.system.summary_room() == full
    for used, room in ((1000, full - 1000), (full - SUMMARY_LEAST, SUMMARY_LEAST), (full, 0)):
        os.truncate(path, used)
        assert github.system.summary_room() == room
    os.truncate(path, full - SUMMARY_LEAST + 1)
    assert github.system.summary_room() == 0, "too little for any report"
    assert SUMMARY_LEAST >= MARKDOWN_LEAST


# -- the whole program -------------------------------------------------------------------------


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Play a step of GitHub Actions for the whole program."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        (tmp_path / name).touch()
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path


def answer(step: Path, items: int, status: str = "FAILED") -> Path:
    """Write an answer with many items of long texts."""
    texts = (*HOSTILE, "ein sehr langer Text " * 40)
    results = [
        {
            "precheck_id": f"140b5236-88ad-43c8-811c-{number:07d}jb101",
            "process": "100%",
            "result": status == "PASSED",
            "precheck_result": [
                {"item": f"item-{one}", "result": status, "failed_reason": texts[one % len(texts)]}
                for one in range(20)
            ],
        }
        for number in range(items // 20)
    ]
    path = step / "answer.json"
    path.write_text(json.dumps({"results": results, "count": len(results)}), "utf-8")
    return path


def test_a_huge_run_stays_inside_of_the_limits(
    step: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = run_main(["evaluate", str(answer(step, 20_000))])

    assert code == 1
    size = (step / "GITHUB_STEP_SUMMARY").stat().st_size
    assert 1_000 < size <= MAX_SUMMARY
    said = [line for line in capfd.readouterr().out.splitlines() if line.startswith("::")]
    assert [github_command(line).name for line in said] == ["error"] * 10
    outputs = outputs_in((step / "GITHUB_OUTPUT").read_text("utf-8"))
    assert outputs["exit-code"] == "1"
    assert len(json.loads(outputs["blocked-tasks"])) == 1_000


@pytest.mark.parametrize(("status", "code"), [("PASSED", 5), ("FAILED", 1)])
def test_outputs_that_cannot_be_written_cost_the_green(
    step: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
    status: str, code: int
) -> None:  # fmt: skip
    monkeypatch.setenv("GITHUB_OUTPUT", str(step))

    assert run_main(["evaluate", str(answer(step, 20, status))]) == code

    assert "GITHUB_OUTPUT could not be written: Is a directory" in capfd.readouterr().err
