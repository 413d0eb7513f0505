"""``precheck-gate policy``: the group of commands for policies, each loaded when it is called."""

from __future__ import annotations

import importlib
from typing import Any

import click

from precheck_gate.cli.app import LazyGroup

__all__ = ["policy"]

# The commands with their one-line help, so that --help imports none of them.
SUBCOMMANDS = {
    "init": "Write a commented policy to start from.",
    "validate": "Check policy files and list every error.",
    "show": "Print the effective policy with the origin of each value.",
    "lint": "Find probable mistakes in a valid policy.",
    "test": "Run test cases of policies.",
    "explain": "Explain the effect of a policy on an item or a saved answer.",
    "schema": "Print the JSON Schema of policies, for editors.",
}


class _PolicyGroup(LazyGroup):
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in SUBCOMMANDS:
            return None
        module = cmd_name if cmd_name in ("explain", "test") else "files"
        found = importlib.import_module(f"{__name__}.{module}")
        command: click.Command = getattr(found, f"{cmd_name}_command")
        return command


@click.group(cls=_PolicyGroup, summaries=SUBCOMMANDS, place="")
def policy(**_options: Any) -> None:
    """Check, show, explain, lint and test policies: the effect of each pre-check item.

    \b
    precheck-gate policy init                  write a policy to start from
    precheck-gate policy validate FILE...      in CI: exits 2 on any error
    precheck-gate policy explain ANSWER.json   why does it block, or not?
    """
