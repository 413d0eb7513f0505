"""The judgement of one task: what the service said and a policy in, findings out. Pure.

Green has to be earned: every check adds a finding with the verdict that it forces, and the worst
one stands. A task without a finding is an error, not a pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from precheck_gate.findings import Finding, FindingKind, TaskVerdict, Verdict, worst
from precheck_gate.model import Status, TroubleKind
from precheck_gate.policy.evaluation import Subject, decide
from precheck_gate.policy.model import Decision, Effect
from precheck_gate.text import clean, clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precheck_gate.model import Item, Observation, Snapshot, SubTask, Trouble
    from precheck_gate.policy.model import Policy

__all__ = ["Advise", "judge_task"]

Advise = Callable[[str, str, str], str]
"""(item, group, failed reason) → the next step for a person."""

_BY_EFFECT = {
    Effect.ALLOW: Verdict.PASSED,
    Effect.WARN: Verdict.PASSED_WITH_WARNINGS,
    Effect.BLOCK: Verdict.BLOCKED,
}


def judge_task(observation: Observation, policy: Policy, advise: Advise) -> TaskVerdict:
    """Judge what is known of one task.

    Args:
        observation: the last that the service said of it, or why it said nothing.
        policy: what each item means.
        advise: (item, group, failed reason) → the next step, asked only for what does not pass.
    """
    snapshot = observation.snapshot
    findings = list(_judge_task_itself(observation, policy))
    if snapshot is not None:
        findings += _judge_items(snapshot, policy, advise)
        findings += _judge_absent(snapshot, policy, advise)
    return TaskVerdict(
        task_id=clean_line(observation.task_id),
        # A task nobody said anything against has still to have been seen: no finding, no green.
        verdict=worst(finding.verdict for finding in findings),
        findings=tuple(findings),
        progress=clean_line(snapshot.raw_progress) if snapshot else "",
        result=clean_line(snapshot.raw_result) if snapshot else "",
        direction=clean_line(snapshot.direction) if snapshot else "",
        passed_rate=clean_line(snapshot.passed_rate) if snapshot else "",
        instance_id=clean_line(snapshot.instance_id) if snapshot else "",
    )


def _task_finding(
    verdict: Verdict, message: str, *, rule: str, next_step: str = "", code: str = ""
) -> Finding:
    return Finding(
        kind=FindingKind.TASK,
        verdict=verdict,
        title="result",
        message=clean_line(message),
        decided_by=rule,
        next_step=clean_line(next_step),
        code=clean_line(code),
    )


_TROUBLE_VERDICTS = {
    TroubleKind.CONTRADICTORY: Verdict.BLOCKED,
    TroubleKind.STALE: Verdict.INCOMPLETE,
    TroubleKind.NOT_ANSWERED: Verdict.ERROR,
    TroubleKind.TASK_ERROR: Verdict.ERROR,
    TroubleKind.MALFORMED: Verdict.ERROR,
    TroubleKind.SERVICE: Verdict.ERROR,
}


def _judge_task_itself(observation: Observation, policy: Policy) -> Iterable[Finding]:
    """Yield the findings about the task's own outcome; exactly one that passes when all is well."""
    if observation.trouble is not None:
        yield _from_trouble(observation.trouble)
        return
    snapshot = observation.snapshot
    if snapshot is None:
        yield _task_finding(
            Verdict.INCOMPLETE,
            "the service was not asked for this task before the run ended",
            rule="gate: every task must be answered for",
            next_step="Run the gate again.",
        )
        return
    if not snapshot.complete:
        yield _incomplete(snapshot)
        return
    against = list(_judge_complete(snapshot, policy))
    yield from against
    if not against:
        yield _task_finding(
            Verdict.PASSED, "DRS says that the task may start", rule="gate: result must be true"
        )


def _from_trouble(trouble: Trouble) -> Finding:
    return _task_finding(
        _TROUBLE_VERDICTS[trouble.kind],
        trouble.message,
        rule=f"gate: {trouble.kind.value.replace('_', ' ')}",
        next_step=trouble.hint,
        code=trouble.code,
    )


def _incomplete(snapshot: Snapshot) -> Finding:
    if snapshot.progress is None:
        message = f"the progress {snapshot.raw_progress or '(none)'} is not a percentage"
        step = "Look at the task in the DRS console, and run the gate again."
    else:
        message = f"the pre-check is at {snapshot.progress} %, not at 100 %"
        step = "Run the gate again, with a longer --timeout; was the pre-check started?"
    return _task_finding(
        Verdict.INCOMPLETE, message, rule="gate: progress must be 100 %", next_step=step
    )


