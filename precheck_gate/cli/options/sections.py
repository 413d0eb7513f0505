"""Help in sections, where a command has more options than anybody reads in one list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SectionedCommand", "section"]

OTHERS = "Other options"
_ATTRIBUTE = "help_section"


def section(name: str, *options: Callable[[Any], Any]) -> tuple[Callable[[Any], Any], ...]:
    """Return options that stand together in the help, under a heading."""

    def placed(add: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def place(command: Any) -> Any:
            command = add(command)
            # click gathers what a function gets until it is a command.
            made = isinstance(command, click.Command)
            params = command.params if made else command.__click_params__
            setattr(params[-1], _ATTRIBUTE, name)
            return command

        return place

    return tuple(map(placed, options))


class SectionedCommand(click.Command):
    """A command whose help shows its options under the headings that `section` gave them."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section, in the order in which these begin."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and not isinstance(param, click.Argument):
                sections.setdefault(getattr(param, _ATTRIBUTE, OTHERS), []).append(record)
        for name, records in sorted(sections.items(), key=lambda one: one[0] == OTHERS):
            with formatter.section(name):
                formatter.write_dl(records)
