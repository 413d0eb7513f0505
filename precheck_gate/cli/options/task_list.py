"""Which tasks a command line names, and where it leaves that to the environment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.core import ParameterSource

from precheck_gate.cli.options.shared import TASKS_VARIABLE
from precheck_gate.errors import unreadable
from precheck_gate.runtime.reading import TooLarge, read_descriptor, read_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click

    from precheck_gate.cli.options.task_lists import NamedTask

__all__ = ["named_tasks", "replaced_variables", "source_of_tasks"]

# For files and streams alike.
MAX_LIST_BYTES = 16 * 1024 * 1024

_VARIABLES = {
    "tasks": TASKS_VARIABLE,
    "tasks_from": "PRECHECK_GATE_TASKS_FROM",
    "select": "PRECHECK_GATE_SELECT",
}


def source_of_tasks(ctx: click.Context, on_command_line: str) -> str:
    """Return where the parameter ``tasks`` comes from, in words for messages."""
    source = ctx.get_parameter_source("tasks")
    return TASKS_VARIABLE if source is ParameterSource.ENVIRONMENT else on_command_line


def replaced_variables(ctx: click.Context, options: dict[str, Any]) -> list[str]:
    """Take out of ``options`` the lists of the environment that the command line replaces.

    Whoever says on the command line which tasks are meant, in whichever way, means those alone.
    Returns the variables that say otherwise.
    """
    sources = {name: ctx.get_parameter_source(name) for name in _VARIABLES}
    if ParameterSource.COMMANDLINE not in sources.values():
        return []
    replaced = [name for name, source in sources.items() if source is ParameterSource.ENVIRONMENT]
    for name in replaced:
        options[name] = None if name == "tasks_from" else ()
    return [_VARIABLES[name] for name in replaced]


def named_tasks(options: Mapping[str, Any], source: str) -> list[NamedTask]:
    """Return the tasks that arguments and --tasks-from name, each with where it stands.

    Raises:
        UsageError: the list cannot be read, is larger than the bound, or names no task.
    """
    from precheck_gate.cli.options.task_lists import NamedTask, parse_task_list

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
