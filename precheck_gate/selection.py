"""Which tasks to ask for: IDs as arguments, lists, JSON, and what Terraform puts out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from precheck_gate import strictjson
from precheck_gate.errors import DocumentError, Problem, UsageError
from precheck_gate.slips import quoted
from precheck_gate.text import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["NamedTask", "is_task_id", "parse_task_list", "select_tasks"]

# The service's "UUID rule" is not RFC 4122: the last group ends in letters such as jb101.
_TASK_ID = re.compile(
    r"[0-9A-Za-z]{8}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{12}"
)
_FORM = "a task's ID looks like 140b5236-88ad-43c8-811c-1268453jb101"
_NONE_HINT = "Name them as arguments, or with --tasks-from."


@dataclass(frozen=True, slots=True)
class NamedTask:
    """A task's ID and where it was named: a file, and a line from 1 (0: none)."""

    task_id: str
    file: str
    line: int = 0


def is_task_id(text: str) -> bool:
    """Return whether ``text`` has the form of a DRS task's ID (36 characters, 8-4-4-4-12)."""
    return _TASK_ID.fullmatch(text) is not None


def select_tasks(named: Sequence[NamedTask]) -> list[str]:
    """Return the IDs of the tasks to ask for, in order.

    Raises:
        DocumentError: an ID twice, or one of the wrong form; all of them are listed.
        UsageError: none at all.
    """
    if not named:
        raise UsageError("No task is named.", hint=_NONE_HINT)
    problems: list[Problem] = []
    seen: dict[str, NamedTask] = {}
    for task in named:
        if not is_task_id(task.task_id):
            problems.append(_problem(task, f"{quoted(task.task_id)} is not a task's ID", _FORM))
        elif task.task_id in seen:
            first = seen[task.task_id]
            hint = f"first in line {first.line}" if first.line else f"first in {first.file}"
            problems.append(_problem(task, f"the task {task.task_id} is named twice", hint))
        else:
            seen[task.task_id] = task
    if problems:
        raise DocumentError("The list of tasks cannot be used.", problems)
    return list(seen)


def _problem(task: NamedTask, message: str, hint: str) -> Problem:
    return Problem(message, task.file, line=task.line, column=1 if task.line else 0, hint=hint)


def parse_task_list(content: bytes, file: str) -> list[NamedTask]:
    """Read a list of tasks: one ID a line with # comments, or JSON.

    JSON is an array of IDs, or what ``terraform output -json`` prints: with a name, that output's
    value (an ID, a list or a map of IDs); without, an object of outputs with ``value`` each, of
    which exactly one may hold IDs of tasks.

    Raises:
        UsageError: not UTF-8, not one of these forms, or no ID in it.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"The list of tasks {file} is not UTF-8.", hint=_NONE_HINT) from None
    if text.lstrip()[:1] in ("[", "{", '"'):
        named = [NamedTask(task_id, file) for task_id in _from_json(content, file)]
    else:
        named = list(_from_lines(text, file))
    if not named:
        raise UsageError(
            f"The list of tasks {file} names no task.",
            hint="Put one ID in a line, or a JSON array.",
        )
    return named


def _from_lines(text: str, file: str) -> Iterable[NamedTask]:
    for number, line in enumerate(text.splitlines(), start=1):
        task_id = line.partition("#")[0].strip()
        if task_id:
            yield NamedTask(task_id, file, number)


def _from_json(content: bytes, file: str) -> list[str]:
    try:
        value = strictjson.loads(content)
    except ValueError as error:
        raise UsageError(
            f"The list of tasks {file} is not JSON: {clean_line(shorten(str(error), 200))}.",
            hint="Give a JSON array of IDs, or what 'terraform output -json' prints.",
        ) from None
    if _is_terraform(value):
        return _from_terraform(value, file)
    return _texts(value, file)


def _is_terraform(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(output, dict) and "value" in output for output in value.values())
    )


def _from_terraform(outputs: dict[str, Any], file: str) -> list[str]:
    # An output counts as soon as one of its texts looks like an ID: a list with one mistyped ID
    # has to be refused, and not passed over for another list.
    likely = {
        name: output["value"]
        for name, output in outputs.items()
        if len(outputs) == 1 or any(map(is_task_id, _strings(output["value"])))
    }
    if len(likely) != 1:
        candidates = list(likely) if len(likely) > 1 else list(outputs)
        names = ", ".join(map(clean_line, candidates))
        raise UsageError(
            f"{file} has {len(outputs)} outputs, and not exactly one of them holds IDs of tasks"
            f" ({shorten(names, 200)}).",
            hint="Name the one that is meant: terraform output -json NAME.",
        )
    return _texts(next(iter(likely.values())), file)


def _strings(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case list():
            return [one for one in value if isinstance(one, str)]
        case dict():
            return [one for one in value.values() if isinstance(one, str)]
        case _:
            return []


def _texts(value: Any, file: str) -> list[str]:
    entries: Any = list(value.values()) if isinstance(value, dict) else value
    if isinstance(entries, str):
        entries = [entries]
    if not isinstance(entries, list) or not all(isinstance(one, str) for one in entries):
        raise UsageError(
            f"The list of tasks {file} has something in it that is not a task's ID as text.",
            hint="Give a JSON array of IDs, or what 'terraform output -json' prints.",
        )
    return entries
