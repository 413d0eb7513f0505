"""``precheck-gate policy``: the group of commands about policies, each loaded when it is called."""

from __future__ import annotations

from typing import Any

import click

from precheck_gate.cli.app import LazyGroup

__all__ = ["policy"]

# The commands with their one-line help, so that --help imports none of them. Each is NAME_command
# in ``precheck_gate.cli.commands.policy.NAME``.
SUBCOMMANDS = {
    "init": "Write a commented policy to start from.",
    "validate": "Tell everything that is wrong with policies.",
    "show": "Print the effective policy, each value with its origin.",
    "lint": "Warn of what is allowed and probably not meant.",
    "test": "Run the test cases of policies.",
    "explain": "Tell what a policy makes of an item or a saved answer, and why.",
    "schema": "Print the JSON Schema of policies, for editors.",
}


@click.group(
    cls=LazyGroup,
    summaries=SUBCOMMANDS,
    place="precheck_gate.cli.commands.policy.{}:{}_command",
)
def policy(**_options: Any) -> None:
    """Check, show, explain, lint and test policies: what each pre-check item means for the gate.

    \b
    precheck-gate policy init                  write a policy to start from
    precheck-gate policy validate FILE...      in CI: exit 2 on any problem
    precheck-gate policy explain ANSWER.json   why is it red, or green?
    """
