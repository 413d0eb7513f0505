"""Groups of commands that load a command only when it is called, and shell completion."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from click.shell_completion import CompletionItem

__all__ = ["LazyGroup", "complete"]


class LazyGroup(click.Group):
    """A group that knows only the names and one-line help of its commands.

    Args:
        summaries: the one-line help of each command, by name.
        place: the module and attribute of a command, such as ``package.{}:{}_command``.
    """

    def __init__(
        self, *args: Any, summaries: Mapping[str, str], place: str, **settings: Any
    ) -> None:
        super().__init__(*args, **settings)
        self._summaries = summaries
        self._place = place

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, D102
        return list(self._summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002, D102
        if cmd_name not in self._summaries:
            return None
        module, _, name = self._place.replace("{}", cmd_name).partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002, D102
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the completions, without loading a command."""
        from click.shell_completion import CompletionItem

        return [
            *(
                CompletionItem(name, help=summary)
                for name, summary in self._summaries.items()
                if name.startswith(incomplete)
            ),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or suggest a similar name."""
        if args[0] not in self._summaries and not args[0].startswith("-"):
            if ctx.resilient_parsing:
                return None, None, []
            import difflib

            near = difflib.get_close_matches(args[0], self._summaries, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            group = "" if ctx.parent is None else f"{ctx.info_name} "
            ctx.fail(f"There is no command {group + args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


def complete(command: click.Command, program: str, variable: str, instruction: str) -> int:
    """Print a shell's completion script, or completions; return the exit code.

    Raises:
        UsageError: the instruction names no supported shell.
    """
    from click.shell_completion import shell_complete

    try:
        done = shell_complete(command, {}, program, variable, instruction) == 0
    except (KeyError, ValueError):  # not called by a shell: its variables are missing
        done = False
    if not done:
        raise UsageError(
            f"{variable} has the unsupported value {instruction!r}.",
            hint="For a completion script, set it to bash_source, zsh_source or fish_source.",
        )
    return 0
