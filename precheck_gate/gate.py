"""The gate: takes what is known of the tasks to a verdict, reports and an exit code."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from precheck_gate.exits import EXIT_CODE_MEANINGS, ExitCode
from precheck_gate.findings import Finding, FindingKind, RunVerdict, Verdict
from precheck_gate.interrupts import signal_name
from precheck_gate.model import Observation
from precheck_gate.reports.summary import Summary
from precheck_gate.reports.writing import ReportWriter
from precheck_gate.text import clean_line, hide_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from precheck_gate.console import Console
    from precheck_gate.errors import PrecheckGateError
    from precheck_gate.interrupts import Interrupts
    from precheck_gate.judgement import Advise
    from precheck_gate.model import Trouble
    from precheck_gate.policy.model import Policy
    from precheck_gate.reports.base import RunFacts
    from precheck_gate.reports.sinks import Sink

__all__ = ["Case", "Gate", "Outputs", "advice"]


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the user wants to get.

    Attributes:
        reports: (format, sink) for each report.
        advisory: whether a blocked verdict exits 0.
        warn_code: the exit code of passed with warnings; None for 0.
        quiet: whether progress is left out.
        verbose: whether everything is told.
    """

    reports: tuple[tuple[str, Sink], ...] = ()
    advisory: bool = False
    warn_code: int | None = None
    quiet: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """What there is to judge: the tasks asked for, what is known of them, and by which policy."""

    requested: Sequence[str]
    observations: Iterable[Observation]
    policy: Policy
    troubles: Sequence[Trouble] = ()
    remarks: Sequence[str] = ()


@dataclass
class Gate:
    """Judges one case, tells everybody, and returns the exit code.

    Args:
        facts: how the verdict comes about, as far as it is known beforehand.
        outputs: what the user wants to get.
        console: where the verdict is printed.
        interrupts: signals that ended the work early.
    """

    facts: RunFacts
    outputs: Outputs
    console: Console
    interrupts: Interrupts
    losses: list[str] = field(default_factory=list)

    def judge(self, case: Case) -> int:
        """Judge every requested task once, write all reports, and return the exit code."""
        from precheck_gate.judgement import judge_task
        from precheck_gate.verdict import RunJudge, exit_code

        writer = ReportWriter(self.outputs.reports)
        summary = Summary(self.console, details=self.outputs.verbose)
        judge = RunJudge(case.requested, case.policy)
        advise = advice()
        try:
            for observation in self._all(case):
                task = judge_task(observation, case.policy, advise)
                judge.add(task)
                writer.add_task(task)
                summary.add_task(task)
        except BaseException:
            writer.discard()
            raise
        run = judge.finish(troubles=case.troubles, remarks=case.remarks)
        code = exit_code(
            run.verdict, advisory=self.outputs.advisory, warn_code=self.outputs.warn_code
        )
        if self.interrupts.received is not None:
            code = 128 + self.interrupts.received
        facts = replace(
            self.facts,
            policy=clean_line(case.policy.name),
            policy_digest=case.policy.digest,
        )
        return self._end(run, facts, code, summary.finish, writer)

    def _all(self, case: Case) -> Iterable[Observation]:
        """Yield an observation of each requested task, also of those that a signal cut off."""
        open_tasks = dict.fromkeys(case.requested)
        for observation in case.observations:
            del open_tasks[observation.task_id]
            yield observation
            if self.interrupts.received is not None:
                break
        for task_id in open_tasks:
            yield Observation(task_id)

    def fail(self, error: PrecheckGateError) -> int:
        """Tell of an error that left nothing to judge, in every report too; return its code."""
        self.console.error(error)
        finding = Finding(
            kind=FindingKind.RUN,
            verdict=Verdict.ERROR,
            title=error.exit_code.name.lower(),
            message=clean_line(hide_credentials(error.message)),
            decided_by="gate: nothing was judged, no green",
            next_step=clean_line(hide_credentials(error.hint)),
            code=clean_line(getattr(error, "code", "")),
        )
        run = RunVerdict(verdict=Verdict.ERROR, findings=(finding,), requested=())
        writer = ReportWriter(self.outputs.reports)
        return self._end(run, self.facts, int(error.exit_code), None, writer)

    def _end(
        self,
        run: RunVerdict,
        facts: RunFacts,
        code: int,
        tell: Callable[[RunVerdict, RunFacts], None] | None,
        writer: ReportWriter,
    ) -> int:
        received = self.interrupts.received
        facts = replace(
            facts,
            exit_code=code,
            advisory=self.outputs.advisory,
            interrupted_by=signal_name(received) if received is not None else "",
        )
        # The verdict first: it is told even when no report can be written.
        if tell is not None:
            tell(run, facts)
        writer.finish(run, facts)
        code = self._after_reports(code, writer)
        if writer.written:
            self.console.print_result(f"reports  {', '.join(map(clean_line, writer.written))}")
        meaning = _meaning(code, self.outputs)
        self.console.print_result(f"exit     {code} ({meaning})")
        self.console.flush()
        return _with_losses(code, lost=bool(self.console.failure))

    def _after_reports(self, code: int, writer: ReportWriter) -> int:
        for failure in writer.failures:
            self.console.warn(
                f"the {failure.format} report {failure.name} could not be written: {failure.reason}"
            )
        for loss in self.losses:
            self.console.warn(loss)
        lost = bool(writer.failures or self.losses or self.console.failure)
        code = _with_losses(code, lost=lost)
        if code == ExitCode.REPORT and any(failure.bug for failure in writer.failures):
            return int(ExitCode.BUG)
        if self.interrupts.received is not None:
            return 128 + self.interrupts.received
        return code


_KEEP = frozenset(
    {
        *(ExitCode.BLOCKED, ExitCode.USAGE, ExitCode.INCOMPLETE, ExitCode.SERVICE, ExitCode.BUG),
        *(ExitCode.SIGINT, ExitCode.SIGTERM),
    }
)


def _with_losses(code: int, *, lost: bool) -> int:
    """Return the code when something could not be written: no green without its reports."""
    return int(ExitCode.REPORT) if lost and code not in _KEEP else code


def _meaning(code: int, outputs: Outputs) -> str:
    if code == outputs.warn_code:
        return "passed with warnings"
    if code == 0 and outputs.advisory:
        return "passed, or blocked and advisory"
    try:
        return EXIT_CODE_MEANINGS[ExitCode(code)]
    except ValueError:
        return "unknown"


def advice() -> Advise:
    """Return what tells the next step for an item: the catalogue, read when it is first asked."""

    def advise(item: str, group: str, failed_reason: str) -> str:  # noqa: ARG001
        from precheck_gate import catalog

        entry = catalog.load().entry(item)
        return entry.next_step if entry else catalog.unknown_next_step(item, group)

    return advise
