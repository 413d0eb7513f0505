"""The verdict of a run: what its tasks add up to, and the exit code that says it. Pure."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from precheck_gate.errors import ExitCode
from precheck_gate.judgement.task import counts_as_warning, verdict_of
from precheck_gate.model.verdicts import (
    Finding,
    FindingKind,
    RunVerdict,
    TaskVerdict,
    Verdict,
    WaiverState,
    WaiverUse,
    own_finding,
    worst,
)
from precheck_gate.safetext.cleaning import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from precheck_gate.model.snapshots import Trouble
    from precheck_gate.model.verdicts import Effect
    from precheck_gate.policy.model import Policy, Waiver


class RunJudge:
    """Adds task verdicts up to the verdict of the run, one at a time; keeps none of them."""

    def __init__(
        self,
        requested: Sequence[str],
        policy: Policy,
        today: date,
        *,
        strict_waivers: bool = False,
    ) -> None:
        self._requested = tuple(clean_line(task_id) for task_id in requested)
        self._policy = policy
        self._today = today
        self._strict_waivers = strict_waivers
        self._warnings = 0
        self._waived: Counter[str] = Counter()
        self._open = Counter(self._requested)
        self._tasks: Counter[Verdict] = Counter()
        self._items: Counter[Effect] = Counter()

    def add(self, task: TaskVerdict) -> None:
        """Count a task; each requested task once, and no other.

        Raises:
            ValueError: the task was not requested, or was counted before.
        """
        if not self._open[task.task_id]:
            raise ValueError(f"task {task.task_id} was not asked for, or was judged twice")
        self._open[task.task_id] -= 1
        self._tasks[task.verdict] += 1
        for finding in task.findings:
            if finding.kind is not FindingKind.TASK:
                self._items[finding.effect] += 1
                self._warnings += counts_as_warning(finding, self._policy)
            if finding.waived_by:
                self._waived[finding.waived_by] += 1

    def finish(
        self, *, troubles: Sequence[Trouble] = (), remarks: Sequence[str] = ()
    ) -> RunVerdict:
        """Return the verdict of the run.

        Each of ``troubles`` is an error of the run, or makes it incomplete, by its kind. Remarks
        are reported and change no verdict.
        """
        waivers = tuple(map(self._use, self._policy.waivers))
        findings = [*map(self._from_trouble, troubles), *self._limits(), *self._missing()]
        if self._strict_waivers:
            findings += filter(None, map(_strict, waivers))
        verdict = worst([*self._tasks, *(finding.verdict for finding in findings)])
        return RunVerdict(
            verdict=verdict,
            findings=tuple(findings),
            requested=self._requested,
            tasks=dict(self._tasks),
            items=dict(self._items),
            waivers=waivers,
            remarks=tuple(clean_line(remark) for remark in remarks),
        )

    def _from_trouble(self, trouble: Trouble) -> Finding:
        incomplete = verdict_of(trouble) is Verdict.INCOMPLETE
        return _run_finding(
            Verdict.INCOMPLETE if incomplete else Verdict.ERROR,
            trouble.kind.value,
            trouble.message,
            rule="gate: a run without a usable answer cannot pass",
            next_step=trouble.hint,
            code=trouble.code,
        )

    def _use(self, waiver: Waiver) -> WaiverUse:
        used = self._waived[waiver.id]
        if self._today > waiver.expires:
            state = WaiverState.EXPIRED
        elif waiver.since is not None and self._today < waiver.since:
            state = WaiverState.PENDING
        else:
            state = WaiverState.USED if used else WaiverState.UNUSED
        return WaiverUse(
            id=waiver.id,
            owner=clean_line(waiver.owner),
            reason=clean_line(waiver.reason),
            ticket=clean_line(waiver.ticket),
            origin=clean_line(str(waiver.origin)),
            expires=waiver.expires.isoformat(),
            days_left=(waiver.expires - self._today).days,
            state=state,
            used=used,
        )

    def _limits(self) -> Iterable[Finding]:
        limit, warnings = self._policy.limits.max_warnings, self._warnings
        if limit is not None and warnings > limit.value:
            yield _run_finding(
                Verdict.BLOCKED,
                "limits.max_warnings",
                f"{warnings} warnings exceed the limit of {limit.value} in the policy",
                rule=str(limit.origin),
                next_step="Fix some of the items that warn, or raise the limit in the policy.",
            )

    def _missing(self) -> Iterable[Finding]:
        missing = sorted(self._open.elements())
        if missing or not self._requested:
            names = ", ".join(missing[:3])
            yield _run_finding(
                Verdict.ERROR,
                "judged",
                f"{len(missing)} requested tasks were not judged: {names}"
                if missing
                else "no task was judged",
                rule="gate: at least one task must be judged",
                next_step="Name the tasks, and run the gate again.",
            )


def _strict(waiver: WaiverUse) -> Finding | None:
    """Return the finding of ``--strict-waivers`` about a waiver, or None."""
    if waiver.state is WaiverState.EXPIRED:
        message = f"the waiver {waiver.id} expired on {waiver.expires}"
        step = "Fix what it waived, or ask its owner to renew it."
    elif waiver.state is WaiverState.UNUSED:
        message = f"the waiver {waiver.id} waived nothing"
        step = "Remove it from the policy."
    else:
        return None
    return _run_finding(
        Verdict.BLOCKED,
        "waivers",
        message,
        rule=f"{waiver.origin}, --strict-waivers",
        next_step=step,
    )


_run_finding = partial(own_finding, FindingKind.RUN)

_EXIT_CODES = {
    Verdict.PASSED: ExitCode.PASSED,
    Verdict.PASSED_WITH_WARNINGS: ExitCode.PASSED,
    Verdict.BLOCKED: ExitCode.BLOCKED,
    Verdict.INCOMPLETE: ExitCode.INCOMPLETE,
    Verdict.ERROR: ExitCode.SERVICE,
}


def exit_code(verdict: Verdict, *, advisory: bool = False, warn_code: int | None = None) -> int:
    """Return the exit code of a run.

    ``advisory`` turns *blocked*, and nothing else, into 0. ``warn_code`` is the code of *passed
    with warnings*; None for 0.
    """
    if verdict is Verdict.BLOCKED and advisory:
        return int(ExitCode.PASSED)
    if verdict is Verdict.PASSED_WITH_WARNINGS and warn_code is not None:
        return warn_code
    return int(_EXIT_CODES[verdict])
