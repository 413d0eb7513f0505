"""Which tasks a command line means: IDs, lists in files, and ``--select`` conditions.

A list of tasks may hold a password (``terraform output -json``): of what is wrong in a file, a
message shows the place and the kind, and never the text.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from precheck_gate.cli.options import PREFIX, EnvironmentArgument
from precheck_gate.documents import strict_json
from precheck_gate.errors import DocumentError, Problem, ServiceError, UsageError, unreadable
from precheck_gate.model.snapshots import is_task_id
from precheck_gate.runtime.reading import TooLarge, read_descriptor, read_file
from precheck_gate.safetext.cleaning import clean_line, few, shorten
from precheck_gate.safetext.pasted_secrets import looks_like_secret, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from precheck_gate.drs.api.v3_wire import TaskPage
    from precheck_gate.model.snapshots import About

TASKS_VARIABLE = f"{PREFIX}TASKS"
_VARIABLES = {
    "tasks": TASKS_VARIABLE,
    "tasks_from": f"{PREFIX}TASKS_FROM",
    "select": f"{PREFIX}SELECT",
}

tasks_argument = click.argument(
    "tasks", cls=EnvironmentArgument, nargs=-1, envvar=TASKS_VARIABLE, metavar="[TASK_ID]..."
)


# Task IDs

_ID_LENGTH = 36
# Groups of letters and digits: an ID with a typo, or with a part missing.
_LIKE_A_TASK_ID = re.compile(r"(?=.*\d)[^\W_]+(?:[\s_\u2010-\u2015-]+[^\W_]+){2,}", re.DOTALL)
_LEAST_LIKE = 20
_HINT = (
    "A task ID looks like 140b5236-88ad-43c8-811c-1268453jb101. Give each ID once, as an argument, "
    "on a line of its own, or as a string in a JSON array."
)
_NONE_HINT = "Name tasks as arguments, or with --tasks-from."


@dataclass(frozen=True, slots=True)
class NamedTask:
    """A task's ID and where it was named.

    Attributes:
        task_id: the text that should be an ID.
        file: the file, or the option or variable.
        line: in the file, from 1; 0 if unknown.
        path: the place in JSON, such as ``orders`` or ``[3]``.
        in_file: whether the text comes from a file, so that no message may repeat it.
        instead: the kind of a JSON value that is no string, such as "a number".
    """

    task_id: str
    file: str
    line: int = 0
    path: str = ""
    in_file: bool = False
    instead: str = ""


def select_tasks(named: Sequence[NamedTask]) -> list[str]:
    """Return the IDs of the named tasks, in order.

    Raises:
        DocumentError: an ID occurs twice or has the wrong form; lists the place of each.
        UsageError: no task is named.
    """
    if not named:
        raise UsageError("No task is named.", hint=_NONE_HINT)
    problems: list[Problem] = []
    seen: dict[str, NamedTask] = {}
    for task in named:
        if not is_task_id(task.task_id):
            problems.append(_problem(task, _complaint(task), ""))
        elif task.task_id in seen:
            first = seen[task.task_id]
            place = first.path or (f"line {first.line}" if first.line else first.file)
            message = f"the task {task.task_id} is named twice"
            problems.append(_problem(task, message, f"first in {place}"))
        else:
            seen[task.task_id] = task
    if problems:
        raise DocumentError("The list of tasks is invalid.", problems, hint=_HINT)
    return list(seen)


def _complaint(task: NamedTask) -> str:
    if task.instead:
        return f"{task.instead} is not a task ID"
    if not task.in_file:
        return f"{quoted(task.task_id)} is not a task ID"
    if not _is_like_a_task_id(task.task_id):
        return "this is not a task ID"
    length = len(task.task_id)
    wrong = f"{length} characters, not {_ID_LENGTH}" if length != _ID_LENGTH else "wrong characters"
    return f"this is not a task ID, but looks like one with {wrong}"


def _is_like_a_task_id(text: str) -> bool:
    return len(text) >= _LEAST_LIKE and _LIKE_A_TASK_ID.fullmatch(text.strip()) is not None


def _problem(task: NamedTask, message: str, hint: str) -> Problem:
    column = 1 if task.line else 0
    return Problem(message, task.file, line=task.line, column=column, path=task.path, hint=hint)


# What the command line and the environment name


def source_of_tasks(ctx: click.Context, on_command_line: str) -> str:
    """Return what named the parameter ``tasks``, for messages."""
    source = ctx.get_parameter_source("tasks")
    return TASKS_VARIABLE if source is ParameterSource.ENVIRONMENT else on_command_line


def replaced_variables(ctx: click.Context, options: dict[str, Any]) -> list[str]:
    """Remove tasks of the environment from ``options`` where the command line names tasks.

    Whichever way the command line uses, it replaces all others. Returns the variables that are
    ignored because of that.
    """
    sources = {name: ctx.get_parameter_source(name) for name in _VARIABLES}
    if ParameterSource.COMMANDLINE not in sources.values():
        return []
    replaced = [name for name, source in sources.items() if source is ParameterSource.ENVIRONMENT]
    for name in replaced:
        options[name] = None if name == "tasks_from" else ()
    return [_VARIABLES[name] for name in replaced]


MAX_LIST_BYTES = 16 * 1024 * 1024


def named_tasks(options: Mapping[str, Any], source: str) -> list[NamedTask]:
    """Return the tasks that arguments and --tasks-from name.

    Raises:
        UsageError: the list cannot be read, is too large, or names no task.
    """
    named = [NamedTask(task_id, source) for task_id in options["tasks"]]
    file: str | None = options["tasks_from"]
    if not file:
        return named
    name = "stdin" if file == "-" else file
    try:
        content = (
            _read_stdin(options.get("timeout"))
            if file == "-"
            else read_file(Path(file), MAX_LIST_BYTES)
        )
    except OSError as error:
        raise unreadable("The list of tasks", name, error) from None
    return named + parse_task_list(content, name)


def _read_stdin(seconds: float | None) -> bytes:
    try:
        descriptor = sys.stdin.fileno()
    except OSError:  # no file behind it, so nothing to wait for
        content = sys.stdin.buffer.read(MAX_LIST_BYTES + 1)
        if len(content) > MAX_LIST_BYTES:
            raise TooLarge(MAX_LIST_BYTES) from None
        return content
    return read_descriptor(descriptor, MAX_LIST_BYTES, seconds=seconds)


# Lists in files

_NAME = re.compile(r"[A-Za-z_][0-9A-Za-z_-]{0,59}")
_MOST_NAMES = 10


def parse_task_list(content: bytes, file: str) -> list[NamedTask]:
    """Read a list of tasks: one ID per line with # comments, or JSON.

    JSON is an array of IDs, or what ``terraform output -json`` prints: with a name, the value of
    that output (an ID, or a list or map of IDs); without, an object of outputs with a ``value``
    each, of which exactly one may hold task IDs. An output is skipped only if it cannot hold any:
    the IDs in a list or map of strings might be mistyped, or nested one level deeper.

    Also returns what is no ID, for `select_tasks` to refuse with its place.

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
            hint="Put one ID on each line, or use a JSON array.",
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
            hint="Use a JSON array of IDs, or the output of 'terraform output -json'.",
        ) from None
    if (
        isinstance(value, dict)
        and value
        and all(isinstance(output, dict) and "value" in output for output in value.values())
    ):
        return _from_terraform(value, file)
    return _entries(value, file, "")


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
        f"{file} has {len(outputs):,} outputs, and not exactly one of them may hold task IDs:"
        f" {', '.join(names[:_MOST_NAMES])}{more}.",
        hint="Name the right one: terraform output -json NAME.",
    )


