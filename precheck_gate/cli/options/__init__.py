"""How commands declare options: values from the environment, help in sections, a short ``-h``.

A script's variable that is lost leaves an empty value, which click takes for none: the policy that
a pipeline failed to name would silently be the default one. A mistyped variable is read by nobody.
Both are usage errors here.
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
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Declaration = Callable[[Any], Any]

__all__ = [
    "PREFIX",
    "Command",
    "EnvironmentArgument",
    "EnvironmentOption",
    "known_variables",
    "many",
    "option",
    "plain_option",
    "refuse_empty_credentials",
    "section",
]

PREFIX = "PRECHECK_GATE_"
_DEFAULTS = {"policy": "; for the default policy, use builtin:default"}
_CREDENTIALS = tuple(name for name in VARIABLES if name.startswith(PREFIX))
# What a dotenv report passes to later jobs; the ID token of the CI templates; and what the
# integrations, their examples and the project's tests read.
_OTHERS = tuple(
    PREFIX + name
    for name in (
        *("VERDICT", "EXIT_CODE", "READY_TASKS", "BLOCKED_TASKS", "READY_COUNT", "BLOCKED_COUNT"),
        *("WARNINGS", "LEFT_OUT", "ID_TOKEN", "VERSION", "INSTALL"),
        *("E2E", "REQUIRE_PEERS", "TOOLS"),
    )
)
_CHECKED = f"{__name__}.checked"
_MOST_NAMES = 5


class PlainOption(click.Option):
    """An option whose value must not be empty."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Refuse an empty value."""
        result = super().handle_parse_result(ctx, opts, args)
        given = opts.get(self.name or "")
        texts = given if isinstance(given, list | tuple) else [given]
        if not ctx.resilient_parsing and any(map(_is_blank, texts)):
            raise _empty(f"option {max(self.opts, key=len)}", "leave it out", self, ctx)
        return result


class _FromEnvironment(click.Parameter):
    """Refuses empty variables of our prefix, and those that no command reads."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Check all variables of our prefix before the first parameter is read."""
        if not ctx.resilient_parsing and not ctx.meta.get(_CHECKED):
            ctx.meta[_CHECKED] = True
            _refuse_unknown(ctx, opts)
        return super().handle_parse_result(ctx, opts, args)

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the variable's text; click asks only if the command line has no value."""
        for name in () if ctx.resilient_parsing else _variables_of(self):
            if name.startswith(PREFIX) and _is_blank(os.environ.get(name)):
                raise _empty(f"variable {name}", "unset it", self, ctx)
        return super().resolve_envvar_value(ctx)


class EnvironmentOption(_FromEnvironment, PlainOption):
    """An option that an environment variable may set."""


class EnvironmentArgument(_FromEnvironment, click.Argument):
    """An argument that an environment variable may set."""


plain_option = functools.partial(click.option, cls=PlainOption)


def option(*names: str, **settings: Any) -> Declaration:
    """Like `click.option`, with a variable named after the long name, and the default in help."""
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    variable = PREFIX + long.removeprefix("--").replace("-", "_").upper()
    defaults = {"envvar": variable, "cls": EnvironmentOption, "show_default": "default" in settings}
    return click.option(*names, **{**defaults, **settings})


def many(*options: Declaration) -> Declaration:
    """Return one decorator for several options, which the help shows in this order."""
    return lambda command: functools.reduce(lambda made, add: add(made), options[::-1], command)


# Environment variables


def refuse_empty_credentials() -> None:
    """Refuse an empty credential variable of ours: another credential must not take its place.

    Raises:
        UsageError: one is empty.
    """
    for name in _CREDENTIALS:
        if _is_blank(os.environ.get(name)):
            raise UsageError(
                f"The variable {name} is empty: give it a value, or unset it.",
                hint="Another credential might be used instead.",
            )


def known_variables(program: click.Command) -> frozenset[str]:
    """Return all variables of our prefix that some command reads."""
    return frozenset((*_CREDENTIALS, *_OTHERS, *_variables_of_all(program)))


def _variables_of_all(command: click.Command) -> Iterator[str]:
    for param in command.params:
        yield from _variables_of(param)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if (inner := command.get_command(context, name)) is not None:
                yield from _variables_of_all(inner)


def _variables_of(param: click.Parameter) -> Iterable[str]:
    given = param.envvar
    return [given] if isinstance(given, str) else given or ()


