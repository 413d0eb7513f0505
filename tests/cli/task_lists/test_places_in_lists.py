"""Where each entry of a list of tasks is refused and as what, whatever form the list has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from precheck_gate.cli.options.tasks import NamedTask, parse_task_list, select_tasks
from precheck_gate.errors import DocumentError, Problem, UsageError
from precheck_gate.model.snapshots import is_task_id
from tests.support.harness import OTHER, TASK, task_id

FILE = "tasks.txt"
HIDDEN = "correct horse battery"


def named(value: Any) -> list[NamedTask]:
    return parse_task_list(json.dumps(value).encode(), FILE)


def problems(tasks: list[NamedTask]) -> list[Problem]:
    with pytest.raises(DocumentError) as caught:
        select_tasks(tasks)
    assert caught.value.hint
    return list(caught.value.problems)


def refused(value: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        select_tasks(named(value))
    return caught.value


# --- IDs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (TASK, True),
        (TASK.upper(), True),
        (f"{TASK}\n", False),
        (f" {TASK}", False),
        (TASK[:-1], False),
        (TASK + "1", False),
        (TASK.replace("-", "x"), False),
        ("", False),
    ],
)
def test_an_id_has_its_form_and_nothing_around_it(text: str, right: bool) -> None:
    assert is_task_id(text) is right


def test_nothing_named_is_an_error_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="No task is named") as caught:
        select_tasks([])
    assert "--tasks-from" in caught.value.hint


# --- lines ----------------------------------------------------------------------------------------


def test_each_line_has_one_id_and_comments_are_none() -> None:
    content = f"# ours\n\n{TASK}  # first\r\n\t{OTHER}#second\n  # end\n".encode()
    tasks = parse_task_list(content, FILE)
    assert tasks == [
        NamedTask(TASK, FILE, 3, in_file=True),
        NamedTask(OTHER, FILE, 4, in_file=True),
    ]
    assert select_tasks(tasks) == [TASK, OTHER]


def test_a_wrong_line_has_its_place_and_is_not_repeated() -> None:
    [problem] = problems(parse_task_list(f"{TASK}\n{HIDDEN}\n".encode(), FILE))
    assert (problem.file, problem.line, problem.column, problem.path) == (FILE, 2, 1, "")
    assert HIDDEN not in problem.message


def test_a_wrong_argument_has_no_line_and_is_repeated() -> None:
    [problem] = problems([NamedTask("orders", "the command line")])
    assert (problem.file, problem.line, problem.column) == ("the command line", 0, 0)
    assert "orders" in problem.message


@pytest.mark.parametrize(
    ("first", "place"),
    [
        (NamedTask(TASK, FILE, 7, in_file=True), "line 7"),
        (NamedTask(TASK, FILE, path="orders", in_file=True), "orders"),
        (NamedTask(TASK, "the command line"), "the command line"),
    ],
)
def test_an_id_twice_says_where_it_is_first(first: NamedTask, place: str) -> None:
    [problem] = problems([first, NamedTask(TASK, FILE, 9, in_file=True)])
    assert (problem.line, problem.hint) == (9, f"first in {place}")
    assert "twice" in problem.message
    assert TASK in problem.message


# --- what it is instead ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (True, "true or false"),
        (False, "true or false"),
        ([], "a list"),
        ({}, "an object"),
        (7, "a number"),
        (7.5, "a number"),
    ],
)
def test_what_is_no_text_is_called_by_its_kind(value: Any, kind: str) -> None:
    for document, path in (([TASK, value], "[1]"), ({"a": TASK, "b": value}, "b")):
        [problem] = problems(named(document))
        assert problem.message.startswith(kind)
        assert (problem.path, problem.line, problem.column) == (path, 0, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TASK[:-1], "35 characters, not 36"),
        (TASK + "x", "37 characters, not 36"),
        (TASK.replace("-", "_"), "wrong characters"),
        (HIDDEN, ""),
        ("orders", ""),
        ("1" * 36, ""),
        ("a-b-c-d-e-f-g-h-i-j-k-l", ""),
    ],
)
def test_what_looks_like_an_id_is_called_so_by_what_is_wrong(text: str, said: str) -> None:
    [problem] = problems(named([text]))
    assert ("looks like" in problem.message) == bool(said)
    assert said in problem.message
    assert text not in problem.message


# --- JSON -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["", " ", "\n\t", "\ufeff"])
@pytest.mark.parametrize("value", [TASK, [TASK], {"orders": TASK}])
def test_json_is_known_by_how_it_begins(before: str, value: Any) -> None:
    content = (before + json.dumps(value)).encode()
    if before.strip(" \n\t"):
        content = before.encode() + json.dumps(value).encode()
    assert select_tasks(parse_task_list(content, FILE)) == [TASK]


def test_entries_have_paths() -> None:
    assert named([TASK, OTHER]) == [
        NamedTask(TASK, FILE, path="[0]", in_file=True),
        NamedTask(OTHER, FILE, path="[1]", in_file=True),
    ]
    assert [one.path for one in named({"a": TASK, "b": OTHER})] == ["a", "b"]
    assert [one.path for one in named({"out": {"value": {"a": TASK}}})] == ["out.a"]
    assert [one.path for one in named({"out": {"value": [TASK]}})] == ["out[0]"]
    assert [one.path for one in named({"out": {"value": TASK}})] == ["out"]
    assert [one.path for one in named(TASK)] == [""]


def test_a_key_that_may_be_a_secret_is_numbered() -> None:
    paths = [one.path for one in named({"a": TASK, HIDDEN: OTHER, TASK: "x", "b" * 61: "y"})]
    assert paths == ["a", "(key 2)", TASK, "(key 4)"]
    assert [one.path for one in named({"b" * 60: TASK, "9": TASK, "_x-1": TASK})] == [
        "b" * 60,
        "(key 2)",
        "_x-1",
    ]


def test_a_key_that_looks_like_a_credential_is_numbered() -> None:
    [task] = named({"x9k2m4p7q1w8e3r5t6": TASK})
    assert task.path == "(key 1)"


def test_the_number_of_a_hidden_output_is_its_place_among_all() -> None:
    outputs = {"region": {"value": "eu"}, HIDDEN: {"value": [TASK, "x"]}}
    [problem] = problems(named(outputs))
    assert problem.path == "(key 2)[1]"


@pytest.mark.parametrize("value", [[], {}, {"out": {"value": []}}, {"out": {"value": {}}}])
def test_json_without_an_entry_names_no_task(value: Any) -> None:
    error = refused(value)
    assert "names no task" in error.message
    assert error.hint


# --- what Terraform prints ------------------------------------------------------------------------


@pytest.mark.parametrize("value", [{"out": {"value": TASK}, "b": TASK}, {"out": {"values": TASK}}])
def test_an_object_of_which_not_all_are_outputs_is_a_map_of_ids(value: dict[str, Any]) -> None:
    assert problems(named(value))[0].path == "out"


@pytest.mark.parametrize("value", [7, None, "value", ["value"], [["value"]]])
def test_a_map_of_which_an_entry_is_no_object_is_no_list_of_outputs(value: Any) -> None:
    [problem] = problems(named({"orders": value, "sessions": OTHER}))
    assert problem.path == "orders"


@pytest.mark.parametrize("value", [7, None, "eu-west-101", [1]])
def test_the_only_output_is_the_one_that_is_meant(value: Any) -> None:
    assert problems(named({"out": {"value": value}}))[0].path.startswith("out")


@pytest.mark.parametrize(
    ("value", "likely"),
    [
        ("1234567-1234567-1234", True),
        ("1234567-1234567-123", False),
        ("abcdefg-abcdefg-abcd", False),
        ("1234567-12345671234567", False),
        ("1234567 1234567\n1234567", True),
        ("1234567\u20101234567\u20151234567", True),
        ("x.1234567-1234567-1234567", False),
        ([[], [["x"]]], True),
        ([[], [[1]]], False),
        ({"a": {"b": "x"}}, True),
        ({"a": {"b": None}}, False),
        ({TASK[:-1]: None}, True),
        ([1, {TASK: 2}], True),
        ([True, None, 3], False),
    ],
)
def test_only_an_output_that_may_hold_ids_stands_beside_the_good_one(
    value: Any, likely: bool
) -> None:
    outputs = {"good": {"value": [TASK]}, "other": {"value": value}}
    if likely:
        error = refused(outputs)
        assert "good, other" in error.message
        assert "terraform output -json NAME" in error.hint
    else:
        assert select_tasks(named(outputs)) == [TASK]


def test_where_no_output_may_hold_ids_all_are_named() -> None:
    error = refused({"region": {"value": "eu"}, "count": {"value": 3}})
    assert "2 outputs" in error.message
    assert "region, count." in error.message


@pytest.mark.parametrize(
    ("count", "more"), [(10, ""), (11, "and 1 more"), (1030, "and 1,020 more")]
)
def test_ten_outputs_are_named_and_the_rest_is_counted(count: int, more: str) -> None:
    outputs = {f"out_{number}": {"value": task_id(number)} for number in range(count)}
    message = refused(outputs).message
    assert f"{count:,} outputs" in message
    assert "out_9" in message
    assert "out_10" not in message
    assert more in message
    assert ("more" in message) == bool(more)


# --- no list at all -------------------------------------------------------------------------------


def test_what_is_not_utf_8_says_so_and_what_to_do() -> None:
    with pytest.raises(UsageError, match="not UTF-8") as caught:
        parse_task_list(b"\xff", FILE)
    assert caught.value.hint


def test_broken_json_says_so_without_its_keys() -> None:
    content = f'{{"{HIDDEN}": 1, "{HIDDEN}": 2}}'.encode()
    with pytest.raises(UsageError, match="not JSON") as caught:
        parse_task_list(content, FILE)
    assert HIDDEN not in caught.value.message
    assert "terraform" in caught.value.hint