def _may_hold_tasks(value: Any) -> bool:
    """Return whether a task ID, correct or mistyped, may occur anywhere in an output."""
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
    """Yield the entries of an ID, or of a list or map of IDs."""
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
    """Return a key that can only be a name, and the number of any other."""
    if is_task_id(key) or (_NAME.fullmatch(key) and not looks_like_secret(key)):
        return key
    return f"(key {index + 1})"


# Conditions on the tasks of a project

KEYS = ("name", "tag:KEY", "status", "type", "engine")
TYPES = ("migration", "sync", "cloudDataGuard")
PAGE_SIZE = 100
_MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: ``key`` is name, status, type, engine or tag; ``tag`` is the tag's key."""

    key: str
    value: str
    tag: str = ""

    def __str__(self) -> str:
        return f"{self.key}{f':{self.tag}' if self.tag else ''}={self.value}"


def parse_filter(text: str) -> Filter:
    """Read a condition.

    Raises:
        ValueError: it is invalid; with a message for users.
    """
    left, _, value = text.partition("=")
    key, colon, tag = left.partition(":")
    if not value:
        raise ValueError(f"{text!r} is not KEY=VALUE, such as name=orders-*")
    if key == "tag" and not tag:
        raise ValueError(f"{text!r} names no tag; write tag:wave=3")
    if key not in ("name", "tag", "status", "type", "engine") or (colon and key != "tag"):
        shown = quoted(left, whole=text)
        raise ValueError(f"there is no condition {shown}; known: {', '.join(KEYS)}")
    if key == "type" and value not in TYPES:
        raise ValueError(f"there is no type {value!r}; known: {', '.join(TYPES)}")
    return Filter(key, value, tag)


