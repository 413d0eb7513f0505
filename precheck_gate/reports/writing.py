"""Write all reports of a run at once; one that fails never costs the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeGuard

from precheck_gate.errors import reason_of
from precheck_gate.reports.base import DEFAULT_FORMAT_OPTIONS, Divisible, Record, load_format
from precheck_gate.reports.sinks import FileSink, Parts
from precheck_gate.runtime.process import shortage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.model.verdicts import RunFacts, RunVerdict, TaskVerdict
    from precheck_gate.reports.base import FormatOptions, Reporter
    from precheck_gate.reports.sinks import Sink


@dataclass(frozen=True, slots=True)
class ReportFailure:
    """A report that could not be written; ``bug`` if the fault is ours and not the disk's."""

    format: str
    name: str
    reason: str
    bug: bool = False


@dataclass(slots=True, eq=False)
class _Report:
    format: str
    sink: Sink
    reporter: Reporter
    files: list[str] = field(default_factory=list)
    """The names of its complete files."""

    def close(self) -> None:
        if isinstance(self.reporter, Record):
            self.reporter.close()


class ReportWriter:
    """Gives every report the tasks as they come, and makes the reports appear at the end.

    Args:
        reports: (format, sink) for each report.
        format_options: options of single formats.
    """

    def __init__(
        self,
        reports: Sequence[tuple[str, Sink]],
        format_options: FormatOptions = DEFAULT_FORMAT_OPTIONS,
    ) -> None:
        self.failures: list[ReportFailure] = []
        self.remarks: list[str] = []
        self._reports: list[_Report] = []
        for name, sink in reports:
            try:
                self._reports.append(_opened(name, sink, format_options))
            except OSError as error:
                self._fail(name, sink, error)
        self._open = list(self._reports)
        self._concluded: list[_Report] = []

    @property
    def written(self) -> list[str]:
        """The complete files, in the order of the reports given."""
        return [name for report in self._reports for name in report.files]

    def add_task(self, task: TaskVerdict) -> None:
        """Give a task to every report that has not failed."""
        for report in list(self._open):
            try:
                report.reporter.add_task(task)
            except Exception as error:  # kept in failures, sets the exit code
                self._drop(report, error)

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Complete every report but those that state the exit code, which `conclude` completes."""
        for report in list(self._open):
            if not isinstance(report.reporter, Record):
                self._complete(report, run, facts)

    def conclude(self, run: RunVerdict, facts: RunFacts) -> None:
        """Complete what `finish` left; called again, rewrite those reports that are files.

        A file that cannot be rewritten is removed, because what it says no longer holds.
        """
        for report in list(self._concluded):
            self._correct(report, run, facts)
        for report in list(self._open):
            self._complete(report, run, facts)

    def discard(self) -> None:
        """Leave no trace of unfinished reports; this is the last call."""
        for report in self._open:
            report.sink.discard()
        for report in (*self._open, *self._concluded):
            report.close()
        self._open.clear()
        self._concluded.clear()

    def _complete(self, report: _Report, run: RunVerdict, facts: RunFacts) -> None:
        try:
            report.reporter.finish(run, facts)
            report.sink.commit()
        except Exception as error:  # kept in failures, sets the exit code
            self._drop(report, error)
            return
        self._open.remove(report)
        further = report.sink.further if isinstance(report.sink, Parts) else []
        report.files = [report.sink.name, *further]
        if report.sink.remark:
            self.remarks.append(
                f"the {report.format} report {report.sink.name}: {report.sink.remark}"
            )
        if isinstance(report.reporter, Record):
            self._concluded.append(report)

    def _correct(self, report: _Report, run: RunVerdict, facts: RunFacts) -> None:
        sink = report.sink
        if not (isinstance(report.reporter, Record) and _is_file(sink)):
            return
        try:
            report.reporter.write_to(sink.open(), run, facts)
            sink.commit()
        except Exception as error:  # kept in failures, sets the exit code
            report.close()
            self._concluded.remove(report)
            report.files = []
            self._fail(report.format, sink, error)
            sink.withdraw()

    def _drop(self, report: _Report, error: Exception) -> None:
        report.close()
        self._open.remove(report)
        self._fail(report.format, report.sink, error)

    def _fail(self, name: str, sink: Sink, error: Exception) -> None:
        sink.discard()
        if (lack := shortage(error)) is not None:
            self.failures.append(ReportFailure(name, sink.name, lack.message.rstrip(".")))
        elif isinstance(error, OSError):
            self.failures.append(ReportFailure(name, sink.name, reason_of(error)))
        else:
            reason = f"{type(error).__name__}, a bug in precheck-gate"
            self.failures.append(ReportFailure(name, sink.name, reason, bug=True))


def _is_file(sink: Sink) -> TypeGuard[FileSink]:
    """Return whether a report is a regular file: not a stream, a device or a pipe."""
    return isinstance(sink, FileSink) and sink.divisible


def _opened(name: str, sink: Sink, format_options: FormatOptions) -> _Report:
    reporter = load_format(name, format_options)(sink.open())
    if isinstance(reporter, Divisible) and _is_file(sink):
        parts = Parts(sink)
        reporter.go_on_in(parts.more)
        return _Report(name, parts, reporter)
    return _Report(name, sink, reporter)
