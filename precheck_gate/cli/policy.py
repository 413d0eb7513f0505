"""``precheck-gate policy``: the group of commands about policies, each loaded when it is called."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

import click

__all__ = ["policy"]

# The commands with their one-line help, so that --help imports none of them. Each is NAME_command
# in ``precheck_gate.cli.policy_NAME``.
SUBCOMMANDS = {
    "init": "Write a commented policy to start from.",
    "validate": "Tell everything that is wrong with policies.",
    "show": "Print the effective policy, each value with its origin.",
    "lint": "Warn of what is allowed and probably not meant.",
    "test": "Run the test cases of policies.",
    "explain": "Tell what a policy makes of an item or a saved answer, and why.",
    "schema": "Print the JSON Schema of policies, for editors.",
}


class _LazyPolicyGroup(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in SUBCOMMANDS:
            return None
        module = importlib.import_module(f"precheck_gate.cli.policy_{cmd_name}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or say which one was probably meant."""
        if args and args[0] not in SUBCOMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], SUBCOMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"There is no command 'policy {args[0]}'.{hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=_LazyPolicyGroup)
def policy(**_options: Any) -> None:
    """Check, show, explain, lint and test policies: what each pre-check item means for the gate.

    \b
    precheck-gate policy init                  write a policy to start from
    precheck-gate policy validate FILE...      in CI: exit 2 on any problem
    precheck-gate policy explain ANSWER.json   why is it red, or green?
    """
