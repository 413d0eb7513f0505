"""Which tasks to ask for: IDs as arguments, lists, JSON, and what Terraform puts out.

A list may come from beside a password (``terraform output -json``): a message has the place and
the kind of what is wrong in a file, and never a word of what stands there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from precheck_gate.documents import strict_json
from precheck_gate.errors import DocumentError, Problem, UsageError
from precheck_gate.safetext.pasted_secrets import looks_like_secret, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["NamedTask", "is_task_id", "parse_task_list", "select_tasks"]

# The service's "UUID rule" is not RFC 4122: the last group ends in letters such as jb101.
_TASK_ID = re.compile(
    r"[0-9A-Za-z]{8}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{12}"
)
# Words of letters and digits with signs between: an ID with a mistake in it, or with a part lost.
_LIKE_A_TASK_ID = re.compile(r"(?=.*\d)[^\W_]+(?:[\s_\u2010-\u2015-]+[^\W_]+){2,}", re.DOTALL)
_LEAST_LIKE = 20
_ID_LENGTH = 36
_NAME = re.compile(r"[A-Za-z_][0-9A-Za-z_-]{0,59}")
_HINT = (
    "A task's ID looks like 140b5236-88ad-43c8-811c-1268453jb101; give each once, as an argument, "
    "a line, or a text in a JSON array."
)
_NONE_HINT = "Name them as arguments, or with --tasks-from."
_FORM_HINT = "Give a JSON array of IDs, or what 'terraform output -json' prints."
_MOST_NAMES = 10


@dataclass(frozen=True, slots=True)
class NamedTask:
    """A task's ID and where it was named.

    Attributes:
        task_id: the text that should be an ID.
        file: the file, or the option or variable.
        line: in the file, from 1; 0 where there is none.
        path: the place in JSON, such as ``orders`` or ``[3]``.
        in_file: whether the text comes from a file, so that no message may repeat it.
        instead: what there is, where it is no text: "a number".
    """

    task_id: str
    file: str
    line: int = 0
    path: str = ""
    in_file: bool = False
    instead: str = ""


def is_task_id(text: str) -> bool:
    """Return whether ``text`` has the form of a DRS task's ID (36 characters, 8-4-4-4-12)."""
    return _TASK_ID.fullmatch(text) is not None


def select_tasks(named: Sequence[NamedTask]) -> list[str]:
    """Return the IDs of the tasks to ask for, in order.

    Raises:
        DocumentError: an ID twice, or one of the wrong form; with the place of each.
        UsageError: none at all.
    """
    if not named:
        raise UsageError("No task is named.", hint=_NONE_HINT)
    problems: list[Problem] = []
    seen: dict[str, NamedTask] = {}
    for task in named:
        if not is_task_id(task.task_id):
            problems.append(_problem(task, _complaint(task), ""))
        elif task.task_id in seen:
            hint = f"first in {_place(seen[task.task_id])}"
            problems.append(_problem(task, f"the task {task.task_id} is named twice", hint))
        else:
            seen[task.task_id] = task
    if problems:
        raise DocumentError("The list of tasks cannot be used.", problems, hint=_HINT)
    return list(seen)


def _complaint(task: NamedTask) -> str:
    if task.instead:
        return f"{task.instead} is not a task's ID"
    if not task.in_file:
        return f"{quoted(task.task_id)} is not a task's ID"
    if not _is_like_a_task_id(task.task_id):
        return "this is not a task's ID"
    length = len(task.task_id)
    kind = f"{length} characters, not {_ID_LENGTH}" if length != _ID_LENGTH else "the wrong signs"
    return f"this is not a task's ID, but looks like one with {kind}"


def _is_like_a_task_id(text: str) -> bool:
    return len(text) >= _LEAST_LIKE and _LIKE_A_TASK_ID.fullmatch(text.strip()) is not None


