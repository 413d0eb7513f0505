"""What every report format implements, and what the formats share."""

from __future__ import annotations

import contextlib
import functools
import importlib
import shutil
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TextIO, cast, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from precheck_gate.model.verdicts import RunFacts, RunVerdict, TaskVerdict

MARKDOWN_BYTES = 60_000
"""Fits a comment on a GitHub pull request, which has at most 65,536 characters."""
MARKDOWN_LEAST = 2_000
"""Room for the verdict, and for the note about what was left out."""


class JUnitWarnings(StrEnum):
    """How JUnit shows a warning, which it has no word for."""

    SKIPPED = "skipped"
    PASSED = "passed"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """Options of single formats.

    Attributes:
        max_bytes: the size limit of a Markdown report, in bytes of UTF-8.
        junit_warnings: how JUnit shows warnings and waived findings.
    """

    max_bytes: int = MARKDOWN_BYTES
    junit_warnings: JUnitWarnings = JUnitWarnings.SKIPPED

    def settings(self, name: str) -> dict[str, Any]:
        """Return the keyword arguments of a format's reporter."""
        match name:
            case "markdown":
                return {"max_bytes": self.max_bytes}
            case "junit":
                return {"warnings": self.junit_warnings}
            case _:
                return {}


DEFAULT_FORMAT_OPTIONS = FormatOptions()


class Reporter(Protocol):
    """Writes one report to the stream that it was made with: tasks one by one, then the run."""

    def add_task(self, task: TaskVerdict) -> None:
        """Take the verdict of one task, which the caller does not keep."""
        ...

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Write the rest; this is the last call."""
        ...


@runtime_checkable
class Divisible(Protocol):
    """A reporter that needs several files, because its readers limit the size of one."""

    def go_on_in(self, more: Callable[[], TextIO]) -> None:
        """Take what opens one more file; without it the report stays in one."""
        ...


@runtime_checkable
class Record(Protocol):
    """A reporter that states the exit code: it is completed last, and corrected if need be."""

    def write_to(self, out: TextIO, run: RunVerdict, facts: RunFacts) -> None:
        """Write the whole report; the tasks were added before."""
        ...

    def close(self) -> None:
        """Release what is needed to write it again."""
        ...


# As import paths, so that a format that is not used costs no start-up time.
FORMATS = {
    "html": "precheck_gate.reports.html:HtmlReporter",
    "json": "precheck_gate.reports.json_report:JsonReporter",
    "junit": "precheck_gate.reports.junit:JUnitReporter",
    "markdown": "precheck_gate.reports.markdown:MarkdownReporter",
    "sarif": "precheck_gate.reports.sarif:SarifReporter",
    "codequality": "precheck_gate.reports.codequality:CodeQualityReporter",
    "dotenv": "precheck_gate.reports.dotenv:DotenvReporter",
}


def load_format(
    name: str, format_options: FormatOptions = DEFAULT_FORMAT_OPTIONS
) -> Callable[[TextIO], Reporter]:
    """Return what makes a reporter of a format, a key of `FORMATS`."""
    module, _, attribute = FORMATS[name].partition(":")
    reporter = getattr(importlib.import_module(module), attribute)
    return cast(
        "Callable[[TextIO], Reporter]", functools.partial(reporter, **format_options.settings(name))
    )


@contextlib.contextmanager
def open_spool() -> Iterator[TextIO]:
    """Yield a temporary file for text that is written before its head is known."""
    with tempfile.SpooledTemporaryFile(
        max_size=1024 * 1024, mode="w+", encoding="utf-8", newline="\n"
    ) as spool:
        yield spool  # type: ignore[misc]  # typeshed: it is a TextIO in all but name


def copy_spool(spool: TextIO, out: TextIO) -> None:
    """Append the whole content of ``spool`` to ``out``."""
    spool.seek(0)
    shutil.copyfileobj(spool, out)
