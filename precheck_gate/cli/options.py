"""Options that commands share, and how their values are read."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.ci import SYSTEMS
from precheck_gate.cli.environment import PREFIX, EnvironmentArgument, EnvironmentOption
from precheck_gate.cli.sections import section
from precheck_gate.exits import RESERVED_CODES
from precheck_gate.reports.base import FORMATS, MARKDOWN_BYTES, MARKDOWN_LEAST, JUnitWarnings
from precheck_gate.slips import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from click.shell_completion import CompletionItem

__all__ = [
    "DURATION",
    "PATH",
    "PLACE",
    "REPORT",
    "TASKS_VARIABLE",
    "Duration",
    "Number",
    "ReportSpec",
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
LONGEST_SECONDS = 7 * 24 * 3600.0

ReportSpec = tuple[str, str]


def option(*names: str, **settings: Any) -> Callable[[Any], Any]:
    """Like `click.option`, with an environment variable named after the long name."""
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    variable = PREFIX + long.removeprefix("--").replace("-", "_").upper()
    settings.setdefault("envvar", variable)
    settings.setdefault("cls", EnvironmentOption)
    return click.option(*names, **settings)


class Duration(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A length of time as people write it (30s, 15m, 1h30m, 90), in seconds."""

    name = "duration"

    def __init__(self, *, least: float = 0.0) -> None:
        self._least = least

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return seconds."""
        if isinstance(value, int | float):
            return float(value)
        from pytimeparse.timeparse import timeparse

        text = str(value).strip()
        plain = re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text)
        seconds = float(text) if plain else timeparse(text) if text.isascii() else None
        if seconds is None:
            self.fail(f"{value!r} is not a duration; write 30s, 15m or 1h30m.", param, ctx)
        if not self._least <= seconds <= LONGEST_SECONDS:
            self.fail(f"{value!r} is not between {self._least:.0f} s and 7 days.", param, ctx)
        return float(seconds)


class _FilePath(click.Path):
    """A path, which is never empty: a variable of a script that was lost is no file."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if value == "":
            self.fail("the path is empty.", param, ctx)
        return super().convert(value, param, ctx)


class Number(click.FloatRange):
    """A number in bounds; not the one that is no number, which no bound keeps out."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


class _Report(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """FORMAT=PATH, where the path ``-`` is standard output."""

    name = "format=path"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> ReportSpec:
        """Return the format and the path."""
        if isinstance(value, tuple):
            return value
        name, equals, path = str(value).partition("=")
        if not equals or not path:
            self.fail(f"{value!r} has to be FORMAT=PATH, such as junit=junit.xml.", param, ctx)
        if name not in FORMATS:
            shown = quoted(name, whole=str(value))
            self.fail(
                f"there is no report format {shown}; known: {', '.join(FORMATS)}.", param, ctx
            )
        return name, path

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """Return the formats; what comes behind one is the user's."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(f"{name}=") for name in FORMATS if name.startswith(incomplete)]

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """Split a variable with several reports: at lines, and before each ``format=``."""
        return [part for part in re.split(r"\n|\s+(?=[a-z]+=)", rv.strip()) if part.strip()]


class _ExitCode(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """An exit code that does not mean anything else."""

    name = "code"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the code."""
        text = str(value)
        code = int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else -1
        if code not in range(1, 126) or code in RESERVED_CODES:
            reserved = ", ".join(str(code) for code in sorted(RESERVED_CODES))
            self.fail(f"{value!r} is not a free code from 1 to 125; taken: {reserved}.", param, ctx)
        return code


class _Moment(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A date, or a date and time, ISO 8601; the date that it is in UTC."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the date in UTC."""
        if isinstance(value, date):
            return value
        try:
            moment = datetime.fromisoformat(str(value).strip())
        except ValueError:
            self.fail(
                f"{value!r} is not a date; write 2027-01-31 or 2027-01-31T22:00Z.", param, ctx
            )
        return (moment if moment.tzinfo is None else moment.astimezone(UTC)).date()


DURATION = Duration()
PATH = _FilePath(path_type=Path)
# For a path that may also be "-".
PLACE = _FilePath(allow_dash=True, readable=False)
REPORT = _Report()

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
        type=_Moment(),
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
verbose_option = option("-v", "--verbose", is_flag=True, help="Tell every request, and every item.")

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
        type=_ExitCode(),
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
