"""The command line: one file per command, loaded only when it is called."""

from __future__ import annotations

from typing import Any

import click

from precheck_gate.cli.app import LazyGroup
from precheck_gate.errors import EXIT_CODE_MEANINGS
from precheck_gate.runtime.version import __version__

# The commands with their one-line help, so that --help imports none of them.
COMMANDS = {
    "run": "Wait for pre-checks, judge them by a policy, and set the exit code.",
    "evaluate": "Judge saved answers, without the service.",
    "diff": "Compare two JSON reports.",
    "report": "Convert a JSON report to other formats.",
    "simulate": "Run a local simulator of DRS and IAM, to test a pipeline.",
    "demo": "Watch the gate judge three simulated tasks. Needs no account.",
    "doctor": "Check settings, credentials, network, clock, IAM and permissions.",
    "policy": "Check, show, explain and test policies.",
    "explain": "Explain a pre-check item or a reason code, and how to fix it.",
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
    """Let a migration start only after its pre-check has passed.

    precheck-gate is a CI/CD step between the pre-check of Huawei Cloud's Data Replication Service
    (DRS) and the migration. It waits until the pre-check of each task has finished, judges each
    item by your policy, writes reports, and exits with a documented code.

    \b
    Try it without an account:  precheck-gate demo
    Use it in a pipeline:       precheck-gate run -h
    """