def _judge_complete(snapshot: Snapshot, policy: Policy) -> Iterable[Finding]:
    failed = [item for item in snapshot.items if item.status is Status.FAILED]
    if not snapshot.ready:
        yield _not_ready(snapshot, len(failed))
    elif failed:
        names = ", ".join(item.name for item in failed[:3])
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        yield _task_finding(
            Verdict.BLOCKED,
            f"contradiction: DRS says that the task may start, but FAILED are {names}{more}",
            rule="gate: a task with result true must have no FAILED item",
            next_step="Run the pre-check again; if it stays so, ask the service's support.",
        )
    if not snapshot.items and not policy.allow_empty:
        yield _task_finding(
            Verdict.BLOCKED,
            "the pre-check is at 100 % without a single item",
            rule="gate: allow_empty is not set in the policy",
            next_step="Run the pre-check again; allow_empty: true accepts this, if it is meant.",
        )


def _not_ready(snapshot: Snapshot, failed: int) -> Finding:
    if snapshot.raw_result == "false":
        message = "DRS says that the task may not start (result: false)"
        if not failed:
            all_passed = all(item.status is Status.PASSED for item in snapshot.items)
            message += ", though " + ("every item is PASSED" if all_passed else "no item is FAILED")
    else:
        said = shorten(snapshot.raw_result, 60) or "(none)"
        message = f"DRS does not say that the task may start (result: {said}, not true)"
    step = "Mend the FAILED items" if failed else "Look at the task in the DRS console"
    return _task_finding(
        Verdict.BLOCKED,
        message,
        rule="gate: result must be true",
        next_step=f"{step}, then run the pre-check again.",
    )


def _judge_items(snapshot: Snapshot, policy: Policy, advise: Advise) -> Iterable[Finding]:
    for item in snapshot.items:
        decision = _item_decision(snapshot, item, policy)
        yield _item_finding(item, decision, advise)
        for sub in item.sub_tasks:
            subject = _subject(snapshot, item)._replace(status=sub.status)
            yield _sub_task_finding(item, sub, decide(policy, subject), advise)


def _subject(snapshot: Snapshot, item: Item) -> Subject:
    return Subject(
        task=snapshot.task_id,
        direction=snapshot.direction,
        item=item.name,
        group=item.group,
        status=item.status,
        failed_reason=item.failed_reason,
    )


def _item_decision(snapshot: Snapshot, item: Item, policy: Policy) -> Decision:
    required = policy.required_items.get(item.name)
    if required is not None and item.status is not Status.PASSED:
        return Decision(Effect.BLOCK, required, "a required item must be PASSED")
    return decide(policy, _subject(snapshot, item))


def _item_finding(item: Item, decision: Decision, advise: Advise) -> Finding:
    verdict = _BY_EFFECT[decision.effect]
    name, group = clean_line(item.name), clean_line(item.group)
    status, failed_reason = clean_line(item.raw_status), clean_line(item.failed_reason)
    unknown = ", a status that DRS does not document" if item.status is Status.UNKNOWN else ""
    because = f": {failed_reason}" if failed_reason else ""
    return Finding(
        kind=FindingKind.ITEM,
        verdict=verdict,
        title=name,
        message=f"{name} is {status or '(without a status)'}{unknown}{because}",
        group=group,
        status=status,
        failed_reason=failed_reason,
        raw_error=clean(item.raw_error),
        data=clean(item.data),
        decided_by=clean_line(str(decision.origin)),
        reason=clean_line(decision.reason),
        next_step=""
        if item.status is Status.PASSED
        else clean_line(advise(item.name, item.group, item.failed_reason)),
    )


def _sub_task_finding(item: Item, sub: SubTask, decision: Decision, advise: Advise) -> Finding:
    name, status = clean_line(item.name), clean_line(sub.raw_status)
    who = " ".join(clean_line(part) for part in (sub.name, sub.id) if part) or "(unnamed)"
    unknown = ", a status that DRS does not document" if sub.status is Status.UNKNOWN else ""
    return Finding(
        kind=FindingKind.SUB_TASK,
        verdict=_BY_EFFECT[decision.effect],
        title=name,
        message=f"{name} is {status or '(without a status)'}{unknown} for the sub-task {who}",
        group=clean_line(item.group),
        status=status,
        failed_reason=clean_line(item.failed_reason),
        sub_task=who,
        decided_by=clean_line(str(decision.origin)),
        reason=clean_line(decision.reason),
        next_step=clean_line(advise(item.name, item.group, item.failed_reason)),
    )


def _judge_absent(snapshot: Snapshot, policy: Policy, advise: Advise) -> Iterable[Finding]:
    """Yield a finding for each required item that a finished pre-check does not have."""
    if not policy.required_items or not snapshot.complete:
        return
    present = {item.name for item in snapshot.items}
    for name, origin in policy.required_items.items():
        if name not in present:
            yield Finding(
                kind=FindingKind.REQUIRED,
                verdict=Verdict.BLOCKED,
                title=clean_line(name),
                message=clean_line(f"{name} is required by the policy and was not checked"),
                decided_by=clean_line(str(origin)),
                next_step=clean_line(advise(name, "", "")),
            )
