"""Writes all reports of a run side by side; one that fails never costs the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from precheck_gate.errors import reason_of
from precheck_gate.reports.base import DEFAULT_TASTE, Divisible, load_format
from precheck_gate.reports.parts import Parts
from precheck_gate.reports.sinks import FileSink
from precheck_gate.shortages import shortage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.findings import RunVerdict, TaskVerdict
    from precheck_gate.reports.base import Reporter, RunFacts, Taste
    from precheck_gate.reports.sinks import Sink

__all__ = ["ReportFailure", "ReportWriter"]


@dataclass(frozen=True, slots=True)
class ReportFailure:
    """A report that could not be written; ``bug`` when the fault is ours and not the disk's."""

    format: str
    name: str
    reason: str
    bug: bool = False


@dataclass(slots=True)
class _Open:
    format: str
    sink: Sink
    reporter: Reporter


class ReportWriter:
    """Feeds every report with the tasks as they come, and brings them to their place at the end.

    Args:
        reports: (format, sink) for each report asked for.
        taste: how some of the formats are wanted.
    """

    def __init__(self, reports: Sequence[tuple[str, Sink]], taste: Taste = DEFAULT_TASTE) -> None:
        self.failures: list[ReportFailure] = []
        self.written: list[str] = []
        self._open: list[_Open] = []
        for name, sink in reports:
            try:
                self._open.append(_opened(name, sink, taste))
            except OSError as error:
                self._fail(name, sink, error)

    def add_task(self, task: TaskVerdict) -> None:
        """Give a task to every report that is still whole."""
        for report in list(self._open):
            try:
                report.reporter.add_task(task)
            except Exception as error:  # told in failures, ends in the exit code
                self._drop(report, error)

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Complete every report; ``written`` and ``failures`` then tell what became of each."""
        for report in list(self._open):
            try:
                report.reporter.finish(run, facts)
                report.sink.commit()
            except Exception as error:  # told in failures, ends in the exit code
                self._drop(report, error)
            else:
                self.written.append(report.sink.name)
                if isinstance(report.sink, Parts):
                    self.written += report.sink.further
        self._open.clear()

    def discard(self) -> None:
        """Leave no trace of reports that were not finished."""
        for report in self._open:
            report.sink.discard()
        self._open.clear()

    def _drop(self, report: _Open, error: Exception) -> None:
        self._open.remove(report)
        self._fail(report.format, report.sink, error)

    def _fail(self, name: str, sink: Sink, error: Exception) -> None:
        sink.discard()
        if (lack := shortage(error)) is not None:
            self.failures.append(ReportFailure(name, sink.name, lack.message.rstrip(".")))
        elif isinstance(error, OSError):
            self.failures.append(ReportFailure(name, sink.name, reason_of(error)))
        else:
            reason = f"{type(error).__name__}, a bug of precheck-gate"
            self.failures.append(ReportFailure(name, sink.name, reason, bug=True))


def _opened(name: str, sink: Sink, taste: Taste) -> _Open:
    reporter = load_format(name, taste)(sink.open())
    if isinstance(reporter, Divisible) and isinstance(sink, FileSink) and sink.divisible:
        sink = Parts(sink)
        reporter.go_on_in(sink.more)
    return _Open(name, sink, reporter)
