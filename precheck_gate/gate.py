"""The gate: takes what is known of the tasks to a verdict, reports and an exit code."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TextIO

from precheck_gate.ci import CiSystem, CiWorld, Written, load_system
from precheck_gate.errors import PrecheckGateError
from precheck_gate.exits import EXIT_CODE_MEANINGS, ExitCode
from precheck_gate.judgement.readiness import ReadinessCollector
from precheck_gate.model.snapshots import Observation, Trouble, TroubleKind
from precheck_gate.model.verdicts import FindingKind, RunVerdict, Verdict, own_finding
from precheck_gate.reports.base import DEFAULT_FORMAT_OPTIONS
from precheck_gate.reports.sinks import FileSink
from precheck_gate.reports.terminal import Summary, SummaryKind
from precheck_gate.reports.writing import ReportWriter
from precheck_gate.runtime.console import Style
from precheck_gate.runtime.signals import signal_name
from precheck_gate.safetext.cleaning import clean_line, hide_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from precheck_gate.judgement.context import JudgementContext
    from precheck_gate.model.verdicts import RunFacts, TaskVerdict
    from precheck_gate.reports.base import FormatOptions, Reporter
    from precheck_gate.reports.sinks import Sink
    from precheck_gate.reports.writing import ReportFailure
    from precheck_gate.runtime.console import Console
    from precheck_gate.runtime.signals import Interrupts

__all__ = ["Case", "Gate", "Outputs"]


def no_ci() -> CiSystem:
    """Return the CI system that is none."""
    return load_system("none", CiWorld({}, _say_nothing, lambda: 0.0))


def _say_nothing(line: str) -> None:
    """Print nothing: there is no runner to read it."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the user wants to get.

    Attributes:
        reports: (format, sink) for each report.
        format_options: how some of the formats are wanted.
        advisory: whether a blocked verdict exits 0.
        warn_code: the exit code of passed with warnings; None for 0.
        ci: the CI system that is told.
        quiet: whether progress is left out.
        verbose: whether everything is told.
        summary: how much is printed at the end.
    """

    reports: tuple[tuple[str, Sink], ...] = ()
    format_options: FormatOptions = DEFAULT_FORMAT_OPTIONS
    advisory: bool = False
    warn_code: int | None = None
    ci: CiSystem = field(default_factory=no_ci)
    quiet: bool = False
    verbose: bool = False
    summary: SummaryKind = SummaryKind.FULL


@dataclass(frozen=True, slots=True)
class Case:
    """What there is to judge.

    Attributes:
        requested: the tasks asked for.
        observations: what is known of them.
        context: the policy, and what else the judgement rests on.
        troubles: what went wrong with the run itself.
        remarks: oddities that change no verdict.
        strict_waivers: whether waivers that expired or waived nothing block.
        max_age: how many seconds old an answer may be; None offline, where answers have no age.
        time_over: whether the time of the run is over; what is not judged by then is incomplete.
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
    _time_over: Callable[[], bool] = _never

    def judge(self, case: Case) -> int:
        """Judge every requested task once, write all reports, and return the exit code."""
        from precheck_gate.judgement.run import RunJudge, exit_code
        from precheck_gate.judgement.second_key import SecondKey
        from precheck_gate.judgement.task import judge_task

        self._time_over = case.time_over
        listeners = _Listeners(self.outputs, self.console)
        policy = case.context.policy
        judge = RunJudge(
            case.requested, policy, case.context.today, strict_waivers=case.strict_waivers
        )
        key = SecondKey(case.requested, policy, case.max_age)
        try:
            for observation in self._all(case):
                task = judge_task(observation, case.context)
                judge.add(task)
                key.see(observation, task.findings)
                listeners.add_task(task)
        except BaseException:
            listeners.writer.discard()
            raise
        run = judge.finish(troubles=case.troubles, remarks=case.remarks)
        code = exit_code(
            run.verdict, advisory=self.outputs.advisory, warn_code=self.outputs.warn_code
        )
        if objections := key.objections(run, code, advisory=self.outputs.advisory):
            run, code = _refused(run, objections), int(ExitCode.BUG)
        facts = replace(
            self.facts,
            judged_on=case.context.today.isoformat(),
            policy=clean_line(policy.name),
            policy_digest=policy.digest,
        )
        return self._end(run, facts, code, listeners)

    def _all(self, case: Case) -> Iterable[Observation]:
        """Yield an observation of each requested task, also where a signal cut the case short."""
        open_tasks = dict.fromkeys(case.requested)
        for observation in case.observations:
            del open_tasks[observation.task_id]
            ready = observation.snapshot is not None and observation.snapshot.complete
            late = ready and observation.trouble is None and case.time_over()
            yield replace(observation, trouble=_NOT_JUDGED) if late else observation
        for task_id in open_tasks:
            yield Observation(task_id)

    def fail(self, error: PrecheckGateError) -> int:
        """Tell of an error that left nothing to judge, in every report too; return its code."""
        self.console.error(error)
        incomplete = error.exit_code == ExitCode.INCOMPLETE
        verdict = Verdict.INCOMPLETE if incomplete else Verdict.ERROR
        return self._nothing_judged(error, verdict, int(error.exit_code))

    def interrupted(self, signum: int) -> int:
        """Tell of a signal that came before there was anything to judge; return its code."""
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
            rule="gate: nothing was judged, no green",
            next_step=hide_credentials(error.hint),
            code=getattr(error, "code", ""),
        )
        run = RunVerdict(verdict=verdict, findings=(finding,), requested=())
        # What was printed as an error already is not printed again as a verdict.
        listeners = _Listeners(self.outputs, self.console, summarise=verdict is not Verdict.ERROR)
        return self._end(run, self.facts, code, listeners)

    def _end(self, run: RunVerdict, facts: RunFacts, code: int, listeners: _Listeners) -> int:
        writer = listeners.writer
        facts = replace(facts, advisory=self.outputs.advisory)

        def as_it_stands() -> RunFacts:
            return self._as_it_stands(facts, code, writer)

        try:
            # The verdict first: it is told even when no report can be written.
            if listeners.summary is not None:
                listeners.summary.finish(run, as_it_stands())
            writer.finish(run, as_it_stands())
            # Last the report that says how the process ends, since the others may fail.
            said = as_it_stands()
            writer.conclude(run, said)
            for remark in writer.remarks:
                self.console.warn(remark)
            self._warn_of_failures(writer.failures)
            if writer.written and self.outputs.summary is SummaryKind.FULL:
                paths = ", ".join(map(clean_line, writer.written))
                self._print_fact("reports", paths)
            # What the CI system is told of the exit code is what the process ends with.
            self.losses += listeners.tell_ci(run, as_it_stands())
            for loss in self.losses:
                self.console.warn(loss)
            shown = as_it_stands().exit_code
            self._print_fact("exit", f"{shown} ({self._meaning(shown, run.verdict)})")
            # What was lost or came since then makes the code worse, and the report has to say so.
            told = len(writer.failures)
            while (now := as_it_stands()) != said:
                said = now
                writer.conclude(run, said)
            self._warn_of_failures(writer.failures[told:])
            return said.exit_code
        finally:
            writer.discard()

    def _as_it_stands(self, facts: RunFacts, code: int, writer: ReportWriter) -> RunFacts:
        """Return the facts with the exit code that follows from all that has happened so far."""
        received = self.interrupts.received
        if received is not None:
            return replace(facts, exit_code=128 + received, interrupted_by=signal_name(received))
        if code not in _KEEP and self._time_over():
            return replace(facts, exit_code=int(ExitCode.INCOMPLETE))
        code = _with_losses(code, lost=bool(writer.failures or self.losses or self.console.failure))
        if code == ExitCode.REPORT and any(failure.bug for failure in writer.failures):
            code = int(ExitCode.BUG)
        return replace(facts, exit_code=code)

    def _meaning(self, code: int, verdict: Verdict) -> str:
        if code == self.outputs.warn_code:
            return "passed with warnings"
        if code == ExitCode.PASSED and verdict is Verdict.BLOCKED:
            return "blocked, and 0 by --advisory"
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
                f"{failure.reason}. Check the path, its permissions, and the space on the disk."
            )


