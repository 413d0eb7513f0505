"""The types of option values."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.exits import RESERVED_CODES
from precheck_gate.reports.base import FORMATS
from precheck_gate.safetext.pasted_secrets import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

__all__ = [
    "DURATION",
    "EXIT_CODE",
    "MOMENT",
    "PATH",
    "PLACE",
    "REPORT",
    "Duration",
    "Number",
    "ReportSpec",
]

LONGEST_SECONDS = 7 * 24 * 3600.0

ReportSpec = tuple[str, str]


class Duration(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A duration such as 30s, 15m, 1h30m or 90, in seconds."""

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
    """A path that must not be empty, as with an unset variable of a script."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if value == "":
            self.fail("the path is empty.", param, ctx)
        return super().convert(value, param, ctx)


class Number(click.FloatRange):
    """A number within bounds, and not NaN, which no bound excludes."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


class _Report(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """FORMAT=PATH; the path ``-`` is standard output."""

    name = "format=path"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> ReportSpec:
        """Return the format and the path."""
        if isinstance(value, tuple):
            return value
        name, equals, path = str(value).partition("=")
        if not equals or not path:
            self.fail(f"{value!r} is not FORMAT=PATH, such as junit=junit.xml.", param, ctx)
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
        """Return the formats, without paths."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(f"{name}=") for name in FORMATS if name.startswith(incomplete)]

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """Split a variable with several reports: at line ends, and before each ``format=``."""
        return [part for part in re.split(r"\n|\s+(?=[a-z]+=)", rv.strip()) if part.strip()]


class _ExitCode(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """An exit code that has no other meaning."""

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
    """A date, or a date and time, in ISO 8601; converted to the date in UTC."""

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
EXIT_CODE = _ExitCode()
MOMENT = _Moment()
PATH = _FilePath(path_type=Path)
# Also allows "-".
PLACE = _FilePath(allow_dash=True, readable=False)
REPORT = _Report()
