"""Writes all reports of a run side by side; one that fails never costs the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from precheck_gate.errors import reason_of
from precheck_gate.reports.base import DEFAULT_FORMAT_OPTIONS, Divisible, Record, load_format
from precheck_gate.reports.output.parts import Parts
from precheck_gate.reports.output.sinks import FileSink
from precheck_gate.runtime.shortages import shortage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.model.verdicts import RunFacts, RunVerdict, TaskVerdict
    from precheck_gate.reports.base import FormatOptions, Reporter
    from precheck_gate.reports.output.sinks import Sink

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
    place: int
    format: str
    sink: Sink
    reporter: Reporter

    def close(self) -> None:
        if isinstance(self.reporter, Record):
            self.reporter.close()


class ReportWriter:
    """Feeds every report with the tasks as they come, and brings them to their place at the end.

    Args:
        reports: (format, sink) for each report asked for.
        format_options: how some of the formats are wanted.
    """

    def __init__(
        self,
        reports: Sequence[tuple[str, Sink]],
        format_options: FormatOptions = DEFAULT_FORMAT_OPTIONS,
    ) -> None:
        self.failures: list[ReportFailure] = []
        self._written: dict[int, list[str]] = {}
        self.remarks: list[str] = []
        self._open: list[_Open] = []
        self._concluded: list[_Open] = []
        for place, (name, sink) in enumerate(reports):
            try:
                self._open.append(_opened(place, name, sink, format_options))
            except OSError as error:
                self._fail(name, sink, error)

    @property
    def written(self) -> list[str]:
        """The files that are complete, in the order in which the reports were asked for."""
        return [name for _, names in sorted(self._written.items()) for name in names]

    def add_task(self, task: TaskVerdict) -> None:
        """Give a task to every report that is still whole."""
        for report in list(self._open):
            try:
                report.reporter.add_task(task)
            except Exception as error:  # told in failures, ends in the exit code
                self._drop(report, error)

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Complete every report but those that say how the process ends, which are for `conclude`.

        ``written``, ``failures`` and ``remarks`` then tell what became of each.
        """
        for report in list(self._open):
            if not isinstance(report.reporter, Record):
                self._complete(report, run, facts)

    def conclude(self, run: RunVerdict, facts: RunFacts) -> None:
        """Complete what `finish` left; called again, write it anew where it is a file.

        A file that cannot be written anew is removed: what it says does not hold any more.
        """
        for report in list(self._concluded):
            self._correct(report, run, facts)
        for report in list(self._open):
            self._complete(report, run, facts)

    def discard(self) -> None:
        """Leave no trace of reports that were not finished; nothing comes after."""
        for report in self._open:
            report.sink.discard()
        for report in (*self._open, *self._concluded):
            report.close()
        self._open.clear()
        self._concluded.clear()

    def _complete(self, report: _Open, run: RunVerdict, facts: RunFacts) -> None:
        try:
            report.reporter.finish(run, facts)
            report.sink.commit()
        except Exception as error:  # told in failures, ends in the exit code
            self._drop(report, error)
            return
        self._open.remove(report)
        further = report.sink.further if isinstance(report.sink, Parts) else []
        self._written[report.place] = [report.sink.name, *further]
        if report.sink.remark:
            self.remarks.append(
                f"the {report.format} report {report.sink.name}: {report.sink.remark}"
            )
        if isinstance(report.reporter, Record):
            self._concluded.append(report)

    def _correct(self, report: _Open, run: RunVerdict, facts: RunFacts) -> None:
        sink = report.sink
        if not (isinstance(report.reporter, Record) and _is_file(sink)):
            return
        try:
            report.reporter.write_to(sink.open(), run, facts)
            sink.commit()
        except Exception as error:  # told in failures, ends in the exit code
            report.close()
            self._concluded.remove(report)
            del self._written[report.place]
            self._fail(report.format, sink, error)
            sink.withdraw()

    def _drop(self, report: _Open, error: Exception) -> None:
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
            reason = f"{type(error).__name__}, a bug of precheck-gate"
            self.failures.append(ReportFailure(name, sink.name, reason, bug=True))


def _is_file(sink: Sink) -> TypeGuard[FileSink]:
    """Return whether a report is a file of its own: not a stream, a device or a pipe."""
    return isinstance(sink, FileSink) and sink.divisible


def _opened(place: int, name: str, sink: Sink, format_options: FormatOptions) -> _Open:
    reporter = load_format(name, format_options)(sink.open())
    if isinstance(reporter, Divisible) and _is_file(sink):
        parts = Parts(sink)
        reporter.go_on_in(parts.more)
        return _Open(place, name, parts, reporter)
    return _Open(place, name, sink, reporter)
