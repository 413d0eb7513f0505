"""Where the reports go, and which files they must not overwrite."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from precheck_gate.errors import UsageError
from precheck_gate.reports.sinks import (
    DescriptorSink,
    FileSink,
    OpenDescriptor,
    StreamSink,
    descriptor_at,
    real_path,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from precheck_gate.cli.options.types import ReportSpec
    from precheck_gate.reports.sinks import Sink
    from precheck_gate.runtime.process import Interrupts

Input = tuple[str, Path]
"""A file or folder that a command reads: what it is, and its path."""


class Overwriting(UsageError):
    """A report would overwrite an input of the command."""

    def __init__(self, found: Sequence[tuple[str, Input]]) -> None:
        self._paths = frozenset(real_path(report) for report, _ in found)
        report, (what, path) = found[0]
        super().__init__(
            f"The report {report} would overwrite {what} {path}.",
            hint="Give the report a path of its own.",
        )

    def spare(self, reports: Sequence[tuple[str, Sink]]) -> tuple[tuple[str, Sink], ...]:
        """Return the reports that overwrite nothing."""
        return tuple(
            (name, sink)
            for name, sink in reports
            if sink.name == "-" or real_path(sink.name) not in self._paths
        )


def sinks_of(specs: Sequence[ReportSpec], interrupts: Interrupts) -> tuple[tuple[str, Sink], ...]:
    """Return the format and the sink of each report.

    Raises:
        UsageError: two of them have the same path.
    """
    paths = [_identity(path) for _, path in specs]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise UsageError(
            f"Two reports would go to {'stdout' if twice == '-' else twice}.",
            hint="Give each report a path of its own.",
        )
    return tuple((name, sink_at(path, interrupts)) for name, path in specs)


def sink_at(path: str, interrupts: Interrupts) -> Sink:
    """Return the sink for a path; ``-`` and ``/dev/stdout`` are standard output."""
    if is_stdout(path):
        return StreamSink(sys.stdout)
    descriptor = descriptor_at(path)
    if descriptor is not None:
        return DescriptorSink(path, descriptor, interrupts)
    return FileSink(Path(path), interrupts)


def is_stdout(path: str) -> bool:
    """Return whether a report goes to standard output, so that messages must go elsewhere."""
    return path == "-" or descriptor_at(path) == _STDOUT


_STDOUT = OpenDescriptor(1)


def _identity(path: str) -> str:
    """Return a text that is equal for paths to the same file."""
    if is_stdout(path):
        return "-"
    descriptor = descriptor_at(path)
    if descriptor is None:
        return real_path(path)
    return str(descriptor.path or f"/dev/fd/{descriptor.number}")


def check_inputs(reports: Iterable[str], inputs: Iterable[Input]) -> None:
    """Compare the paths of reports and inputs, through hard and symbolic links.

    Raises:
        Overwriting: a report would overwrite an input.
    """
    inputs = list(inputs)
    found = [
        (report, (what, path))
        for report in reports
        if not is_stdout(report)
        for what, path in inputs
        if _same(report, path) or _is_answer_in(report, path)
    ]
    if found:
        raise Overwriting(found)


def _same(report: str, path: Path) -> bool:
    if real_path(report) == real_path(path):
        return True
    try:
        return path.samefile(report)
    except (OSError, ValueError):
        return False


def _is_answer_in(report: str, folder: Path) -> bool:
    """Return whether a report would overwrite a file of saved answers in a folder."""
    from precheck_gate.saved.run_file import is_archived

    name, parent = Path(report).name, Path(real_path(Path(report).parent))
    if is_archived(name) and parent == Path(real_path(folder)):
        return True
    try:
        return any(is_archived(entry.name) and entry.samefile(report) for entry in folder.iterdir())
    except (OSError, ValueError):
        return False
