"""A command line that click refuses: reported like any other error, in the named reports too.

Otherwise a report of the last run would stay, and be taken for that of this run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.cli.options.report_paths import Overwriting, check_inputs, sinks_of
from precheck_gate.errors import ExitCode, UsageError
from precheck_gate.runtime.console import Console
from precheck_gate.safetext.pasted_secrets import without_pasted_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from precheck_gate.cli.options.types import ReportSpec
    from precheck_gate.reports.sinks import Sink
    from precheck_gate.runtime.process import Runtime


def report_usage_error(
    error: click.ClickException, group: click.Group, arguments: Sequence[str], runtime: Runtime
) -> int:
    """Say what is wrong with a command line, and return the exit code, which is never 0."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        Console().say(without_pasted_secrets(error.format_message()))
        return int(ExitCode.USAGE)
    command, rest = _command_of(group, arguments)
    context = getattr(error, "ctx", None)
    path = context.command_path if context else f"precheck-gate {command.name if command else ''}"
    usage = UsageError(
        without_pasted_secrets(error.format_message()), hint=f"See {path.strip()} --help."
    )
    if command is not None and any(param.name == "reports" for param in command.params):
        return _report(usage, _RawArguments(command, rest), runtime)
    Console().error(usage)
    return int(ExitCode.USAGE)


def _command_of(
    group: click.Group, arguments: Sequence[str]
) -> tuple[click.Command | None, Sequence[str]]:
    """Return the command that was called, and the arguments after it."""
    context = click.Context(group)
    for place, name in enumerate(arguments):
        if (command := group.get_command(context, name)) is not None:
            return command, arguments[place + 1 :]
    return None, ()


def _report(usage: UsageError, raw: _RawArguments, runtime: Runtime) -> int:
    from precheck_gate.cli.app.execution import open_gate
    from precheck_gate.gate import Outputs

    specs = raw.specs()
    gate = open_gate(str(raw.command.name), [path for _, path in specs], runtime)
    gate.outputs = Outputs(reports=_sinks(specs, raw, runtime))
    return gate.fail(usage) or int(ExitCode.USAGE)


def _sinks(
    specs: Sequence[ReportSpec], raw: _RawArguments, runtime: Runtime
) -> tuple[tuple[str, Sink], ...]:
    try:
        sinks = sinks_of(specs, runtime.interrupts)
    except UsageError:  # two reports have the same path: none is better than half of each
        return ()
    try:
        check_inputs([path for _, path in specs], [("", path) for path in raw.files()])
    except Overwriting as error:
        return error.spare(sinks)
    return sinks


class _RawArguments:
    """The values of a command line, unchecked.

    Used only to find where the reports go, and which files they must not overwrite.
    """

    def __init__(self, command: click.Command, arguments: Sequence[str]) -> None:
        self.command = command
        self._context = click.Context(
            command,
            info_name=command.name,
            resilient_parsing=True,
            ignore_unknown_options=True,
            allow_extra_args=True,
        )
        self._rest: list[str] = []
        self._values = self._parse(list(arguments))

    def _parse(self, arguments: list[str]) -> dict[str, list[str]]:
        # One token that the parser refuses, such as --quiet=3, must not hide those after it.
        while True:
            self._context.resilient_parsing = False
            try:
                parser = self.command.make_parser(self._context)
                values, self._rest, _ = parser.parse_args(list(arguments))
            except click.BadOptionUsage as error:
                name = error.option_name
                kept = [one for one in arguments if one.partition("=")[0] != name]
                if len(kept) < len(arguments):
                    arguments = kept
                    continue
                values = {}
            except click.UsageError:
                values = {}
            self._context.resilient_parsing = True
            return {name: list(_texts(value)) for name, value in values.items()}

    def _of(self, name: str) -> list[str]:
        """Return the values of a parameter, from the command line or else from its variable."""
        if found := self._values.get(name):
            return found
        param = next(one for one in self.command.params if one.name == name)
        return list(_texts(param.value_from_envvar(self._context)))

    def specs(self) -> list[ReportSpec]:
        """Return the valid reports."""
        from precheck_gate.cli.options.types import REPORT

        specs = []
        for text in self._of("reports"):
            try:
                specs.append(REPORT.convert(text, None, None))
            except click.ClickException:  # perhaps the very error that is reported
                continue
        return specs + [("junit", path) for path in self._of("junit")[-1:] if path.strip()]

    def files(self) -> Iterator[Path]:
        """Yield whatever may be a file that the command would have read."""
        from precheck_gate.policy.loading import policy_files

        for param in self.command.params:
            if param.name not in ("reports", "junit"):
                yield from map(Path, self._of(str(param.name)))
        yield from map(Path, self._rest)
        for policy in self._of("policy"):
            yield from policy_files(Path(policy))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str | os.PathLike):
        yield os.fspath(value)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
