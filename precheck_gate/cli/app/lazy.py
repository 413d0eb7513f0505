"""Groups of commands, each of which is imported when it is called."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from click.shell_completion import CompletionItem

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """A group that knows of its commands only the names and the one-line help.

    Args:
        summaries: the help of each command by its name.
        place: the module and the attribute of a command, such as ``package.{}:{}_command``.
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
        """Return what may come next, without loading any command."""
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
        """Return the command, or say which one was probably meant."""
        if args[0] not in self._summaries and not args[0].startswith("-"):
            if ctx.resilient_parsing:
                return None, None, []
            import difflib

            near = difflib.get_close_matches(args[0], self._summaries, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            group = "" if ctx.parent is None else f"{ctx.info_name} "
            ctx.fail(f"There is no command {group + args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)
