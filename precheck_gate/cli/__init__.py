"""The command line: one file per command, each loaded only when it is called."""

from __future__ import annotations

import importlib
from typing import Any

import click

from precheck_gate import __version__
from precheck_gate.exits import EXIT_CODE_MEANINGS

__all__ = ["main_group"]

# The commands with their one-line help, so that --help imports none of them.
COMMANDS = {
    "run": "Poll the service until every pre-check has ended, and judge them.",
    "evaluate": "Judge saved answers, without the service.",
    "diff": "Tell what changed from one JSON report to a later one, and whether it is worse.",
    "report": "Make any report again from the JSON one.",
    "simulate": "Serve pre-checks on this machine, to rehearse a pipeline.",
    "demo": "See the gate at work on the simulator, in some seconds.",
    "doctor": "Check settings, credential, network, clock, IAM and permission.",
    "policy": "Check, show, explain and lint policies.",
    "explain": "Tell what a pre-check item means and how to mend it.",
}


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"precheck_gate.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or say which one was probably meant."""
        import difflib

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


def exit_code_help() -> str:
    """Return the table of exit codes as help text."""
    lines = [f"  {int(code):>3}  {meaning}" for code, meaning in EXIT_CODE_MEANINGS.items()]
    return "\n".join(["\b", "Exit codes:", *lines])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=exit_code_help(),
)
@click.version_option(__version__, prog_name="precheck-gate", message="%(prog)s %(version)s")
def main_group(**_options: Any) -> None:
    """Keep a migration from starting before its pre-check has passed.

    precheck-gate stands between the pre-check of Huawei Cloud's Data Replication Service (DRS)
    and the migration. It waits until the pre-check of every task has ended, judges each item by
    your policy, writes reports, and ends with an exit code that your pipeline can trust.

    \b
    Try it, without an account:   precheck-gate demo
    In a pipeline:                precheck-gate run --help
    """
