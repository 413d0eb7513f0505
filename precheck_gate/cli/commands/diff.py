"""``precheck-gate diff``: compare two JSON reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from precheck_gate.cli.options import plain_option
from precheck_gate.cli.options.types import PATH
from precheck_gate.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path


_EPILOG = """\b
The new report is worse if:
  the verdict of the run or of a task is more severe
    (passed, passed_with_warnings, blocked, incomplete, error);
  a finding blocks that did not block before;
  a new task may not start;
  a task is gone, unless --ignore-gone is given.

\b
Exit codes: 0 not worse, 1 worse, 2 a report cannot be read or contradicts itself,
  5 the result could not be written, 70 bug.
"""


@click.command(epilog=_EPILOG)
@click.argument("old", type=PATH, metavar="OLD.json")
@click.argument("new", type=PATH, metavar="NEW.json")
@plain_option(
    "--format",
    "view",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="Output format.",
)
@plain_option("--ignore-gone", is_flag=True, help="Do not count a task that is gone as worse.")
def diff(old: Path, new: Path, view: str, ignore_gone: bool) -> int:
    """Compare two JSON reports, and exit with 1 if the new one is worse.

    Prints the tasks that appeared, are gone or changed, and for each the findings that appeared
    (+), are gone (-) or changed (~) in effect, status, reason or waiver.
    """
    from precheck_gate.runtime.console import Console
    from precheck_gate.safetext.cleaning import clean, clean_line
    from precheck_gate.saved.comparison import VIEWS, compare_reports
    from precheck_gate.saved.reports import read_report

    console = Console()
    reports = [read_report(path, text=clean_line) for path in (old, new)]
    comparison = compare_reports(*reports, ignore_gone=ignore_gone)
    console.print_result(clean(VIEWS[view](comparison)).rstrip("\n"))
    console.flush()
    if comparison.worse:
        return 1
    return int(ExitCode.REPORT) if console.failure else 0
