"""Explains saved answers: for each task what DRS says of it, and each item that is not plain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.catalog.advice import advice, group_of
from precheck_gate.cli.commands.policy.explain_text import Explained
from precheck_gate.errors import UsageError
from precheck_gate.judgement.context import JudgementContext
from precheck_gate.judgement.task import judge_task
from precheck_gate.model.verdicts import Effect, FindingKind, Verdict
from precheck_gate.policy.linting.names import KnownNames
from precheck_gate.policy.model import Patterns
from precheck_gate.runtime.console import Style

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from precheck_gate.cli.commands.policy.explain_text import Explanation
    from precheck_gate.model.snapshots import Observation
    from precheck_gate.model.verdicts import Finding, TaskVerdict
    from precheck_gate.policy.model import Policy

__all__ = ["explain_observations"]

_EFFECTS = {Verdict.PASSED: Effect.ALLOW, Verdict.PASSED_WITH_WARNINGS: Effect.WARN}


def explain_observations(
    explanation: Explanation,
    policy: Policy,
    observations: Iterable[Observation],
    today: date,
    item: str | None,
    *,
    everything: bool,
) -> None:
    """Print what the policy makes of each task.

    Raises:
        UsageError: no item of any task matches ``item``.
    """
    context = JudgementContext(policy, today, advice(), group_of=group_of)
    wanted = None if item is None else Patterns([item])
    seen: dict[str, None] = {}
    for observation in observations:
        task = judge_task(observation, context)
        items = [one for one in task.findings if one.kind is not FindingKind.TASK]
        seen.update(dict.fromkeys(one.title for one in items))
        if wanted is not None:
            chosen = [one for one in items if wanted.match(one.title)]
        else:
            chosen = [one for one in items if everything or not _is_plain(one)]
        _task(explanation, task)
        for finding in chosen:
            explanation.item(_explained(finding), any_waivers=bool(policy.waivers))
        if wanted is None and len(chosen) < len(items):
            plain = len(items) - len(chosen)
            of = "1 item is PASSED and" if plain == 1 else f"{plain} items are PASSED and"
            explanation.heading(f"{of} allowed", "(--all shows them)", Style.FAINT)
    if item is not None and wanted is not None and not any(map(wanted.match, seen)):
        raise UsageError(
            f"No item in the answers matches {item!r}.",
            hint=KnownNames.near(item, list(seen)) or "Without --item, all are explained.",
        )


def _task(explanation: Explanation, task: TaskVerdict) -> None:
    style = Style.GOOD if task.verdict.green else Style.BAD
    said = task.verdict.value.replace("_", " ")
    explanation.heading(f"task {task.task_id}", said, style)
    waived = any(finding.waived_by for finding in task.findings)
    for finding in task.findings:
        if finding.kind is not FindingKind.TASK:
            continue
        explanation.line(f"{finding.message} ({finding.decided_by})")
        if finding.decided_by == "gate: result must be true" and not finding.verdict.green:
            more = "; what is waived below stays waived, and does not help" if waived else ""
            explanation.line(f"DRS itself refuses: no rule and no waiver changes that{more}", 4)


def _is_plain(finding: Finding) -> bool:
    return finding.verdict is Verdict.PASSED and finding.status == "PASSED"


def _explained(finding: Finding) -> Explained:
    status = finding.status or ("absent" if finding.kind is FindingKind.REQUIRED else "no status")
    waiver = ""
    if finding.waived_by:
        waiver = f"{finding.waived_by} until {finding.waived_until}: {finding.waiver_reason}"
    return Explained(
        name=finding.title + (f" of {finding.sub_task}" if finding.sub_task else ""),
        status=status,
        effect=_EFFECTS.get(finding.verdict, Effect.BLOCK),
        trace=finding.trace,
        decided_by=finding.decided_by,
        reason=finding.reason,
        waiver=waiver,
    )
