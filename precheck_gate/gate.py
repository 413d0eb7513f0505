"""The gate: from observations of the tasks to a verdict, reports and an exit code."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from precheck_gate.ci import CiSystem, CiWorld, Written, load_system
from precheck_gate.errors import EXIT_CODE_MEANINGS, ExitCode, PrecheckGateError
from precheck_gate.judgement.readiness import ReadinessCollector
from precheck_gate.model.snapshots import Observation, Trouble, TroubleKind
from precheck_gate.model.verdicts import FindingKind, RunVerdict, Verdict, own_finding
from precheck_gate.reports.base import DEFAULT_FORMAT_OPTIONS
from precheck_gate.reports.sinks import FileSink
from precheck_gate.reports.terminal import Summary, SummaryKind
from precheck_gate.reports.writing import ReportWriter
from precheck_gate.runtime.console import Style
from precheck_gate.runtime.process import signal_name
from precheck_gate.safetext.cleaning import clean_line, hide_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from precheck_gate.judgement.context import JudgementContext
    from precheck_gate.model.verdicts import RunFacts, TaskVerdict
    from precheck_gate.reports.base import FormatOptions, Reporter
    from precheck_gate.reports.sinks import Sink
    from precheck_gate.reports.writing import ReportFailure
    from precheck_gate.runtime.console import Console
    from precheck_gate.runtime.process import Interrupts


def no_ci() -> CiSystem:
    """Return what reports to no CI system."""
    return load_system("none", CiWorld({}, lambda _line: None, lambda: 0.0))


@dataclass(frozen=True, slots=True)
class Outputs:
    """What to print and write.

    ``reports`` has (format, sink) for each report. ``advisory`` makes a blocked verdict exit 0;
    ``warn_code`` is the exit code of passed with warnings, None for 0.
    """

    reports: tuple[tuple[str, Sink], ...] = ()
    format_options: FormatOptions = DEFAULT_FORMAT_OPTIONS
    advisory: bool = False
    warn_code: int | None = None
    ci: CiSystem = field(default_factory=no_ci)
    quiet: bool = False
    verbose: bool = False
    summary: SummaryKind = SummaryKind.FULL


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Case:
    """What to judge.

    Attributes:
        troubles: what went wrong with the run itself.
        remarks: notes that change no verdict.
        strict_waivers: whether expired and unused waivers block.
        max_age: the greatest age of an answer in seconds; None offline, where answers have no age.
        time_over: whether the run is over its time; what is not judged by then is incomplete.
    """

    requested: Sequence[str]
    observations: Iterable[Observation]
    context: JudgementContext
    troubles: Sequence[Trouble] = ()
    remarks: Sequence[str] = ()
    strict_waivers: bool = False
    max_age: float | None = None
    time_over: Callable[[], bool] = _never


@dataclass
class Gate:
    """Judges one case, reports the verdict, and returns the exit code.

    Args:
        facts: what is known about the run before it is judged.
        interrupts: signals that ended the work early.
        losses: what could not be saved or reported; costs exit code 0.
    """

    facts: RunFacts
    outputs: Outputs
    console: Console
    interrupts: Interrupts
    losses: list[str] = field(default_factory=list)
    _time_over: Callable[[], bool] = _never

    def judge(self, case: Case) -> int:
        """Judge each requested task once, write all reports, and return the exit code."""
        self._time_over = case.time_over
        receivers = _Receivers(self.outputs, self.console)
        try:
            run, code = judge_case(
                case,
                receivers.add_task,
                advisory=self.outputs.advisory,
                warn_code=self.outputs.warn_code,
            )
        except BaseException:
            receivers.writer.discard()
            raise
        policy = case.context.policy
        facts = replace(
            self.facts,
            judged_on=case.context.today.isoformat(),
            policy=clean_line(policy.name),
            policy_digest=policy.digest,
        )
        return self._end(run, facts, code, receivers)

    def fail(self, error: PrecheckGateError) -> int:
        """Report an error that left nothing to judge; return its exit code."""
        self.console.error(error)
        incomplete = error.exit_code == ExitCode.INCOMPLETE
        verdict = Verdict.INCOMPLETE if incomplete else Verdict.ERROR
        return self._nothing_judged(error, verdict, int(error.exit_code))

    def interrupted(self, signum: int) -> int:
        """Report a signal that came before anything was judged; return the exit code."""
        error = PrecheckGateError(
            f"Interrupted by {signal_name(signum)} before anything was judged.",
            hint="Run the gate again.",
        )
        return self._nothing_judged(error, Verdict.INCOMPLETE, 128 + signum)

    def _nothing_judged(self, error: PrecheckGateError, verdict: Verdict, code: int) -> int:
        finding = own_finding(
            FindingKind.RUN,
            verdict,
            ExitCode(code).name.lower(),
            hide_credentials(error.message),
            rule="gate: at least one task must be judged",
            next_step=hide_credentials(error.hint),
            code=getattr(error, "code", ""),
        )
        run = RunVerdict(verdict=verdict, findings=(finding,), requested=())
        # What was printed as an error is not printed again as a verdict.
        receivers = _Receivers(self.outputs, self.console, summarise=verdict is not Verdict.ERROR)
        return self._end(run, self.facts, code, receivers)

    def _end(self, run: RunVerdict, facts: RunFacts, code: int, receivers: _Receivers) -> int:
        writer = receivers.writer
        facts = replace(facts, advisory=self.outputs.advisory)

        def facts_now() -> RunFacts:
            return self._with_exit_code(facts, code, writer)

        try:
            # The verdict first: it is printed even if no report can be written.
            if receivers.summary is not None:
                receivers.summary.finish(run, facts_now())
            writer.finish(run, facts_now())
            # The report with the exit code last, since the others may fail.
            reported = facts_now()
            writer.conclude(run, reported)
            for remark in writer.remarks:
                self.console.warn(remark)
            self._warn_of_failures(writer.failures)
            if writer.written and self.outputs.summary is SummaryKind.FULL:
                self._print_fact("reports", ", ".join(map(clean_line, writer.written)))
            self.losses += receivers.report_to_ci(run, facts_now())
            for loss in self.losses:
                self.console.warn(loss)
            shown = facts_now().exit_code
            self._print_fact("exit", f"{shown} ({self._meaning(shown, run.verdict)})")
            # Whatever was lost or happened meanwhile may change the code: write it again.
            warned = len(writer.failures)
            while (now := facts_now()) != reported:
                reported = now
                writer.conclude(run, reported)
            self._warn_of_failures(writer.failures[warned:])
            return reported.exit_code
        finally:
            writer.discard()

    def _with_exit_code(self, facts: RunFacts, code: int, writer: ReportWriter) -> RunFacts:
        """Return the facts with the exit code that follows from everything so far."""
        received = self.interrupts.received
        if received is not None:
            return replace(facts, exit_code=128 + received, interrupted_by=signal_name(received))
        if code not in _KEEP:
            if self._time_over():
                code = int(ExitCode.INCOMPLETE)
            elif any(failure.bug for failure in writer.failures):
                code = int(ExitCode.BUG)
            elif writer.failures or self.losses or self.console.failure:
                code = int(ExitCode.REPORT)
        return replace(facts, exit_code=code)

    def _meaning(self, code: int, verdict: Verdict) -> str:
        if code == self.outputs.warn_code:
            return "passed with warnings"
        if code == ExitCode.PASSED and verdict is Verdict.BLOCKED:
            return "blocked, but --advisory is set"
        if code == ExitCode.INCOMPLETE and self.facts.mode == "evaluate":
            return "incomplete: not every task is known to be at 100 %"
        if code == ExitCode.INCOMPLETE and verdict is not Verdict.INCOMPLETE:
            return "incomplete: --timeout ended before the reports were written"
        return EXIT_CODE_MEANINGS[ExitCode(code)]

    def _print_fact(self, label: str, text: str) -> None:
        label = f"{label:<9}"
        self.console.print_parts([(Style.FAINT, label), ("", text)], hang=len(label))

    def _warn_of_failures(self, failures: Sequence[ReportFailure]) -> None:
        for failure in failures:
            self.console.warn(
                f"the {failure.format} report {failure.name} could not be written: "
                f"{failure.reason}. Check the path, its permissions, and the disk space."
            )


def judge_case(
    case: Case,
    receive: Callable[[TaskVerdict], None],
    *,
    advisory: bool = False,
    warn_code: int | None = None,
) -> tuple[RunVerdict, int]:
    """Judge each requested task once; return the verdict of the run and its exit code.

    ``receive`` gets the verdict of each task. The other arguments are as in `Outputs`.
    """
    from precheck_gate.judgement.run import RunJudge, exit_code
    from precheck_gate.judgement.second_key import SecondKey
    from precheck_gate.judgement.task import judge_task

    policy, today = case.context.policy, case.context.today
    judge = RunJudge(case.requested, policy, today, strict_waivers=case.strict_waivers)
    key = SecondKey(case.requested, policy, case.max_age)
    for observation in _of_all_tasks(case):
        task = judge_task(observation, case.context)
        judge.add(task)
        key.see(observation, task.findings)
        receive(task)
    run = judge.finish(troubles=case.troubles, remarks=case.remarks)
    code = exit_code(run.verdict, advisory=advisory, warn_code=warn_code)
    if objections := key.objections(run, code, advisory=advisory):
        return _refused(run, objections), int(ExitCode.BUG)
    return run, code


def _of_all_tasks(case: Case) -> Iterable[Observation]:
    """Yield an observation of each requested task, even if a signal cut the case short."""
    open_tasks = dict.fromkeys(case.requested)
    for observation in case.observations:
        del open_tasks[observation.task_id]
        ready = observation.snapshot is not None and observation.snapshot.complete
        late = ready and observation.trouble is None and case.time_over()
        yield replace(observation, trouble=_NOT_JUDGED) if late else observation
    for task_id in open_tasks:
        yield Observation(task_id)


def _refused(run: RunVerdict, objections: Sequence[str]) -> RunVerdict:
    """Return a verdict that the second key does not confirm as an error."""
    more = f", and {len(objections) - 3} more objections" if len(objections) > 3 else ""
    finding = own_finding(
        FindingKind.RUN,
        Verdict.ERROR,
        "second key",
        f"A second, independent check contradicts this pass: {'; '.join(objections[:3])}{more}.",
        rule="gate: exit code 0 needs two independent checks",
        next_step="Do not start the migration. This is a bug in precheck-gate: report it with this "
        "message and the version.",
    )
    return replace(run, verdict=Verdict.ERROR, findings=(*run.findings, finding))


class _Receivers:
    """All that receive the verdict of each task: the reports, the screen, the CI system."""

    def __init__(self, outputs: Outputs, console: Console, *, summarise: bool = True) -> None:
        self.writer = ReportWriter(outputs.reports, outputs.format_options)
        self.summary = (
            Summary(console, kind=outputs.summary, verbose=outputs.verbose) if summarise else None
        )
        self._outputs = outputs
        self._readiness = ReadinessCollector()
        self._text = io.StringIO()
        self._markdown: Reporter | None = None
        if room := outputs.ci.summary_room():
            from precheck_gate.reports.markdown import MarkdownReporter

            self._markdown = MarkdownReporter(self._text, max_bytes=room)

    def add_task(self, task: TaskVerdict) -> None:
        for one in (self.writer, self._readiness, self.summary, self._markdown):
            if one is not None:
                one.add_task(task)

    def report_to_ci(self, run: RunVerdict, facts: RunFacts) -> list[str]:
        """Report to the CI system; return what could not be reported."""
        if self._markdown is not None:
            self._markdown.finish(run, facts)
        # Later steps cannot read a stream or a descriptor. The first report of a format counts.
        files = [(name, s.name) for name, s in self._outputs.reports if isinstance(s, FileSink)]
        paths = {name: path for name, path in reversed(files) if path in self.writer.written}
        written = Written(paths, self._text.getvalue(), facts.policy)
        return self._outputs.ci.conclude(self._readiness.finish(run, facts), written)


_NOT_JUDGED = Trouble(
    TroubleKind.UNFINISHED,
    "the run reached --timeout before this task was judged",
    hint="Run the gate again with a longer --timeout, or with fewer tasks.",
)

# A report that could not be written does not change these.
_KEEP = frozenset(
    {
        *(ExitCode.BLOCKED, ExitCode.USAGE, ExitCode.INCOMPLETE, ExitCode.SERVICE, ExitCode.BUG),
        *(ExitCode.SIGINT, ExitCode.SIGTERM),
    }
)
