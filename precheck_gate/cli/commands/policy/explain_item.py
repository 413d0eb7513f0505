"""Explains an item that may come: one block for each status, and what was not named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.catalog.advice import group_of
from precheck_gate.cli.commands.policy.explain_text import Explained
from precheck_gate.model.snapshots import Status
from precheck_gate.policy.composition import for_task
from precheck_gate.policy.evaluation import rule_on

if TYPE_CHECKING:
    from datetime import date

    from precheck_gate.cli.commands.policy.explain_text import Explanation
    from precheck_gate.policy.evaluation import Subject
    from precheck_gate.policy.model import Policy

__all__ = ["explain_item"]

_KEYS = ("group", "failed_reason", "task", "direction", "sub_task")
_DRS_REFUSES = (
    "Besides the policy: a task whose result is not true stays blocked, whatever a rule or waiver"
    " says; and result: true beside a FAILED item is a contradiction, which blocks and which only"
    " a waiver lifts."
)


def explain_item(
    explanation: Explanation, policy: Policy, subject: Subject, status: str | None, today: date
) -> None:
    """Print what the policy makes of a subject; ``status`` None stands for each of them."""
    policy = for_task(policy, subject.task) if subject.task else policy
    from_catalogue = False
    if not subject.group:
        subject = subject._replace(group=group_of(subject.item))
        from_catalogue = bool(subject.group)
    required = not subject.sub_task and any(
        one.item == subject.item
        and one.applies(subject.task, subject.direction).holds(protects=True)
        for one in policy.required
    )
    names = [status] if status else [one.value for one in Status] + ["absent"] * required
    for name in names:
        if name == "absent" and not required:
            explanation.heading(subject.item, "absent")
            explanation.line("an item that is absent matters only where it is required")
            continue
        _explain(explanation, policy, subject, name, today)
    _notes(explanation, policy, subject, from_catalogue=from_catalogue)


def _explain(
    explanation: Explanation, policy: Policy, subject: Subject, name: str, today: date
) -> None:
    subject = subject._replace(status=None if name == "absent" else Status(name))
    ruling = rule_on(policy, subject, today)
    waiver = ruling.waiver
    explained = Explained(
        name=subject.item + (f" of {subject.sub_task[0]}" if subject.sub_task else ""),
        status=f"{name}, skipped in DRS" if subject.skipped else name,
        effect=ruling.effect,
        trace=ruling.trace,
        decided_by=str(ruling.decision.origin),
        reason=ruling.decision.reason,
        waiver=""
        if waiver is None
        else f"{waiver.id} until {waiver.expires}: {waiver.reason} (owner {waiver.owner})",
    )
    explanation.item(explained, any_waivers=bool(policy.waivers))


def _notes(
    explanation: Explanation, policy: Policy, subject: Subject, *, from_catalogue: bool
) -> None:
    explanation.heading("Notes", "")
    if from_catalogue:
        explanation.line(f"group {subject.group}: the catalogue's; --group names another")
    matches = [rule.match for rule in policy.rules] + [one.match for one in policy.waivers]
    asked = [
        key
        for key in _KEYS
        if not getattr(subject, key) and any(getattr(match, key) is not None for match in matches)
    ]
    if asked:
        options = ", ".join(f"--{key.replace('_', '-')}" for key in asked)
        explanation.line(f"the policy also looks at what was not named here: {options}")
    if policy.tasks and not subject.task:
        explanation.line("the policy has layers for some tasks: --task names one")
    explanation.line(_DRS_REFUSES)
