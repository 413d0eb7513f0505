"""The command line: one file per command, each loaded only when it is called."""

from __future__ import annotations

from typing import Any

import click

from precheck_gate import __version__
from precheck_gate.cli.app.lazy import LazyGroup
from precheck_gate.exits import EXIT_CODE_MEANINGS

__all__ = ["main_group"]

# The commands with their one-line help, so that --help imports none of them.
COMMANDS = {
    "run": "Poll the service until every pre-check has ended, and judge them.",
    "evaluate": "Judge saved answers, without the service.",
    "diff": "Compare two JSON reports, and exit with 1 if the new one is worse.",
    "report": "Convert a JSON report to other formats.",
    "simulate": "Serve pre-checks on this machine, to rehearse a pipeline.",
    "demo": "See the gate at work on the simulator, in some seconds.",
    "doctor": "Check settings, credential, network, clock, IAM and permission.",
    "policy": "Check, show, explain and lint policies.",
    "explain": "Tell what a pre-check item means and how to mend it.",
}


def exit_code_help() -> str:
    """Return the table of exit codes as help text."""
    lines = [f"  {int(code):>3}  {meaning}" for code, meaning in EXIT_CODE_MEANINGS.items()]
    return "\n".join(["\b", "Exit codes:", *lines])


@click.group(
    cls=LazyGroup,
    summaries=COMMANDS,
    place="precheck_gate.cli.commands.{}:{}",
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
