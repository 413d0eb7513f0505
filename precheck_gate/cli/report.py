"""``precheck-gate report``: make any report again from the JSON one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from precheck_gate import __version__
from precheck_gate.cli.options import PATH, REPORT
from precheck_gate.cli.report_sinks import check_inputs, sinks_of
from precheck_gate.cli.runtime import Runtime
from precheck_gate.console import Console
from precheck_gate.errors import reason_of
from precheck_gate.exits import ExitCode
from precheck_gate.reports.base import load_format
from precheck_gate.reports.markdown import MAX_BYTES, MIN_BYTES, MarkdownReporter
from precheck_gate.reports.writing import ReportFailure, ReportWriter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from precheck_gate.cli.options import ReportSpec
    from precheck_gate.reports.readback import ReadReport
    from precheck_gate.reports.sinks import Sink

__all__ = ["report"]

_EPILOG = """\b
Examples:
  precheck-gate report report.json --to html=report.html --to junit=junit.xml
  precheck-gate report report.json --to markdown=- --max-bytes 20000 | gh pr comment --body-file -

\b
Exit codes: 0 all reports were written, whatever their verdict; 2 REPORT.json cannot be used;
  5 a report could not be written; 70 bug.
"""


@click.command(epilog=_EPILOG)
@click.argument("source", type=PATH, metavar="REPORT.json")
@click.option(
    "--to",
    "targets",
    type=REPORT,
    multiple=True,
    required=True,
    metavar="FORMAT=PATH",
    help="A report to make, as for --report of 'run'; '-' is stdout. May be given again.",
)
@click.option(
    "--max-bytes",
    type=click.IntRange(min=MIN_BYTES),
    default=MAX_BYTES,
    show_default=True,
    metavar="N",
    help="The most that a Markdown report may have; what was cut is said in it.",
)
@click.pass_context
def report(ctx: click.Context, source: Path, targets: Sequence[ReportSpec], max_bytes: int) -> int:
    """Make reports again from a JSON report, as the run itself would have written them."""
    check_inputs([path for _, path in targets], [("its own source", source)])
    sinks = sinks_of(targets, ctx.ensure_object(Runtime).interrupts)
    for name, _ in targets:
        load_format(name)  # Before the work: a format that lacks a package says so at once.
    from precheck_gate.reports.readback import read_back

    read = read_back(source)
    console = Console(result=sys.stderr)
    if read.tool_version != __version__:
        console.warn(
            f"{source} was written by precheck-gate {read.tool_version}, "
            f"and this is {__version__}: its own report may have looked different."
        )
    others = [(name, sink) for name, sink in sinks if name != "markdown"]
    writer = _feed(ReportWriter(others), read)
    written, failures = list(writer.written), list(writer.failures)
    for name, sink in sinks:
        if name == "markdown":
            try:
                _write_markdown(read, sink, max_bytes)
            except OSError as error:
                failures.append(ReportFailure(name, sink.name, reason_of(error)))
            else:
                written.append(sink.name)
    for failure in failures:
        console.warn(
            f"the {failure.format} report {failure.name} could not be written: {failure.reason}"
        )
    if files := [name for name in written if name != "-"]:
        console.say(f"reports  {', '.join(files)}")
    if any(failure.bug for failure in failures):
        return int(ExitCode.BUG)
    return int(ExitCode.REPORT if failures else ExitCode.PASSED)


def _feed(writer: ReportWriter, read: ReadReport) -> ReportWriter:
    try:
        for task in read.tasks:
            writer.add_task(task)
        writer.finish(read.run, read.facts)
    finally:
        writer.discard()  # of what was finished nothing is left to discard
    return writer


def _write_markdown(read: ReadReport, sink: Sink, max_bytes: int) -> None:
    try:
        reporter = MarkdownReporter(sink.open(), max_bytes=max_bytes)
        for task in read.tasks:
            reporter.add_task(task)
        reporter.finish(read.run, read.facts)
        sink.commit()
    except BaseException:
        sink.discard()
        raise
