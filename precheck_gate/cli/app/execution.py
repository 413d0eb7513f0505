"""From parsed options to an exit code: one way for all commands that judge."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from precheck_gate.ci import CiWorld, detect, load_system
from precheck_gate.cli.options.report_paths import Overwriting, check_inputs, is_stdout, sinks_of
from precheck_gate.errors import Interrupted, PrecheckGateError
from precheck_gate.gate import Gate, Outputs
from precheck_gate.model.verdicts import RunFacts
from precheck_gate.reports.base import load_format
from precheck_gate.reports.terminal import SummaryKind
from precheck_gate.runtime.console import Console
from precheck_gate.runtime.process import shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precheck_gate.ci import CiSystem
    from precheck_gate.cli.options.judging import JudgeOptions
    from precheck_gate.cli.options.report_paths import Input
    from precheck_gate.runtime.process import Runtime


def execute(
    mode: str,
    options: JudgeOptions,
    runtime: Runtime,
    body: Callable[[Gate], int],
    inputs: Sequence[Input] = (),
) -> int:
    """Run a command's body with a gate, and turn every outcome into an exit code.

    ``inputs`` is what the command reads besides the policy and the baseline: no report may
    overwrite it.
    """
    specs = options.specs()
    paths = [path for _, path in specs]
    gate = open_gate(mode, paths, runtime)
    for path in (path for path in paths if path.startswith("~")):
        gate.console.warn(
            f"{path} means a folder named ~, because no shell expands ~ after an equals sign; "
            "use $HOME"
        )
    try:
        for name, _ in specs:
            load_format(name)  # what a format lacks is reported before the wait, not after it
        gate.outputs = Outputs(
            reports=sinks_of(specs, runtime.interrupts),
            format_options=options.format_options,
            advisory=options.advisory,
            warn_code=options.warn_code,
            ci=_ci_system(options.ci, gate.console),
            quiet=options.quiet,
            verbose=options.verbose,
            summary=SummaryKind(options.summary),
        )
        if specs:
            check_inputs(paths, [*inputs, *options.inputs()])
        return body(gate)
    except Overwriting as error:
        gate.outputs = replace(gate.outputs, reports=error.spare(gate.outputs.reports))
        return gate.fail(error)
    except PrecheckGateError as error:
        return gate.fail(error)
    except Interrupted as error:
        return gate.interrupted(error.signum)
    except Exception as error:  # a bug of ours must never read as a verdict
        return gate.fail(unforeseen(error))


def open_gate(mode: str, paths: Sequence[str], runtime: Runtime) -> Gate:
    """Return a gate without outputs, which prints to stderr if a report goes to stdout."""
    console = Console(result=sys.stderr if any(map(is_stdout, paths)) else None)
    today = runtime.the_clock().now().date().isoformat()
    facts = RunFacts(mode=mode, judged_on=today, exit_code=0)
    return Gate(facts, Outputs(), console, runtime.interrupts)


def _ci_system(name: str, console: Console) -> CiSystem:
    world = CiWorld(os.environ, console.command, time.time)
    return load_system(detect(os.environ) if name == "auto" else name, world)


def unforeseen(error: BaseException) -> PrecheckGateError:
    """Return an unexpected exception as an error: a lack of resources, or else a bug of ours.

    The message has the place of a bug and no values. It leaves out the exception's own text, which
    may contain a secret.
    """
    if (lack := shortage(error)) is not None:
        return lack
    place = ""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "precheck_gate" in code.co_filename:
            place = f" in {Path(code.co_filename).name}:{trace.tb_lineno} ({code.co_name})"
        trace = trace.tb_next
    return PrecheckGateError(
        f"Unexpected error: {type(error).__name__}{place}.",
        hint="This is a bug in precheck-gate. Report it with this line and the version.",
    )
