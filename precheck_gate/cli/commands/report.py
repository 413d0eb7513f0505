"""``precheck-gate report``: convert a JSON report to other formats."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from precheck_gate.cli.options import plain_option
from precheck_gate.cli.options.judging import format_options
from precheck_gate.cli.options.report_paths import check_inputs, sinks_of
from precheck_gate.cli.options.types import PATH, REPORT
from precheck_gate.errors import ExitCode
from precheck_gate.reports.base import FormatOptions, JUnitWarnings, load_format
from precheck_gate.reports.writing import ReportWriter
from precheck_gate.runtime.console import Console
from precheck_gate.runtime.process import Runtime
from precheck_gate.runtime.version import __version__
from precheck_gate.safetext.cleaning import clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from precheck_gate.cli.options.types import ReportSpec
    from precheck_gate.model.report import Report


_EPILOG = """\b
Examples:
  precheck-gate report report.json --to html=report.html --to junit=junit.xml
  precheck-gate report report.json --to markdown=- --max-bytes 20000 | gh pr comment --body-file -

\b
Exit codes: 0 all reports were written, whatever the verdict in them; 2 REPORT.json cannot be
  used; 5 a report could not be written; 70 bug.
"""


@click.command(epilog=_EPILOG)
@click.argument("source", type=PATH, metavar="REPORT.json")
@plain_option(
    "--to",
    "targets",
    type=REPORT,
    multiple=True,
    required=True,
    metavar="FORMAT=PATH",
    help="Format and file of a report, as for 'run --report'; '-' is stdout. May be repeated.",
)
@format_options
@click.pass_context
def report(
    ctx: click.Context,
    source: Path,
    targets: Sequence[ReportSpec],
    max_bytes: int,
    junit_warnings: str,
) -> int:
    """Convert a JSON report to other formats, as the run itself would have written them."""
    check_inputs([path for _, path in targets], [("its own source", source)])
    sinks = sinks_of(targets, ctx.ensure_object(Runtime).interrupts)
    for name, _ in targets:
        load_format(name)  # A format that lacks a package says so before any work is done.
    from precheck_gate.saved.reports import read_report

    read = read_report(source, text=clean, whole=True)
    console = Console(result=sys.stderr)
    if read.tool_version != __version__:
        console.warn(
            f"{source} was written by precheck-gate {read.tool_version}, this is {__version__}: "
            "the reports may differ from those of that version."
        )
    writer = ReportWriter(sinks, FormatOptions(max_bytes, JUnitWarnings(junit_warnings)))
    _feed(writer, read)
    for remark in writer.remarks:
        console.warn(remark)
    for failure in writer.failures:
        console.warn(
            f"the {failure.format} report {failure.name} could not be written: {failure.reason}"
        )
    if files := [name for name in writer.written if name != "-"]:
        console.say(f"reports  {', '.join(files)}")
    if any(failure.bug for failure in writer.failures):
        return int(ExitCode.BUG)
    return int(ExitCode.REPORT if writer.failures else ExitCode.PASSED)


def _feed(writer: ReportWriter, read: Report) -> None:
    try:
        for task in read.tasks:
            writer.add_task(task)
        writer.finish(read.run, read.facts)
        writer.conclude(read.run, read.facts)
    finally:
        writer.discard()  # only what was not finished
