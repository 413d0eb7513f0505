"""From parsed options to an exit code: one way through, for every command that judges."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from precheck_gate.clock import SystemClock
from precheck_gate.console import Console
from precheck_gate.errors import PrecheckGateError, UsageError
from precheck_gate.gate import Gate, Outputs
from precheck_gate.interrupts import Interrupts
from precheck_gate.reports.base import RunFacts
from precheck_gate.reports.sinks import FileSink, StreamSink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precheck_gate.cli.options import ReportSpec
    from precheck_gate.clock import Clock
    from precheck_gate.reports.sinks import Sink

__all__ = ["OutputOptions", "Runtime", "bug_error", "execute"]


class OutputOptions(TypedDict):
    """The values of `output_options`, as click passes them."""

    policy: Path | None
    reports: Sequence[ReportSpec]
    junit: str | None
    advisory: bool
    warn_code: int | None
    quiet: bool
    verbose: bool


@dataclass
class Runtime:
    """The world outside that a command works with; tests pass their own."""

    interrupts: Interrupts = field(default_factory=Interrupts)
    clock: Clock | None = None

    def the_clock(self) -> Clock:
        """Return the clock, the computer's own unless another was given."""
        return self.clock or SystemClock(self.interrupts)


def execute(
    mode: str, options: OutputOptions, runtime: Runtime, body: Callable[[Gate], int]
) -> int:
    """Run a command's body with a gate, and turn whatever happens into its exit code.

    Args:
        mode: the command's name, for the reports.
        options: what to print and write.
        runtime: the world outside.
        body: does the command's work with the gate, and returns the exit code.
    """
    specs = [*options["reports"], *([("junit", options["junit"])] if options["junit"] else [])]
    to_stdout = any(path == "-" for _, path in specs)
    console = Console(result=sys.stderr if to_stdout else None)
    today = runtime.the_clock().now().date().isoformat()
    facts = RunFacts(mode=mode, judged_on=today, exit_code=0)
    gate = Gate(facts, Outputs(), console, runtime.interrupts)
    try:
        gate.outputs = Outputs(
            reports=_sinks(specs),
            advisory=options["advisory"],
            warn_code=options["warn_code"],
            quiet=options["quiet"],
            verbose=options["verbose"],
        )
        return body(gate)
    except PrecheckGateError as error:
        return gate.fail(error)
    except Exception as error:  # the last net: a bug of ours must never read as a verdict
        return gate.fail(bug_error(error))


def _sinks(specs: Sequence[ReportSpec]) -> tuple[tuple[str, Sink], ...]:
    paths = [path for _, path in specs]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise UsageError(
            f"Two reports would go to {'stdout' if twice == '-' else twice}.",
            hint="Give each report a path of its own.",
        )
    return tuple(
        (name, StreamSink(sys.stdout) if path == "-" else FileSink(Path(path)))
        for name, path in specs
    )


def bug_error(error: BaseException) -> PrecheckGateError:
    """Return an unforeseen exception as an error that names its place, and none of its values.

    The exception's own words are left out: they may hold what must not be shown.
    """
    place = ""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "precheck_gate" in code.co_filename:
            place = f" in {Path(code.co_filename).name}:{trace.tb_lineno} ({code.co_name})"
        trace = trace.tb_next
    return PrecheckGateError(
        f"Something that precheck-gate did not foresee: {type(error).__name__}{place}.",
        hint="This is a bug of precheck-gate: report it with this line and its version.",
    )