def _refuse_unknown(ctx: click.Context, opts: Mapping[str, Any]) -> None:
    ours = {name for name in os.environ if name.upper().startswith(PREFIX)}
    for one in NAMING_OPTIONS:
        ours -= {opts.get(one.key), os.environ.get(one.own_variable, "").strip()}
    # First the command's own: to know those of all commands, all must be loaded.
    ours -= {*_CREDENTIALS, *_OTHERS, *_variables_of_all(ctx.command)}
    if not ours:
        return
    known = known_variables(ctx.find_root().command)
    unknown = sorted(ours - known)
    if unknown:
        shown = [
            f"{safe_variable_name(name)}{_meant(name, known)}" for name in unknown[:_MOST_NAMES]
        ]
        more = len(unknown) - _MOST_NAMES
        raise click.UsageError(
            f"Unknown variable{'s' if len(unknown) > 1 else ''}: {', '.join(shown)}"
            f"{f' and {more} more' if more > 0 else ''}. Correct the name, or unset the variable.",
            ctx,
        )


def _meant(name: str, known: frozenset[str]) -> str:
    import difflib

    # Without the common prefix, which makes any two names look alike.
    names = sorted(one.removeprefix(PREFIX) for one in known - {*_OTHERS})
    near = difflib.get_close_matches(name.upper().removeprefix(PREFIX), names, n=1, cutoff=0.7)
    return f" (did you mean {PREFIX}{near[0]}?)" if near else ""


def _empty(what: str, remedy: str, param: click.Parameter, ctx: click.Context) -> click.UsageError:
    default = _DEFAULTS.get(param.name or "", "")
    return click.UsageError(f"The {what} is empty: give it a value, or {remedy}{default}.", ctx)


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


# Help

_OTHER_OPTIONS = "Other options"
_SECTION = "help_section"


def section(name: str, *options: Declaration) -> tuple[Declaration, ...]:
    """Return options that the help shows together under a heading."""
    return tuple(functools.partial(_in_section, name, add) for add in options)


def _in_section(name: str, add: Declaration, command: Any) -> Any:
    command = add(command)
    # click collects the parameters of a function until it becomes a command.
    made = isinstance(command, click.Command)
    setattr((command.params if made else command.__click_params__)[-1], _SECTION, name)
    return command


class Command(click.Command):
    """A command whose ``--help`` has exit codes and sections, and whose ``-h`` fits one screen.

    Args:
        exit_codes: the meaning of each exit code, shown before the options.
        brief: the options on the ``-h`` screen: the help of each there, by the parameter's name.
            Without it, ``-h`` shows the same as ``--help``.
        brief_text: what the ``-h`` screen says before the options.
        brief_example: one command line, shown after them.
    """

    def __init__(
        self,
        *args: Any,
        exit_codes: Mapping[int, str] | None = None,
        brief: Mapping[str, str] | None = None,
        brief_text: str = "",
        brief_example: str = "",
        **settings: Any,
    ) -> None:
        super().__init__(*args, **settings)
        self.exit_codes, self.brief = exit_codes or {}, brief or {}
        self._brief_text, self._brief_example = brief_text, brief_example
        if brief:
            self.params.append(
                click.Option(
                    ["-h"],
                    is_flag=True,
                    is_eager=True,
                    expose_value=False,
                    callback=self._show_brief,
                    help="Show the most used options and exit.",
                )
            )

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the exit codes, then the options section by section."""
        if self.exit_codes:
            with formatter.section("Exit codes"):
                formatter.write_dl([(f"{code:>3}", text) for code, text in self.exit_codes.items()])
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and not isinstance(param, click.Argument):
                sections.setdefault(getattr(param, _SECTION, _OTHER_OPTIONS), []).append(record)
        for name, records in sorted(sections.items(), key=lambda one: one[0] == _OTHER_OPTIONS):
            with formatter.section(name):
                formatter.write_dl(records)

    def _show_brief(self, ctx: click.Context, param: click.Parameter, wanted: bool) -> None:  # noqa: ARG002
        if wanted and not ctx.resilient_parsing:
            click.echo(self._brief_help(ctx), color=ctx.color)
            ctx.exit()

    def _brief_help(self, ctx: click.Context) -> str:
        formatter = ctx.make_formatter()
        self.format_usage(ctx, formatter)
        summary = (self.help or "").partition("\n")[0]
        for text in filter(None, (summary, self._brief_text)):
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(text)
        records = {param.name: param.get_help_record(ctx) for param in self.params}
        with formatter.section("Options"):
            formatter.write_dl(
                [(found[0], text) for name, text in self.brief.items() if (found := records[name])]
            )
        if self._brief_example:
            with formatter.section("Example"):
                formatter.write(f"{'':>{formatter.current_indent}}{self._brief_example}\n")
        formatter.write_paragraph()
        formatter.write_text(f"Run '{ctx.command_path} --help' for all options.")
        return formatter.getvalue().rstrip("\n")
