"""What stands in a list of tasks is never repeated: it may come from beside a password."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.cli.options.tasks import NamedTask, parse_task_list, select_tasks
from precheck_gate.errors import UsageError
from tests.support.outcome import ID, OTHER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate

SECRET = "correct horse battery"

OUTPUTS = {
    "tasks": {"sensitive": False, "type": ["list", "string"], "value": [ID]},
    "db": {"sensitive": True, "type": "string", "value": SECRET},
}

LISTS: dict[str, str] = {
    "a stray line before JSON": f"Warning: x\n{json.dumps(OUTPUTS, indent=2)}",
    "a stray line behind JSON": f"{json.dumps(OUTPUTS, indent=2)}\n{SECRET}\n",
    "an object under an output": json.dumps({"db": {"value": {"user": "root", "pw": SECRET}}}),
    "the object of an output": json.dumps({"user": "root", "password": SECRET}),
    "the object of an output, deeper": json.dumps({"db": {"password": SECRET}}),
    "an output of its own": json.dumps(SECRET),
    "among IDs": json.dumps([ID, SECRET]),
    "as a key": json.dumps({SECRET: "x"}),
    "as the name of an output": json.dumps({SECRET: {"value": [ID]}, "b": {"value": [OTHER]}}),
    "as a key that stands twice": f'{{"{SECRET}": "{ID}", "{SECRET}": "{OTHER}"}}',
    "as a number": '{"pin": 123123123123123e999999999999999999}',
    "a line": f"{ID}\n{SECRET}\n",
    "a setting": f"password = {SECRET}\n",
    "broken JSON": f'["{SECRET}',
}


@pytest.mark.parametrize("content", LISTS.values(), ids=LISTS)
def test_a_list_is_not_quoted_anywhere(gate: Gate, tmp_path: Path, content: str) -> None:
    file = tmp_path / "tasks.txt"
    file.write_text(content, encoding="utf-8")
    formats = ("html", "sarif", "codequality", "markdown", "dotenv")
    reports = [f"--report={name}={gate.folder / name}" for name in formats]
    outcome = gate.main(
        "run", "--tasks-from", str(file), *gate.outputs, *reports, "--ci", "github", "--verbose"
    )
    assert outcome.code == 2
    outcome.reports(str(file))
    written = [path.read_text("utf-8") for path in gate.folder.iterdir()]
    for text in (outcome.out, outcome.err, *written):
        for word in (SECRET, "battery", "123123123123123"):
            assert word not in text


@pytest.mark.parametrize("content", LISTS.values(), ids=LISTS)
def test_what_is_wrong_is_said_with_its_place(content: str) -> None:
    with pytest.raises(UsageError) as caught:
        select_tasks(parse_task_list(content.encode(), "tasks.txt"))
    assert "tasks.txt" in caught.value.message
    assert SECRET not in caught.value.message


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(f"orders number {number}" for number in range(20_000)),
        json.dumps([f"orders number {number}" for number in range(20_000)]),
        json.dumps({f"orders_{number}": {"value": [ID]} for number in range(20_000)}),
        "\n".join([ID] * 20_000),
    ],
    ids=["lines", "json", "outputs", "twice"],
)
def test_a_message_is_bounded_whatever_is_wrong(content: str) -> None:
    with pytest.raises(UsageError) as caught:
        select_tasks(parse_task_list(content.encode(), "tasks.txt"))
    assert len(caught.value.message) < 4000
    assert "more" in caught.value.message


def test_arguments_are_bounded_too() -> None:
    with pytest.raises(UsageError) as caught:
        select_tasks([NamedTask(f"task-{number}", "the command line") for number in range(20_000)])
    assert len(caught.value.message) < 4000
    assert "and 19,980 more" in caught.value.message


def outputs_beside(value: Any) -> bytes:
    return json.dumps({"tasks": {"value": value}, "db": {"value": SECRET}}).encode()


def test_a_good_list_beside_a_secret_is_used() -> None:
    named = parse_task_list(outputs_beside([ID, OTHER]), "outputs.json")
    assert select_tasks(named) == [ID, OTHER]