def find_tasks(
    filters: Sequence[Filter], ask: Callable[[Mapping[str, Any], int, int], TaskPage]
) -> dict[str, About]:
    """Return the tasks that match all filters, in the order of the service's list.

    Args:
        filters: at least one.
        ask: returns a page of the list: for the query, the page number from 1, and the page size.

    Raises:
        UsageError: no task matches.
        ServiceError: the whole list could not be read.
    """
    if contradiction := _contradiction(filters):
        raise UsageError(f"No task can match: {contradiction}.", hint="Check --select.")
    found = _matching(filters, _all(_query(filters), ask))
    if not found:
        conditions = " and ".join(clean_line(shorten(str(one), 80)) for one in filters)
        raise UsageError(
            f"No task matches {conditions}.",
            hint="Check --select, --project-id and --region. An empty selection never passes.",
        )
    odd = next((task for task in found if not is_task_id(task)), None)
    if odd is not None:
        raise ServiceError(
            f"The list of tasks contains {clean_line(shorten(odd, 60))!r}, which is not a task ID.",
            hint="Name the tasks instead.",
        )
    return found


def check_count(expected: int | None, found: int) -> None:
    """Compare the number of tasks with the expected one.

    Raises:
        UsageError: they differ.
    """
    if expected is not None and found != expected:
        raise UsageError(
            f"--expect-tasks expects {expected} tasks, but there are {found}.",
            hint="Check --select and the list of tasks.",
        )


def _contradiction(filters: Sequence[Filter]) -> str:
    values: dict[tuple[str, str], str] = {}
    for one in filters:
        if one.key == "name":
            continue
        before = values.setdefault((one.key, one.tag), one.value)
        if before != one.value:
            return f"{clean_line(str(one))} contradicts {clean_line(before)}"
    return ""


def _query(filters: Sequence[Filter]) -> dict[str, Any]:
    """Return the conditions that the service applies itself: all but name patterns."""
    wire = {"status": "status", "type": "db_use_type", "engine": "engine_type"}
    query: dict[str, Any] = {wire[one.key]: one.value for one in filters if one.key in wire}
    tags = {one.tag: one.value for one in filters if one.key == "tag"}
    return {**query, "tags": tags} if tags else query


def _matching(filters: Sequence[Filter], listed: Mapping[str, About]) -> dict[str, About]:
    """Return the tasks that match all filters; fail if one of them cannot be decided."""
    found: dict[str, About] = {}
    undecided: dict[str, list[str]] = {}
    for task, about in listed.items():
        matches = [_matches(one, about) for one in filters]
        if all(matches):
            found[task] = about
        elif False not in matches:
            undecided.setdefault(filters[matches.index(None)].key, []).append(task)
    if undecided:
        key, tasks = next(iter(undecided.items()))
        raise ServiceError(
            f"The list of tasks has no {key} for {few(tasks)}, so --select cannot decide whether "
            f"{'it matches' if len(tasks) == 1 else 'they match'}.",
            hint=f"Select by something other than the {key}, or name the tasks.",
        )
    return found


def _matches(one: Filter, about: About) -> bool | None:
    """Return whether a filter matches; None where the list lacks what decides it."""
    # The list has no tags: the service has applied that condition.
    match one.key:
        case "name":
            return fnmatchcase(about.name, one.value) if about.name.strip() else None
        case "status":
            return about.status == one.value if about.status.strip() else None
        case "type":
            return about.kind in ("", one.value)
        case "engine":
            return about.engine in ("", one.value)
        case _:
            return True


def _all(
    query: Mapping[str, Any], ask: Callable[[Mapping[str, Any], int, int], TaskPage]
) -> dict[str, About]:
    """Return all tasks; an incomplete list could miss one that matches."""
    found: dict[str, About] = {}
    totals: list[int] = []
    for page in range(1, _MOST_PAGES + 1):
        answer = ask(query, page, PAGE_SIZE)
        totals.append(answer.total)
        if answer.total != totals[0]:
            raise ServiceError(
                f"The list of tasks changed while it was read: {totals[0]}, then {answer.total}.",
                hint="Run the gate again, or name the tasks.",
            )
        found |= answer.tasks
        if len(found) >= answer.total:
            break
        if not answer.tasks:
            raise ServiceError(
                f"The list of tasks ends after {len(found)} of {answer.total}.",
                hint="It may have changed meanwhile: run the gate again, or name the tasks.",
            )
    else:
        raise ServiceError("The list of tasks does not end.", hint="Name the tasks instead.")
    if len(found) > answer.total:
        raise ServiceError(
            f"The list of tasks has {len(found)} entries, but reports a total of {answer.total}.",
            hint="It may have changed meanwhile: run the gate again, or name the tasks.",
        )
    return found
