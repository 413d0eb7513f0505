"""``precheck-gate diff``: what changed between two reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from precheck_gate.cli.options import plain_option
from precheck_gate.cli.options.types import PATH
from precheck_gate.exits import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["diff"]

_EPILOG = """\b
Worse is, and nothing else:
  a verdict, of the run or of a task, that became more severe
    (passed, passed_with_warnings, blocked, incomplete, error);
  a finding that blocks and did not, in whatever task;
  a new task that may not start;
  a task that is gone, unless --ignore-gone is given.

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
    help="How to print it.",
)
@plain_option("--ignore-gone", is_flag=True, help="A task that is gone does not make it worse.")
def diff(old: Path, new: Path, view: str, ignore_gone: bool) -> int:
    """Tell what changed from one JSON report to a later one, and whether it is worse.

    Prints the tasks that appeared, are gone, or changed, and of each the findings that appeared
    (+), went (-) or changed (~): their effect, status, reason or waiver.
    """
    from precheck_gate.runtime.console import Console
    from precheck_gate.safetext.cleaning import clean
    from precheck_gate.saved.reports.baseline import read_report
    from precheck_gate.saved.reports.comparison import compare_reports
    from precheck_gate.saved.reports.diff_views import VIEWS

    console = Console()
    comparison = compare_reports(
        read_report(old, "report"), read_report(new, "report"), ignore_gone=ignore_gone
    )
    console.print_result(clean(VIEWS[view](comparison)).rstrip("\n"))
    console.flush()
    if comparison.worse:
        return 1
    return int(ExitCode.REPORT) if console.failure else 0
