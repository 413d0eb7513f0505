"""What every report format implements, and what it is told about the run."""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TextIO, cast, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    from precheck_gate.model.verdicts import RunFacts, RunVerdict, TaskVerdict

__all__ = [
    "DEFAULT_FORMAT_OPTIONS",
    "FORMATS",
    "MARKDOWN_BYTES",
    "MARKDOWN_LEAST",
    "Divisible",
    "FormatOptions",
    "JUnitWarnings",
    "Record",
    "Reporter",
    "load_format",
]

MARKDOWN_BYTES = 60_000
"""Fits a comment on a pull request of GitHub, which ends at 65,536 characters."""
MARKDOWN_LEAST = 2_000
"""Room for the verdict, and for what is said about the rest."""


class JUnitWarnings(StrEnum):
    """What a warning is in JUnit, where there is no such thing."""

    SKIPPED = "skipped"
    PASSED = "passed"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """How the user wants some of the formats.

    Attributes:
        max_bytes: the most that a Markdown report may have, in bytes of UTF-8.
        junit_warnings: what warnings and waived findings are in JUnit.
    """

    max_bytes: int = MARKDOWN_BYTES
    junit_warnings: JUnitWarnings = JUnitWarnings.SKIPPED

    def settings(self, name: str) -> dict[str, Any]:
        """Return the arguments of a format's reporter beside its stream."""
        match name:
            case "markdown":
                return {"max_bytes": self.max_bytes}
            case "junit":
                return {"warnings": self.junit_warnings}
            case _:
                return {}


DEFAULT_FORMAT_OPTIONS = FormatOptions()


class Reporter(Protocol):
    """Writes one report to the stream it was made with: the tasks one by one, then the run."""

    def add_task(self, task: TaskVerdict) -> None:
        """Take the verdict of one task; it is not kept by the caller."""
        ...

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Write what is left; nothing comes after."""
        ...


@runtime_checkable
class Divisible(Protocol):
    """A reporter that needs several files where its readers bound the size of one."""

    def go_on_in(self, more: Callable[[], TextIO]) -> None:
        """Take what opens one file more; without it the report stays in one, whatever its size."""
        ...


@runtime_checkable
class Record(Protocol):
    """A reporter that says how the process ends: it is completed last, and corrected if need be."""

    def write_to(self, out: TextIO, run: RunVerdict, facts: RunFacts) -> None:
        """Write the whole report; the tasks were added before."""
        ...

    def close(self) -> None:
        """Give up what is needed to write it again."""
        ...


# As import paths, so that a format costs nothing where it is not asked for.
FORMATS = {
    "html": "precheck_gate.reports.html.reporter:HtmlReporter",
    "json": "precheck_gate.reports.json_report:JsonReporter",
    "junit": "precheck_gate.reports.junit.reporter:JUnitReporter",
    "markdown": "precheck_gate.reports.markdown.reporter:MarkdownReporter",
    "sarif": "precheck_gate.reports.code_scanning.sarif:SarifReporter",
    "codequality": "precheck_gate.reports.code_scanning.codequality:CodeQualityReporter",
    "dotenv": "precheck_gate.reports.dotenv:DotenvReporter",
}


def load_format(
    name: str, format_options: FormatOptions = DEFAULT_FORMAT_OPTIONS
) -> Callable[[TextIO], Reporter]:
    """Return what makes a reporter of the format ``name``, a key of `FORMATS`."""
    module, _, attribute = FORMATS[name].partition(":")
    reporter = getattr(importlib.import_module(module), attribute)
    return cast(
        "Callable[[TextIO], Reporter]", functools.partial(reporter, **format_options.settings(name))
    )
