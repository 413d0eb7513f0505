"""Options that commands share, and how their values are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from precheck_gate.ci import SYSTEMS
from precheck_gate.cli.options.environment import PREFIX, EnvironmentArgument, EnvironmentOption
from precheck_gate.cli.options.sections import section
from precheck_gate.cli.options.types import EXIT_CODE, MOMENT, PATH, PLACE, REPORT
from precheck_gate.reports.base import FORMATS, MARKDOWN_BYTES, MARKDOWN_LEAST, JUnitWarnings

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = [
    "TASKS_VARIABLE",
    "add_options",
    "judge_options",
    "many",
    "option",
    "policy_options",
    "quiet_option",
    "tasks_argument",
    "taste_options",
    "verbose_option",
]

TASKS_VARIABLE = f"{PREFIX}TASKS"


def option(*names: str, **settings: Any) -> Callable[[Any], Any]:
    """Like `click.option`, with an environment variable named after the long name."""
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    variable = PREFIX + long.removeprefix("--").replace("-", "_").upper()
    settings.setdefault("envvar", variable)
    settings.setdefault("cls", EnvironmentOption)
    return click.option(*names, **settings)


tasks_argument = click.argument(
    "tasks", cls=EnvironmentArgument, nargs=-1, envvar=TASKS_VARIABLE, metavar="[TASK_ID]..."
)

_POLICY_OPTIONS = (
    option(
        "--policy",
        type=PATH,
        metavar="FILE",
        help="What each item means for the gate, as YAML or JSON, or one of builtin:strict, "
        "builtin:default and builtin:permissive. Without it: builtin:default.",
    ),
    option("--profile", metavar="NAME", help="The profile of the policy to put on top."),
    option(
        "--allow-outside",
        is_flag=True,
        help="Let a policy extend a file outside of its repository.",
    ),
    option(
        "--now",
        type=MOMENT,
        metavar="DATE",
        help="Judge as of this date (UTC), to reproduce a verdict: waivers begin and end by it.",
    ),
)

_JUDGE_OPTIONS = (
    option(
        "--strict-waivers",
        is_flag=True,
        help="Block on waivers that have expired or that waived nothing.",
    ),
    option(
        "--baseline",
        type=PATH,
        metavar="REPORT.json",
        help="An earlier JSON report; what it has already is marked as known.",
    ),
)

quiet_option = option(
    "-q", "--quiet", is_flag=True, help="No progress; the verdict is still printed."
)
verbose_option = option("-v", "--verbose", is_flag=True, help="Print each request and each item.")

_TASTE_OPTIONS = (
    option(
        "--max-bytes",
        type=click.IntRange(min=MARKDOWN_LEAST),
        default=MARKDOWN_BYTES,
        show_default=True,
        metavar="N",
        help="The most that a Markdown report may have; what was cut is said in it.",
    ),
    option(
        "--junit-warnings",
        type=click.Choice([one.value for one in JUnitWarnings]),
        default=JUnitWarnings.SKIPPED.value,
        show_default=True,
        help="What warnings and waived findings are in JUnit, which has none: skipped shows their "
        "text and turns no build red; passed keeps it as system-out.",
    ),
)

_OUTPUT_OPTIONS = (
    option(
        "--report",
        "reports",
        type=REPORT,
        multiple=True,
        metavar="FORMAT=PATH",
        help=f"Write a report ({', '.join(FORMATS)}); '-' is stdout. May be given again.",
    ),
    option(
        "--redact",
        type=click.Choice(["data", "reasons", "all"]),
        help="Leave evidence, reasons or both out of everything that is printed and written.",
    ),
    option("--junit", type=PLACE, metavar="PATH", help="Short for --report junit=PATH."),
    *_TASTE_OPTIONS,
    option(
        "--advisory",
        is_flag=True,
        help="Exit 0 when blocked, and only then; every report still says blocked.",
    ),
    option(
        "--warn-exit-code",
        "warn_code",
        type=EXIT_CODE,
        metavar="N",
        help="Exit with N when passed with warnings (GitLab's allow_failure: exit_codes).",
    ),
    option(
        "--ci",
        type=click.Choice(["auto", *SYSTEMS]),
        default="auto",
        show_default=True,
        help="The CI system to speak to; auto finds out.",
    ),
    option(
        "--summary",
        type=click.Choice(["full", "short", "none"]),
        default="full",
        show_default=True,
        help="How much is printed at the end: everything, what blocks in a line each, or only the "
        "line with the exit code.",
    ),
    quiet_option,
    verbose_option,
)


def add_options(command: Any, *options: Callable[[Any], Any]) -> Any:
    """Add options to a command, for its help in this order."""
    for add in reversed(options):
        command = add(command)
    return command


def many(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return one decorator for several options."""
    return lambda command: add_options(command, *options)


def policy_options(command: Any) -> Any:
    """Add the options that say which policy holds, and as of when."""
    return add_options(command, *_POLICY_OPTIONS)


def taste_options(command: Any) -> Any:
    """Add the options that say how some of the reports are wanted."""
    return add_options(command, *_TASTE_OPTIONS)


def judge_options(command: Any) -> Any:
    """Add all options that say what a verdict is judged by, and where it goes."""
    return add_options(
        command,
        *section("Policy", *_POLICY_OPTIONS, *_JUDGE_OPTIONS),
        *section("Output", *_OUTPUT_OPTIONS),
    )