def _place(task: NamedTask) -> str:
    return task.path or (f"line {task.line}" if task.line else task.file)


def _problem(task: NamedTask, message: str, hint: str) -> Problem:
    column = 1 if task.line else 0
    return Problem(message, task.file, line=task.line, column=column, path=task.path, hint=hint)


def parse_task_list(content: bytes, file: str) -> list[NamedTask]:
    """Read a list of tasks: one ID a line with # comments, or JSON.

    JSON is an array of IDs, or what ``terraform output -json`` prints: with a name, that output's
    value (an ID, a list or a map of IDs); without, an object of outputs with ``value`` each, of
    which exactly one may hold IDs of tasks. An output is passed over only where it can hold none:
    a list or a map of texts might be one whose IDs are mistyped or stand a level deeper.

    What is no ID is returned as well, for `select_tasks` to refuse with its place.

    Raises:
        UsageError: not UTF-8, not one of these forms, or no ID in it.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"The list of tasks {file} is not UTF-8.", hint=_NONE_HINT) from None
    named = list(
        _from_json(content, file)
        if text.lstrip()[:1] in ("[", "{", '"')
        else _from_lines(text, file)
    )
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
            yield NamedTask(task_id, file, number, in_file=True)


def _from_json(content: bytes, file: str) -> Iterator[NamedTask]:
    try:
        value = strict_json.loads(content)
    except ValueError as error:
        raise UsageError(
            f"The list of tasks {file} is not JSON: {strict_json.complaint(error)}.",
            hint=_FORM_HINT,
        ) from None
    if _is_terraform(value):
        return _from_terraform(value, file)
    return _entries(value, file, "")


def _is_terraform(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(output, dict) and "value" in output for output in value.values())
    )


def _from_terraform(outputs: dict[str, Any], file: str) -> Iterator[NamedTask]:
    likely = {
        name: output["value"]
        for name, output in outputs.items()
        if len(outputs) == 1 or _may_hold_tasks(output["value"])
    }
    if len(likely) == 1:
        name, value = next(iter(likely.items()))
        return _entries(value, file, _spelled(name, list(outputs).index(name)))
    names = [
        _spelled(name, index) for index, name in enumerate(outputs) if not likely or name in likely
    ]
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    raise UsageError(
        f"{file} has {len(outputs):,} outputs, and not exactly one of them may hold IDs of tasks:"
        f" {', '.join(names[:_MOST_NAMES])}{more}.",
        hint="Name the one that is meant: terraform output -json NAME.",
    )


def _may_hold_tasks(value: Any) -> bool:
    """Return whether IDs of tasks, right or mistyped, may stand anywhere in an output."""
    if isinstance(value, str):
        return _is_like_a_task_id(value)
    pending = [value]
    while pending:
        match pending.pop():
            case str():
                return True
            case list() as inner:
                pending += inner
            case dict() as inner:
                if any(map(_is_like_a_task_id, inner)):
                    return True
                pending += inner.values()
    return False


def _entries(value: Any, file: str, path: str) -> Iterator[NamedTask]:
    """Yield what stands in an ID, a list or a map of IDs."""
    match value:
        case list():
            entries = [(f"{path}[{index}]", one) for index, one in enumerate(value)]
        case dict():
            dot = "." if path else ""
            entries = [
                (f"{path}{dot}{_spelled(key, index)}", one)
                for index, (key, one) in enumerate(value.items())
            ]
        case _:
            entries = [(path, value)]
    for place, one in entries:
        text = one if isinstance(one, str) else ""
        instead = "" if isinstance(one, str) else _kind(one)
        yield NamedTask(text, file, path=place, in_file=True, instead=instead)


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "a number"


def _spelled(key: str, index: int) -> str:
    """Return a key where it can be nothing but a name, else which one it is."""
    if is_task_id(key) or (_NAME.fullmatch(key) and not looks_like_secret(key)):
        return key
    return f"(key {index + 1})"
