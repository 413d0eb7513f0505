"""From parsed options to an exit code: one way through, for every command that judges."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from precheck_gate.ci import CiWorld, detect, load_system
from precheck_gate.cli.options.report_paths import Overwriting, check_inputs, is_stdout, sinks_of
from precheck_gate.errors import Interrupted, PrecheckGateError
from precheck_gate.gate import Gate, Outputs
from precheck_gate.model.verdicts import RunFacts
from precheck_gate.reports.base import MARKDOWN_BYTES, FormatOptions, JUnitWarnings, load_format
from precheck_gate.reports.terminal import SummaryKind
from precheck_gate.runtime.console import Console
from precheck_gate.runtime.shortages import shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from precheck_gate.ci import CiSystem
    from precheck_gate.cli.options.report_paths import Input
    from precheck_gate.cli.options.types import ReportSpec
    from precheck_gate.judgement.context import JudgementContext
    from precheck_gate.reports.sinks import Sink
    from precheck_gate.runtime.clock import Clock
    from precheck_gate.runtime.process import Runtime
    from precheck_gate.runtime.signals import Interrupts

__all__ = ["JudgeOptions", "execute", "unforeseen"]


@dataclass(frozen=True, slots=True)
class JudgeOptions:
    """The values of `judge_options`."""

    policy: Path | None = None
    profile: str | None = None
    allow_outside: bool = False
    now: date | None = None
    strict_waivers: bool = False
    baseline: Path | None = None
    redact: str | None = None
    reports: Sequence[ReportSpec] = ()
    junit: str | None = None
    max_bytes: int = MARKDOWN_BYTES
    junit_warnings: str = JUnitWarnings.SKIPPED
    advisory: bool = False
    warn_code: int | None = None
    ci: str = "none"
    quiet: bool = False
    verbose: bool = False
    summary: str = "full"

    @property
    def format_options(self) -> FormatOptions:
        """How some of the formats are wanted."""
        return FormatOptions(self.max_bytes, JUnitWarnings(self.junit_warnings))

    @classmethod
    def take(cls, options: Mapping[str, Any]) -> JudgeOptions:
        """Return those among a command's options, as click passes them."""
        return cls(**{field.name: options[field.name] for field in fields(cls)})

    def specs(self) -> list[ReportSpec]:
        """Return the format and the path of each report."""
        return [*self.reports, *([("junit", self.junit)] if self.junit else [])]

    def inputs(self) -> Iterator[Input]:
        """Yield what is read to judge by."""
        if self.baseline is not None:
            yield "the baseline", self.baseline
        if self.policy is not None:
            from precheck_gate.policy.loading import policy_files

            for file in policy_files(self.policy):
                yield "the policy", file

    def day(self, clock: Clock) -> date:
        """Return the day to judge by: the clock's in UTC, unless --now names one."""
        return self.now or clock.now().date()

    def context(self, clock: Clock) -> JudgementContext:
        """Load the policy and the baseline; `day` says again what day it is after a wait.

        Raises:
            UsageError: one of them cannot be used.
        """
        from precheck_gate.catalog import advise, group_of
        from precheck_gate.judgement.context import JudgementContext, Redact, Redaction
        from precheck_gate.policy.loading import PolicyOptions, load_policy
        from precheck_gate.saved.reports.baseline import load_baseline

        today = self.day(clock)
        policy = load_policy(self.policy, PolicyOptions(self.profile, today, self.allow_outside))
        return JudgementContext(
            policy=policy,
            today=today,
            advise=advise,
            group_of=group_of,
            known=load_baseline(self.baseline) if self.baseline is not None else frozenset(),
            redaction=Redaction(Redact(self.redact) if self.redact else None),
        )


def execute(
    mode: str,
    options: JudgeOptions,
    runtime: Runtime,
    body: Callable[[Gate], int],
    inputs: Sequence[Input] = (),
) -> int:
    """Run a command's body with a gate, and turn whatever happens into its exit code.

    Args:
        mode: the command's name, for the reports.
        options: what to print and write.
        runtime: the world outside.
        body: does the command's work with the gate, and returns the exit code.
        inputs: what the command reads besides a policy and a baseline.
    """
    specs = options.specs()
    to_stdout = any(is_stdout(path) for _, path in specs)
    console = Console(result=sys.stderr if to_stdout else None)
    for path in (path for _, path in specs if path.startswith("~")):
        console.warn(
            f"{path} goes to a folder of that name: no shell expands ~ behind an equals sign; "
            "write $HOME"
        )
    today = runtime.the_clock().now().date().isoformat()
    facts = RunFacts(mode=mode, judged_on=today, exit_code=0)
    gate = Gate(facts, Outputs(), console, runtime.interrupts)
    try:
        gate.outputs = Outputs(
            reports=_sinks(specs, runtime.interrupts),
            format_options=options.format_options,
            advisory=options.advisory,
            warn_code=options.warn_code,
            ci=_ci_system(options.ci, console),
            quiet=options.quiet,
            verbose=options.verbose,
            summary=SummaryKind(options.summary),
        )
        _check_inputs(options, specs, inputs)
        return body(gate)
    except Overwriting as error:
        gate.outputs = replace(gate.outputs, reports=error.spare(gate.outputs.reports))
        return gate.fail(error)
    except PrecheckGateError as error:
        return gate.fail(error)
    except Interrupted as error:
        return gate.interrupted(error.signum)
    except Exception as error:  # the last net: a bug of ours must never read as a verdict
        return gate.fail(unforeseen(error))


def _ci_system(name: str, console: Console) -> CiSystem:
    world = CiWorld(os.environ, console.command, time.time)
    return load_system(detect(os.environ) if name == "auto" else name, world)


def _sinks(specs: Sequence[ReportSpec], interrupts: Interrupts) -> tuple[tuple[str, Sink], ...]:
    for name, _ in specs:
        # Whatever a format lacks is told before the service is asked, and not half an hour later.
        load_format(name)
    return sinks_of(specs, interrupts)


def _check_inputs(
    options: JudgeOptions, specs: Sequence[ReportSpec], inputs: Sequence[Input]
) -> None:
    if specs:
        check_inputs([path for _, path in specs], [*inputs, *options.inputs()])


def unforeseen(error: BaseException) -> PrecheckGateError:
    """Return an unforeseen exception as an error: what the machine lacks, or else a bug of ours.

    A bug's place is named and none of its values; the exception's own words are left out, as they
    may hold what must not be shown.
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
        f"Something that precheck-gate did not foresee: {type(error).__name__}{place}.",
        hint="This is a bug of precheck-gate: report it with this line and its version.",
    )
