"""The judgement of one task: what the service said and a policy in, findings out. Pure.

Green has to be earned: every check adds a finding with the verdict that it forces, and the worst
one stands. A task without a finding is an error, not a pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.judgement.items import ItemJudge, task_finding
from precheck_gate.model.snapshots import Status, TroubleKind
from precheck_gate.model.verdicts import TaskVerdict, Verdict, worst
from precheck_gate.policy.model import for_task
from precheck_gate.safetext.cleaning import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precheck_gate.judgement.context import JudgementContext
    from precheck_gate.model.snapshots import Observation, Snapshot, Trouble
    from precheck_gate.model.verdicts import Finding
    from precheck_gate.policy.model import Policy

__all__ = ["judge_task", "verdict_of"]


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
        # A task nobody said anything against has still to have been seen: no finding, no green.
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
    """Return the findings about the task's own outcome; one that passes when all is well."""
    if observation.trouble is not None:
        return [_from_trouble(observation.trouble)]
    snapshot = observation.snapshot
    if snapshot is None:
        return [
            task_finding(
                Verdict.INCOMPLETE,
                "the service was not asked for this task before the run ended",
                rule="gate: every task must be answered for",
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
    """Yield what speaks against a finished pre-check; ``failures`` still stand."""
    if not snapshot.ready:
        yield _not_ready(snapshot)
    elif failures:
        names = ", ".join(failures[:3])
        more = f" and {len(failures) - 3} more" if len(failures) > 3 else ""
        yield task_finding(
            Verdict.BLOCKED,
            f"contradiction: DRS says that the task may start, but FAILED are {names}{more}",
            rule="gate: a task with result true must have no FAILED item",
            next_step="Run the pre-check again; if it stays so, ask the service's support.",
        )
    if not snapshot.items and not (policy.allow_empty and policy.allow_empty.value):
        yield task_finding(
            Verdict.BLOCKED,
            "the pre-check is at 100 % without a single item",
            rule="gate: allow_empty is not set in the policy",
            next_step="Run the pre-check again; allow_empty: true accepts this, if it is meant.",
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
    step = "Mend the FAILED items" if failed else "Look at the task in the DRS console"
    return task_finding(
        Verdict.BLOCKED,
        message,
        rule="gate: result must be true",
        next_step=f"{step}, then run the pre-check again.",
    )
