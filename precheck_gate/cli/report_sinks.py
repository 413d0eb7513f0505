"""Where the reports that a command line names go."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from precheck_gate.errors import UsageError
from precheck_gate.reports.sinks import FileSink, StreamSink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.cli.options import ReportSpec
    from precheck_gate.interrupts import Interrupts
    from precheck_gate.reports.sinks import Sink

__all__ = ["sink_at", "sinks_of"]


def sinks_of(specs: Sequence[ReportSpec], interrupts: Interrupts) -> tuple[tuple[str, Sink], ...]:
    """Return the format and the sink of each report.

    Raises:
        UsageError: two of them would go to one place.
    """
    paths = [path if path == "-" else os.path.realpath(path) for _, path in specs]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise UsageError(
            f"Two reports would go to {'stdout' if twice == '-' else twice}.",
            hint="Give each report a path of its own.",
        )
    return tuple((name, sink_at(path, interrupts)) for name, path in specs)


def sink_at(path: str, interrupts: Interrupts) -> Sink:
    """Return the sink for a path, where ``-`` is standard output."""
    return StreamSink(sys.stdout) if path == "-" else FileSink(Path(path), interrupts)
