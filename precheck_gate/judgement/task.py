"""Judge one task: its items, then its own result. Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from precheck_gate.model.snapshots import Status, TroubleKind, percent_of
from precheck_gate.model.verdicts import (
    Effect,
    Finding,
    FindingKind,
    TaskVerdict,
    Verdict,
    identity_of,
    own_finding,
    worst,
)
from precheck_gate.policy.model import Subject, for_task, rule_on
from precheck_gate.safetext.cleaning import clean, clean_line, inert_line, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precheck_gate.judgement.context import JudgementContext
    from precheck_gate.model.snapshots import Item, Observation, Snapshot, SubTask, Trouble
    from precheck_gate.policy.model import Origin, Placed, Policy, Waiver

_RUN_AGAIN = (
    "Run the pre-check again; if the result is the same, look at the task in the DRS console."
)

_BY_EFFECT = {
    Effect.ALLOW: Verdict.PASSED,
    Effect.WARN: Verdict.PASSED_WITH_WARNINGS,
    Effect.BLOCK: Verdict.BLOCKED,
}


def task_finding(
    verdict: Verdict,
    message: str,
    *,
    rule: str,
    next_step: str = "",
    code: str = "",
    title: str = "result",
) -> Finding:
    """Return a finding about a task as a whole."""
    return own_finding(
        FindingKind.TASK, verdict, title, message, rule=rule, next_step=next_step, code=code
    )


class _Ruling(NamedTuple):
    """What decided: a line of the policy, or a rule of the gate itself."""

    verdict: Verdict
    rule: str
    reason: str = ""
    waiver: Waiver | None = None
    trace: tuple[str, ...] = ()


class ItemJudge:
    """Judges the items of one snapshot."""

    def __init__(
        self, snapshot: Snapshot, policy: Policy, context: JudgementContext, task_id: str
    ) -> None:
        self._snapshot = snapshot
        self._policy = policy
        self._context = context
        self._task_id = task_id
        self.open_failures: list[str] = []
        """The names of FAILED items that are neither skipped in DRS nor waived."""

    def items(self) -> Iterable[Finding]:
        """Yield a finding for each item and for each of its sub-tasks."""
        for item in self._snapshot.items:
            subject, notes = self._subject(item)
            ruling = self._rule_on(subject, notes, unfinished=item.unfinished)
            if item.status is Status.FAILED and not item.skipped and ruling.waiver is None:
                self.open_failures.append(item.name)
            yield self._finding(item, ruling)
            for sub in item.sub_tasks:
                of_sub = subject._replace(status=sub.status, sub_task=(sub.id, sub.name))
                ruling = self._rule_on(of_sub, notes, unfinished=sub.unfinished)
                yield self._sub_finding(item, sub, ruling)

    def absent(self) -> Iterable[Finding]:
        """Yield a finding for each required item that a finished pre-check does not have."""
        if not self._snapshot.complete:
            return
        task, direction = self._snapshot.task_id, self._snapshot.direction
        present = {item.name for item in self._snapshot.items}
        for required in self._policy.required:
            applies = required.applies(task, direction).holds(protects=True)
            if required.item in present or not applies:
                continue
            present.add(required.item)
            # The service names no group where there is no item; the catalogue may know it, so that
            # a group that is never to be waived is protected here too.
            group = self._context.group_of(required.item)
            subject = Subject(task, direction, required.item, group, None, "")
            yield self._complete(
                self._rule_on(subject),
                item=required.item,
                kind=FindingKind.REQUIRED,
                message=clean_line(f"{required.item} is required but was not checked"),
                next_step=self._context.advise(required.item, "", ""),
            )

    def limits(self, items: list[Finding]) -> Iterable[Finding]:
        """Yield a finding for each limit of the policy that the task exceeds."""
        bounds = self._policy.limits
        warnings = sum(counts_as_warning(finding, self._policy) for finding in items)
        bound = bounds.max_warnings_per_task
        if bound is not None and warnings > bound.value:
            yield _limit(
                bound.origin, f"{warnings} warnings exceed the limit of {bound.value} per task"
            )
        rate = bounds.min_passed_rate
        if rate is not None and self._snapshot.complete:
            yield from self._rates(rate)

    def _rates(self, bound: Placed[float]) -> Iterable[Finding]:
        items = self._snapshot.items
        passed = sum(item.status is Status.PASSED for item in items)
        if passed * 100 < Decimal(str(bound.value)) * len(items):
            share = f"{passed} of {len(items)} items are PASSED"
            yield _limit(bound.origin, f"{share}, less than {bound.value:g} %")
        said = self._snapshot.passed_rate
        if not said:
            return
        rate = percent_of(said)
        if rate is None:
            yield _limit(bound.origin, f"total_passed_rate {shorten(said, 40)} is not a percentage")
        elif rate < Decimal(str(bound.value)):
            yield _limit(
                bound.origin, f"DRS says total_passed_rate {said}, less than {bound.value:g} %"
            )

    def _subject(self, item: Item) -> tuple[Subject, tuple[str, ...]]:
        """Return what the policy matches, and notes for the trace."""
        group = item.group
        notes: tuple[str, ...] = ()
        if not group.strip() and (group := self._context.group_of(item.name)):
            notes = (f"DRS sent no group; the catalogue has {group}",)
        subject = Subject(
            task=self._snapshot.task_id,
            direction=self._snapshot.direction,
            item=item.name,
            group=group,
            status=item.status,
            failed_reason=item.failed_reason,
            skipped=item.skipped,
        )
        return subject, notes

    def _rule_on(
        self, subject: Subject, notes: tuple[str, ...] = (), *, unfinished: bool = False
    ) -> _Ruling:
        if unfinished:
            verdict = Verdict.BLOCKED if self._snapshot.complete else Verdict.INCOMPLETE
            step = "there is no status, so no rule and no waiver applies"
            return _Ruling(verdict, "gate: every check must have ended", trace=(step,))
        ruling = rule_on(self._policy, subject, self._context.today)
        return _Ruling(
            _BY_EFFECT[ruling.effect],
            _where(ruling.decision.origin),
            clean_line(ruling.decision.reason),
            ruling.waiver,
            tuple(map(clean_line, (*notes, *ruling.trace) if ruling.trace else ())),
        )

    def _said(self, status: str, of: Item | SubTask, who: str = "") -> str:
        """Return the words for a status."""
        if of.own_error is not None:
            code = f" ({clean_line(of.own_error)})" if of.own_error else ""
            return f"is PASSED{who}, but the service also reports an error{code}"
        if not of.unfinished:
            return f"is {_spoken(status, of.status)}{who}"
        if self._snapshot.complete:
            return f"has no status{who} although the pre-check is at 100 %"
        return f"is still running{who}"

    def _finding(self, item: Item, ruling: _Ruling) -> Finding:
        spoken = self._said(clean_line(item.raw_status), item)
        skipped = ", and was skipped in DRS" if item.skipped else ""
        if item.skippable and not item.skipped and item.status is Status.FAILED:
            skipped = ", and DRS would let it be skipped"
        return self._complete(
            ruling,
            item=item.name,
            kind=FindingKind.ITEM,
            message=f"{clean_line(item.name)} {spoken}{skipped}",
            group=item.group,
            status=item.raw_status,
            failed_reason=item.failed_reason,
            raw_error=item.raw_error,
            data=item.data,
            next_step=self._next_step(item, item),
        )

    def _sub_finding(self, item: Item, sub: SubTask, ruling: _Ruling) -> Finding:
        who = " ".join(part for part in (sub.name, sub.id) if part) or "(unnamed)"
        said = self._said(clean_line(sub.raw_status), sub, f" for the sub-task {clean_line(who)}")
        return self._complete(
            ruling,
            item=item.name,
            kind=FindingKind.SUB_TASK,
            message=f"{clean_line(item.name)} {said}",
            group=item.group,
            status=sub.raw_status,
            failed_reason=item.failed_reason,
            sub_task=who,
            next_step=self._next_step(item, sub),
        )

    def _next_step(self, item: Item, of: Item | SubTask) -> str:
        if of.status is Status.PASSED:
            return ""
        if of.own_error is not None:
            return _RUN_AGAIN
        if not of.unfinished:
            return self._context.advise(item.name, item.group, item.failed_reason)
        return _RUN_AGAIN if self._snapshot.complete else self._context.unfinished

    def _complete(
        self,
        ruling: _Ruling,
        *,
        item: str,
        kind: FindingKind,
        message: str,
        group: str = "",
        status: str = "",
        failed_reason: str = "",
        raw_error: str = "",
        data: str = "",
        sub_task: str = "",
        next_step: str = "",
    ) -> Finding:
        """Return a finding with what the policy, a waiver and the baseline say."""
        redaction = self._context.redaction
        reason = clean_line(redaction.reason(failed_reason))
        verdict, waiver = ruling.verdict, ruling.waiver
        # Before credentials are hidden: two hidden texts are not the same finding.
        texts = (item, sub_task, status, failed_reason)
        identity = identity_of(inert_line(self._snapshot.task_id), kind, *map(inert_line, texts))
        known = (
            verdict is not Verdict.PASSED and redaction.identity(identity) in self._context.known
        )
        return Finding(
            kind=kind,
            verdict=verdict,
            title=clean_line(item),
            message=f"{message}: {reason}" if reason else message,
            group=clean_line(group),
            status=clean_line(status),
            failed_reason=reason,
            raw_error=clean(redaction.reason(raw_error)),
            data=clean(redaction.data(data)),
            sub_task=clean_line(sub_task),
            decided_by=ruling.rule,
            reason=ruling.reason,
            next_step=clean_line(next_step),
            waived_by="" if waiver is None else waiver.id,
            waived_until="" if waiver is None else waiver.expires.isoformat(),
            waiver_reason=""
            if waiver is None
            else clean_line(f"{waiver.reason} (owner {waiver.owner})"),
            known=known,
            trace=ruling.trace,
        )


# A word, a number or JSON. Anything else is quoted, so that it cannot be read as our own words.
_PLAIN = re.compile(r"[\w.+-]+|\[.*\]|\{.*\}", re.DOTALL)


def _spoken(raw: str, status: Status) -> str:
    if status is not Status.UNKNOWN:
        return raw
    said = raw if _PLAIN.fullmatch(raw) else f'"{raw}"'
    return f"{said}, a status that DRS does not document"


def counts_as_warning(finding: Finding, policy: Policy) -> bool:
    """Return whether a finding counts against the limits of warnings."""
    if finding.verdict is not Verdict.PASSED_WITH_WARNINGS:
        return False
    allowed = policy.known_warnings is not None and policy.known_warnings.value == "allow"
    return not (finding.known and allowed)


def _limit(origin: Origin, message: str) -> Finding:
    return task_finding(
        Verdict.BLOCKED,
        message,
        rule=_where(origin),
        next_step="Fix the items that do not pass, or change the limit in the policy.",
        title=origin.path.rpartition(".")[2],
    )


@lru_cache(maxsize=1024)
def _where(origin: Origin) -> str:
    return clean_line(str(origin))


def judge_task(observation: Observation, context: JudgementContext) -> TaskVerdict:
    """Judge what is known of one task."""
    snapshot = observation.snapshot
    policy = for_task(context.policy, observation.task_id)
    task_id = clean_line(observation.task_id)
    items: list[Finding] = []
    if snapshot is not None:
        judge = ItemJudge(snapshot, policy, context, task_id)
        items += judge.items()
        items += judge.absent()
        own = _task_itself(observation, policy, judge.open_failures, context.unfinished)
        own += judge.limits(items)
    else:
        own = _task_itself(observation, policy, [], context.unfinished)
    findings = [*own, *items]
    return TaskVerdict(
        task_id=task_id,
        # A task without any finding was not seen: that is an error.
        verdict=worst(finding.verdict for finding in findings),
        findings=tuple(findings),
        progress=clean_line(snapshot.raw_progress) if snapshot else "",
        result=clean_line(snapshot.raw_result) if snapshot else "",
        direction=clean_line(snapshot.direction) if snapshot else "",
        passed_rate=clean_line(snapshot.passed_rate) if snapshot else "",
        instance_id=clean_line(snapshot.instance_id) if snapshot else "",
        name=clean_line(shorten(observation.about.name, 200)),
        engine=clean_line(shorten(observation.about.engine, 60)),
        timeline=observation.timeline,
    )


_TROUBLE_VERDICTS = {
    TroubleKind.CONTRADICTORY: Verdict.BLOCKED,
    TroubleKind.STALE: Verdict.INCOMPLETE,
    TroubleKind.OUTDATED: Verdict.INCOMPLETE,
    TroubleKind.UNFINISHED: Verdict.INCOMPLETE,
    TroubleKind.NOT_ANSWERED: Verdict.ERROR,
    TroubleKind.TASK_ERROR: Verdict.ERROR,
    TroubleKind.MALFORMED: Verdict.ERROR,
    TroubleKind.SERVICE: Verdict.ERROR,
}


def verdict_of(trouble: Trouble) -> Verdict:
    """Return the verdict that a trouble forces."""
    return _TROUBLE_VERDICTS[trouble.kind]


def _task_itself(
    observation: Observation, policy: Policy, failures: list[str], unfinished: str
) -> list[Finding]:
    """Return the findings about the result of the task; a single one that passes if it is ready."""
    if observation.trouble is not None:
        return [_from_trouble(observation.trouble)]
    snapshot = observation.snapshot
    if snapshot is None:
        return [
            task_finding(
                Verdict.INCOMPLETE,
                "the run ended before the service answered for this task",
                rule="gate: the service must answer for every task",
                next_step="Run the gate again.",
            )
        ]
    if not snapshot.complete:
        return [_incomplete(snapshot, unfinished)]
    passed = task_finding(
        Verdict.PASSED, "DRS says that the task may start", rule="gate: result must be true"
    )
    return list(_against(snapshot, policy, failures)) or [passed]


def _from_trouble(trouble: Trouble) -> Finding:
    return task_finding(
        verdict_of(trouble),
        trouble.message,
        rule=f"gate: {trouble.kind.value.replace('_', ' ')}",
        next_step=trouble.hint,
        code=trouble.code,
    )


def _incomplete(snapshot: Snapshot, step: str) -> Finding:
    if snapshot.progress is None:
        message = f"the progress {snapshot.raw_progress or '(none)'} is not a percentage"
        step = "Look at the task in the DRS console, and run the gate again."
    else:
        message = f"the pre-check is at {snapshot.progress} %, not at 100 %"
    return task_finding(
        Verdict.INCOMPLETE, message, rule="gate: progress must be 100 %", next_step=step
    )


def _against(snapshot: Snapshot, policy: Policy, failures: list[str]) -> Iterable[Finding]:
    """Yield what blocks a finished pre-check; ``failures`` are FAILED items that nobody waived."""
    if not snapshot.ready:
        yield _not_ready(snapshot)
    elif failures:
        names = ", ".join(failures[:3])
        more = f" and {len(failures) - 3} more" if len(failures) > 3 else ""
        yield task_finding(
            Verdict.BLOCKED,
            "contradiction: DRS says that the task may start, but these items are FAILED: "
            f"{names}{more}",
            rule="gate: a task with result true must have no FAILED item",
            next_step="Run the pre-check again; if the result is the same, contact support.",
        )
    if not snapshot.items and not (policy.allow_empty and policy.allow_empty.value):
        yield task_finding(
            Verdict.BLOCKED,
            "the pre-check is at 100 % but has no items",
            rule="gate: allow_empty is not set in the policy",
            next_step="Run the pre-check again. To accept a pre-check without items, set "
            "allow_empty: true in the policy.",
        )


def _not_ready(snapshot: Snapshot) -> Finding:
    failed = any(item.status is Status.FAILED for item in snapshot.items)
    if snapshot.raw_result == "false":
        message = "DRS says that the task may not start (result: false)"
        if not failed:
            all_passed = all(item.status is Status.PASSED for item in snapshot.items)
            message += ", though " + ("every item is PASSED" if all_passed else "no item is FAILED")
    else:
        said = shorten(snapshot.raw_result, 60) or "(none)"
        message = f"DRS does not say that the task may start (result: {said}, not true)"
    step = "Fix the FAILED items" if failed else "Look at the task in the DRS console"
    return task_finding(
        Verdict.BLOCKED,
        message,
        rule="gate: result must be true",
        next_step=f"{step}, then run the pre-check again.",
    )
