"""A list of tasks is read as a whole or refused: never cut, never passed over in part."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.cli.options.tasks import NamedTask, parse_task_list, select_tasks
from precheck_gate.errors import UsageError
from tests.support.outcome import ID, OTHER, PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate

MEBIBYTE = 1024 * 1024
COMMENTS = "# a comment\n" * (17 * MEBIBYTE // 12)
LONG_LIST = f"{ID}\n{COMMENTS}{OTHER}\n".encode()
NOWHERE = "http://127.0.0.1:9"


def selected(value: Any) -> list[str]:
    return select_tasks(parse_task_list(json.dumps(value).encode(), "outputs.json"))


def refused(value: Any) -> str:
    with pytest.raises(UsageError) as caught:
        selected(value)
    return caught.value.message


# -- one bound, whatever the list comes from ------------------------------------------------------


def child(gate: Gate, *argv: str, stdin: Any = subprocess.DEVNULL) -> tuple[int, str]:
    """Run the program with this standard input."""
    command = [sys.executable, "-m", "precheck_gate", "run", "--endpoint", NOWHERE]
    command += ["--project-id", PROJECT, *gate.outputs, *argv]
    given = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **given)
    return done.returncode, done.stdout.decode()


def test_a_stream_beyond_the_bound_is_refused_and_not_cut(gate: Gate) -> None:
    code, text = child(gate, "--tasks-from", "-", stdin=LONG_LIST)
    assert code == 2, text
    assert "The list of tasks stdin" in text
    assert "larger than 16 MiB" in text


def test_a_file_beyond_the_bound_is_refused_alike(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "tasks.txt"
    file.write_bytes(LONG_LIST)
    outcome = gate.main("run", "--tasks-from", str(file), *gate.outputs)
    assert outcome.code == 2
    outcome.reports(f"The list of tasks {file}", "larger than 16 MiB")


def test_a_file_without_an_end_is_refused(gate: Gate) -> None:
    outcome = gate.main("run", "--tasks-from", "/dev/zero", *gate.outputs)
    assert outcome.code == 2
    outcome.reports("The list of tasks /dev/zero", "larger than 16 MiB")


def test_a_stream_without_an_end_is_refused(gate: Gate) -> None:
    with open("/dev/zero", "rb") as zero:  # noqa: PTH123
        code, text = child(gate, "--tasks-from", "-", stdin=zero)
    assert (code, "larger than 16 MiB" in text) == (2, True), text


def test_a_list_up_to_the_bound_is_read(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "tasks.txt"
    rest = 16 * MEBIBYTE - len(ID) - 2
    file.write_bytes(f"{ID}\n#{'x' * rest}".encode())
    assert file.stat().st_size == 16 * MEBIBYTE
    outcome = gate.main("run", "--tasks-from", str(file), *gate.outputs)
    assert outcome.code == 2
    outcome.reports("Neither an endpoint nor a region is given")


# -- no output of Terraform is passed over that may hold tasks ------------------------------------

MISTYPED = [ID[:-1], OTHER + "x"]


@pytest.mark.parametrize(
    "value",
    [
        MISTYPED,
        {"orders": MISTYPED[0]},
        MISTYPED[0],
        ID.replace("-", "_"),
        ID.replace("-", " "),
        f" {ID} ",
        ID[:23],
        [[OTHER]],
        {"orders": {"task": OTHER}},
        {"orders": [OTHER]},
        [{"id": OTHER}],
        [{OTHER: True}],
        {OTHER: 1},
        ["orders", "sessions"],
        [None, "orders"],
    ],
    ids=repr,
)
def test_an_output_that_may_hold_tasks_is_not_passed_over_beside_a_good_one(value: Any) -> None:
    region = {"value": "eu-west-101"}
    message = refused({"good": {"value": [ID]}, "other": {"value": value}, "region": region})
    assert "outputs.json" in message
    assert "good, other" in message
    assert "region" not in message


@pytest.mark.parametrize(
    "value", ["eu-west-101", "054ba152d480d55b2f5dc0069e7ddef0", 3, True, None, [], {}, [1, 2]]
)
def test_an_output_that_can_hold_no_task_is_passed_over(value: Any) -> None:
    assert selected({"tasks": {"value": [ID, OTHER]}, "other": {"value": value}}) == [ID, OTHER]


@pytest.mark.parametrize("value", [[[OTHER]], {"orders": {"task": OTHER}}, [ID, [OTHER]]])
def test_ids_a_level_deeper_are_refused_with_their_place(value: Any) -> None:
    assert "outputs.json: tasks" in refused({"tasks": {"value": value}})


# -- where it is wrong ----------------------------------------------------------------------------


def test_every_wrong_entry_of_a_json_list_has_its_place() -> None:
    message = refused([ID, "x", 7, None, {"a": 1}])
    for place in ("[1]", "[2]", "[3]", "[4]"):
        assert f"outputs.json: {place}: " in message, message
    assert "[0]" not in message


def test_entries_of_a_map_have_the_place_of_their_key() -> None:
    assert "outputs.json: orders: " in refused({"orders": "x", "sessions": ID})


def test_an_id_twice_in_json_names_both_places() -> None:
    message = refused({"orders": ID, "sessions": ID})
    assert "outputs.json: sessions: " in message
    assert "first in orders" in message


def test_a_slip_of_the_pen_is_said_by_its_kind() -> None:
    message = refused([ID[:-1]])
    assert "35 characters" in message
    assert select_tasks([NamedTask(ID, "the command line")]) == [ID]