class _Listeners:
    """All that is told of each task: the reports, the words on the screen, the CI system."""

    def __init__(self, outputs: Outputs, console: Console, *, summarise: bool = True) -> None:
        self.writer = ReportWriter(outputs.reports, outputs.format_options)
        self.summary = (
            Summary(console, kind=outputs.summary, verbose=outputs.verbose) if summarise else None
        )
        self._reports = outputs.reports
        self._ci = outputs.ci
        self._outcome = ReadinessCollector()
        self._text = io.StringIO()
        room = self._ci.summary_room()
        self._markdown = _markdown(self._text, room) if room else None

    def add_task(self, task: TaskVerdict) -> None:
        self.writer.add_task(task)
        self._outcome.add_task(task)
        if self.summary is not None:
            self.summary.add_task(task)
        if self._markdown is not None:
            self._markdown.add_task(task)

    def tell_ci(self, run: RunVerdict, facts: RunFacts) -> list[str]:
        """Tell the CI system; return what could not be told."""
        if self._markdown is not None:
            self._markdown.finish(run, facts)
        # A stream or a descriptor is no path that a later step could read.
        whole = [(name, sink.name) for name, sink in self._reports if isinstance(sink, FileSink)]
        # The first of a format is the one that is told.
        paths = {name: path for name, path in reversed(whole) if path in self.writer.written}
        written = Written(paths, self._text.getvalue(), facts.policy)
        return self._ci.conclude(self._outcome.finish(run, facts), written)


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


def _markdown(out: TextIO, room: int) -> Reporter:
    from precheck_gate.reports.markdown import MarkdownReporter

    return MarkdownReporter(out, max_bytes=room)


_NOT_JUDGED = Trouble(
    TroubleKind.UNFINISHED,
    "the run reached --timeout before this task was judged",
    hint="Run the gate again with a longer --timeout, or with fewer tasks.",
)

_KEEP = frozenset(
    {
        *(ExitCode.BLOCKED, ExitCode.USAGE, ExitCode.INCOMPLETE, ExitCode.SERVICE, ExitCode.BUG),
        *(ExitCode.SIGINT, ExitCode.SIGTERM),
    }
)


def _with_losses(code: int, *, lost: bool) -> int:
    """Return the code when something could not be written: no green without its reports."""
    return int(ExitCode.REPORT) if lost and code not in _KEEP else code
