"""Options and arguments, on the command line and in the environment, as settings that may be lost.

Where a script's variable was empty, click takes an empty variable for none, and an option without
a value for one: a policy that a pipeline failed to name would silently be the default one. The same
where a variable's name is mistyped: nobody reads it. Both are refused by name.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.drs.auth.discovery import NAMING_OPTIONS, VARIABLES
from precheck_gate.errors import UsageError
from precheck_gate.safetext.pasted_secrets import safe_variable_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "PREFIX",
    "EnvironmentArgument",
    "EnvironmentOption",
    "known_variables",
    "plain_option",
    "refuse_empty_credentials",
]

PREFIX = "PRECHECK_GATE_"
# How to ask for the default by name.
_DEFAULTS = {"policy": "; for the default policy, use builtin:default"}
_CREDENTIALS = tuple(name for name in VARIABLES if name.startswith(PREFIX))
# What a report of the format dotenv puts into the environment of the jobs that follow; the ID token
# of the CI templates; and what the integrations, their examples and the project's tests read.
_OTHERS = tuple(
    PREFIX + name
    for name in (
        *("VERDICT", "EXIT_CODE", "READY_TASKS", "BLOCKED_TASKS", "READY_COUNT", "BLOCKED_COUNT"),
        *("WARNINGS", "LEFT_OUT", "ID_TOKEN", "VERSION", "INSTALL"),
        *("E2E", "REQUIRE_PEERS", "TOOLS"),
    )
)
_CHECKED = f"{__name__}.checked"
_MOST_TOLD = 5


class PlainOption(click.Option):
    """An option whose value may not be empty."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Take the option's value from what was parsed."""
        result = super().handle_parse_result(ctx, opts, args)
        given = opts.get(self.name or "")
        texts = given if isinstance(given, list | tuple) else [given]
        if not ctx.resilient_parsing and any(_is_blank(text) for text in texts):
            raise click.UsageError(
                f"The option {max(self.opts, key=len)} is empty: give it a value, or leave it out"
                f"{_DEFAULTS.get(self.name or '', '')}.",
                ctx,
            )
        return result


class EnvironmentOption(PlainOption):
    """An option that may stand in the environment.

    It refuses an empty variable of ours, unless the command line has the option, and variables of
    ours that nobody reads.
    """

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Take the option's value from what was parsed, or from the environment."""
        _refuse_unknown(ctx, opts)
        return super().handle_parse_result(ctx, opts, args)

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the text of the variable; None where there is none."""
        _refuse_empty(self, ctx)
        return super().resolve_envvar_value(ctx)


class EnvironmentArgument(click.Argument):
    """The same for an argument."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Take the argument's value from what was parsed, or from the environment."""
        _refuse_unknown(ctx, opts)
        return super().handle_parse_result(ctx, opts, args)

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the text of the variable; None where there is none."""
        _refuse_empty(self, ctx)
        return super().resolve_envvar_value(ctx)


plain_option = functools.partial(click.option, cls=PlainOption)


def refuse_empty_credentials() -> None:
    """Refuse a credential of ours whose variable is empty: another one must not take its place.

    Raises:
        UsageError: there is one.
    """
    for name in _CREDENTIALS:
        if _is_blank(os.environ.get(name)):
            raise UsageError(
                f"The variable {name} is empty: give it a value, or unset it.",
                hint="Another credential might be used instead.",
            )


def known_variables(program: click.Command) -> frozenset[str]:
    """Return all variables of our prefix that mean something, whichever command reads them."""
    return frozenset((*_CREDENTIALS, *_OTHERS, *_variables_of(program)))


def _variables_of(command: click.Command) -> Iterator[str]:
    for param in command.params:
        yield from _envvars(param)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if (inner := command.get_command(context, name)) is not None:
                yield from _variables_of(inner)


def _envvars(param: click.Parameter) -> Sequence[str]:
    given = param.envvar
    return [given] if isinstance(given, str) else given or ()


def _refuse_unknown(ctx: click.Context, opts: Mapping[str, Any]) -> None:
    """Refuse variables of our prefix that nobody reads; looked for once a command line."""
    if ctx.resilient_parsing or ctx.meta.get(_CHECKED):
        return
    ctx.meta[_CHECKED] = True
    ours = {name for name in os.environ if name.upper().startswith(PREFIX)}
    for one in NAMING_OPTIONS:
        ours -= {opts.get(one.key), os.environ.get(one.own_variable, "").strip()}
    # The command's own first: to know those of all takes loading all.
    ours -= {*_CREDENTIALS, *_OTHERS, *_variables_of(ctx.command)}
    if not ours:
        return
    known = known_variables(ctx.find_root().command)
    unknown = sorted(ours - known)
    if unknown:
        told = [f"{safe_variable_name(name)}{_meant(name, known)}" for name in unknown[:_MOST_TOLD]]
        more = len(unknown) - _MOST_TOLD
        raise click.UsageError(
            f"Unknown variable{'s' if len(unknown) > 1 else ''}: {', '.join(told)}"
            f"{f' and {more} more' if more > 0 else ''}. Correct the name, or unset the variable.",
            ctx,
        )


def _meant(name: str, known: frozenset[str]) -> str:
    import difflib

    # Without the prefix, which all have in common and which makes any two look alike.
    names = sorted(one.removeprefix(PREFIX) for one in known - {*_OTHERS})
    near = difflib.get_close_matches(name.upper().removeprefix(PREFIX), names, n=1, cutoff=0.7)
    return f" (did you mean {PREFIX}{near[0]}?)" if near else ""


def _refuse_empty(param: click.Parameter, ctx: click.Context) -> None:
    if ctx.resilient_parsing:
        return
    for name in _envvars(param):
        if name.startswith(PREFIX) and _is_blank(os.environ.get(name)):
            raise click.UsageError(
                f"The variable {name} is empty: give it a value, or unset it"
                f"{_DEFAULTS.get(param.name or '', '')}.",
                ctx,
            )


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()
