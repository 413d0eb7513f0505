"""Which tasks a command line names, and where it leaves that to the environment."""

from __future__ import annotations

import os
import select
import sys
from typing import TYPE_CHECKING, Any

from click.core import ParameterSource

from precheck_gate.cli.options import TASKS_VARIABLE
from precheck_gate.clock import SLICE_SECONDS
from precheck_gate.errors import UsageError, unreadable
from precheck_gate.slips import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click

    from precheck_gate.interrupts import Interrupts
    from precheck_gate.selection import NamedTask

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


def named_tasks(options: Mapping[str, Any], source: str, interrupts: Interrupts) -> list[NamedTask]:
    """Return the tasks that arguments and --tasks-from name, each with where it stands.

    Raises:
        UsageError: the list cannot be read, is larger than the bound, or names no task.
    """
    from precheck_gate.selection import NamedTask, parse_task_list

    named = [NamedTask(task_id, source) for task_id in options["tasks"]]
    file: str | None = options["tasks_from"]
    if not file:
        return named
    name = "stdin" if file == "-" else file
    try:
        content = _read_stdin(interrupts) if file == "-" else _read_file(file, interrupts)
    except OSError as error:
        raise unreadable("The list of tasks", name, error) from None
    return named + parse_task_list(content, name)


def _read_file(file: str, interrupts: Interrupts) -> bytes:
    # A pipe that nobody writes to is opened at once, so that the wait is one for its content.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(file, flags)
    try:
        return read_bounded(descriptor, file, interrupts)
    finally:
        os.close(descriptor)


def _read_stdin(interrupts: Interrupts) -> bytes:
    try:
        descriptor = sys.stdin.fileno()
    except OSError:  # no file behind it, so nothing to wait for
        return _within_bound(sys.stdin.buffer.read(MAX_LIST_BYTES + 1), "stdin")
    return read_bounded(descriptor, "stdin", interrupts)


def read_bounded(descriptor: int, name: str, interrupts: Interrupts) -> bytes:
    """Return all that comes from a file or a stream; a signal ends the wait, as any other wait.

    Raises:
        UsageError: it is larger than the bound; nothing is cut.
    """
    content = bytearray()
    with interrupts.waiting():
        while len(content) <= MAX_LIST_BYTES:
            # In slices: a signal that comes in the moment before the wait is seen at its end.
            if os.name == "posix" and not select.select([descriptor], [], [], SLICE_SECONDS)[0]:
                continue
            chunk = os.read(descriptor, 64 * 1024)
            if not chunk:
                break
            content += chunk
    return _within_bound(bytes(content), name)


def _within_bound(content: bytes, name: str) -> bytes:
    if len(content) > MAX_LIST_BYTES:
        raise UsageError(
            f"The list of tasks {told(name)} is larger than {MAX_LIST_BYTES >> 20} MiB.",
            hint="Is it really the list of tasks? Give one ID a line, or a JSON array.",
        )
    return content
