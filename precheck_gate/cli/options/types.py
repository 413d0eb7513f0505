"""The types of option values."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.errors import RESERVED_CODES
from precheck_gate.reports.base import FORMATS
from precheck_gate.safetext.pasted_secrets import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from click.shell_completion import CompletionItem

LONGEST_SECONDS = 7 * 24 * 3600.0

ReportSpec = tuple[str, str]


class Parsed(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A value that a function parses; the text of its ValueError is for users.

    Args:
        name: what the help calls it, in upper case.
        parse: returns the value of a text.
        begins: a pattern for how one value begins, to split a variable that holds several.
        starts: beginnings of values, for shell completion.
    """

    def __init__(
        self,
        name: str,
        parse: Callable[[str], Any],
        *,
        begins: str = "",
        starts: Iterable[str] = (),
    ) -> None:
        self.name = name
        self._parse = parse
        self._separator = re.compile(rf"\n|\s+(?={begins})" if begins else r"\s+")
        self._starts = starts

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value of a text; of a default that is no text, the default."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """Split a variable with several values: at line ends, and where a value begins."""
        return [part.strip() for part in self._separator.split(rv.strip()) if part.strip()]

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """Return the known beginnings."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(start) for start in self._starts if start.startswith(incomplete)]


def _seconds(text: str, least: float) -> float:
    from pytimeparse.timeparse import timeparse

    plain = re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text.strip())
    seconds = float(text) if plain else timeparse(text.strip()) if text.isascii() else None
    if seconds is None:
        raise ValueError(f"{text!r} is not a duration; write 30s, 15m or 1h30m")
    if not least <= seconds <= LONGEST_SECONDS:
        raise ValueError(f"{text!r} is not between {least:.0f} s and 7 days")
    return float(seconds)


def _report(text: str) -> ReportSpec:
    name, _, path = text.partition("=")
    if not path.strip():
        raise ValueError(f"{text!r} is not FORMAT=PATH, such as junit=junit.xml")
    if name not in FORMATS:
        shown = quoted(name, whole=text)
        raise ValueError(f"there is no report format {shown}; known: {', '.join(FORMATS)}")
    return name, path


def _exit_code(text: str) -> int:
    code = int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else -1
    if code not in range(1, 126) or code in RESERVED_CODES:
        taken = ", ".join(str(code) for code in sorted(RESERVED_CODES))
        raise ValueError(f"{text!r} is not a free code from 1 to 125; taken: {taken}")
    return code


def _date(text: str) -> date:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a date; write 2027-01-31 or 2027-01-31T22:00Z") from None
    return (moment if moment.tzinfo is None else moment.astimezone(UTC)).date()


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


# A duration such as 30s, 15m, 1h30m or 90, in seconds; SPAN is at least one second.
DURATION = Parsed("duration", partial(_seconds, least=0.0))
SPAN = Parsed("duration", partial(_seconds, least=1.0))
# FORMAT=PATH; the path "-" is standard output.
REPORT = Parsed("format=path", _report, begins="[a-z]+=", starts=[f"{name}=" for name in FORMATS])
# An exit code that has no other meaning.
EXIT_CODE = Parsed("code", _exit_code)
# A date, or a date and time, in ISO 8601; converted to the date in UTC.
MOMENT = Parsed("date", _date)
PATH = _FilePath(path_type=Path)
# Also allows "-".
PLACE = _FilePath(allow_dash=True, readable=False)
