"""The verdict as variables: one a line, small, and nothing in them that acts."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precheck_gate.model.verdicts import Verdict
from precheck_gate.reports.dotenv import DotenvReporter
from tests.support.evaluating import DOTENV_NAMES
from tests.support.harness import task_id
from tests.support.paths import ROOT
from tests.support.verdicts import HOSTILE, about_run, finding, hostile_task, task, written

if TYPE_CHECKING:
    from pathlib import Path


GITLAB_BYTES = 5 * 1024
GITLAB_VARIABLES = 20


def gitlab(text: str) -> dict[str, str]:
    """Read as GitLab's parser does: by line, up to the first ``=``, nothing unquoted."""
    assert len(text.encode()) < GITLAB_BYTES
    values: dict[str, str] = {}
    for line in text.splitlines():
        found = re.fullmatch(r"(.*?)=(.*)", line)
        assert found is not None, "GitLab refuses the whole file"
        name, value = found[1].strip(), found[2].strip()
        assert re.fullmatch(r"[A-Za-z0-9_]+", name)
        assert value == found[2], "GitLab strips blanks"
        assert name not in values
        values[name] = value
    assert len(values) <= GITLAB_VARIABLES
    return {name.removeprefix("PRECHECK_GATE_"): value for name, value in values.items()}


def test_the_variables_say_what_the_run_came_to() -> None:
    tasks = [task(task_id(1)), task(task_id(2), finding()),
             task(task_id(3), finding(Verdict.PASSED_WITH_WARNINGS))]  # fmt: skip
    text = written("dotenv", tasks, exit_code=1)
    assert text.splitlines() == [
        "PRECHECK_GATE_VERDICT=blocked",
        "PRECHECK_GATE_EXIT_CODE=1",
        f'PRECHECK_GATE_READY_TASKS=["{task_id(1)}","{task_id(3)}"]',
        f'PRECHECK_GATE_BLOCKED_TASKS=["{task_id(2)}"]',
        "PRECHECK_GATE_READY_COUNT=2",
        "PRECHECK_GATE_BLOCKED_COUNT=1",
        "PRECHECK_GATE_WARNINGS=1",
        "PRECHECK_GATE_LEFT_OUT=none",
    ]
    assert list(gitlab(text)) == DOTENV_NAMES


def test_what_speaks_against_the_run_leaves_nothing_ready() -> None:
    values = gitlab(written("dotenv", [task(task_id(1))], about_run()))
    assert values["READY_TASKS"] == "[]"
    assert json.loads(values["BLOCKED_TASKS"]) == [task_id(1)]


def test_a_list_that_does_not_fit_is_left_out_whole_and_said() -> None:
    tasks = [task(task_id(number)) for number in range(500)]
    values = gitlab(written("dotenv", tasks))
    assert values["READY_TASKS"] == "[]"
    assert values["READY_COUNT"] == "500"
    assert values["LEFT_OUT"] == "ready_tasks"


def test_of_two_lists_that_do_not_fit_together_the_ready_one_stays() -> None:
    tasks = [task(task_id(number), *([finding()] if number % 2 else [])) for number in range(200)]
    values = gitlab(written("dotenv", tasks))
    assert len(json.loads(values["READY_TASKS"])) == 100
    assert values["BLOCKED_TASKS"] == "[]"
    assert values["BLOCKED_COUNT"] == "100"
    assert values["LEFT_OUT"] == "blocked_tasks"


def test_of_two_lists_that_are_both_too_long_none_stays() -> None:
    tasks = [task(task_id(number), *([finding()] if number % 2 else [])) for number in range(600)]
    values = gitlab(written("dotenv", tasks))
    assert (values["READY_TASKS"], values["BLOCKED_TASKS"]) == ("[]", "[]")
    assert values["LEFT_OUT"] == "ready_tasks,blocked_tasks"


@given(st.integers(0, 300), st.integers(0, 300), st.integers(260, 5_000))
def test_a_list_is_whole_or_empty_and_the_file_never_too_large(
    ready: int, blocked: int, most: int
) -> None:
    tasks = [task(task_id(number)) for number in range(ready)]
    tasks += [task(task_id(1000 + number), finding()) for number in range(blocked)]
    text = written(lambda out: DotenvReporter(out, max_bytes=most), tasks)
    assert len(text.encode()) <= most
    values = gitlab(text)
    for name, number in (("READY", ready), ("BLOCKED", blocked)):
        listed = len(json.loads(values[f"{name}_TASKS"]))
        assert values[f"{name}_COUNT"] == str(number)
        left_out = f"{name}_TASKS".lower() in values["LEFT_OUT"].split(",")
        assert listed == (0 if left_out else number)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_stays_one_value(text: str) -> None:
    one = task(text)
    values = gitlab(written("dotenv", [one]))
    assert json.loads(values["READY_TASKS"]) in ([one.task_id], [])
    assert not re.search(r"[$`;#'<>(){}&|*?!\s]", values["READY_TASKS"].replace(" ", ""))


def test_hostile_findings_do_not_reach_the_variables() -> None:
    plain = written("dotenv", [task(hostile_task().task_id, finding())])
    values, expected = gitlab(written("dotenv", [hostile_task()])), gitlab(plain)
    values.pop("WARNINGS")
    expected.pop("WARNINGS")
    assert values == expected


def test_a_shell_reads_the_lists_as_json(tmp_path: Path) -> None:
    hostile = [task(text) for text in HOSTILE if len(text) < 100]
    file = tmp_path / "gate.env"
    file.write_text(written("dotenv", hostile), encoding="utf-8")
    script = (
        'while IFS= read -r line; do export "$line"; done < "$1"\n'
        'printf "%s" "$PRECHECK_GATE_READY_TASKS"'
    )
    done = subprocess.run(
        ["bash", "-c", script, "bash", str(file)], capture_output=True, check=True, timeout=20
    )
    assert json.loads(done.stdout) == [one.task_id for one in hostile]


def test_the_same_run_gives_the_same_bytes() -> None:
    tasks = [hostile_task(), task()]
    assert written("dotenv", tasks) == written("dotenv", tasks)


def test_the_facts_of_an_error_are_told() -> None:
    values = gitlab(written("dotenv", [], about_run(title="usage"), exit_code=2))
    assert (values["VERDICT"], values["EXIT_CODE"]) == ("error", "2")


def test_every_variable_is_documented() -> None:
    page = ROOT / "docs" / "reports-ci.md"
    rows = re.findall(
        r"^\| `PRECHECK_GATE_(\w+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert rows == DOTENV_NAMES
