"""``precheck-gate policy explain``: the effect of a policy on an item or an answer, and why."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.catalog import advise, group_of
from precheck_gate.cli.commands.policy.files import finish, policy_command
from precheck_gate.cli.options import plain_option
from precheck_gate.cli.options.types import PATH
from precheck_gate.errors import UsageError
from precheck_gate.model.snapshots import Status
from precheck_gate.model.verdicts import Effect, Finding, FindingKind, Verdict
from precheck_gate.policy.model import Patterns, Subject, for_task, rule_on
from precheck_gate.runtime.console import Console, Style
from precheck_gate.safetext.cleaning import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from precheck_gate.model.verdicts import TaskVerdict
    from precheck_gate.policy.loading import PolicyOptions
    from precheck_gate.policy.model import Policy

WIDTH = 100
_STYLES = {Effect.ALLOW: Style.GOOD, Effect.WARN: Style.WARNING, Effect.BLOCK: Style.BAD}
_VERDICTS = {
    Effect.ALLOW: Verdict.PASSED,
    Effect.WARN: Verdict.PASSED_WITH_WARNINGS,
    Effect.BLOCK: Verdict.BLOCKED,
}
# The keys of a match that an option sets, and the options that only fit an item without answers.
_KEYS = ("group", "failed_reason", "task", "direction", "sub_task")
_OF_AN_ITEM = ("status", "group", "failed_reason", "direction", "sub_task", "skipped")
_DRS_REFUSES = (
    "Whatever the policy says, a task whose result is not true stays blocked. result: true beside a"
    " FAILED item is a contradiction, which blocks unless a waiver allows it."
)
_EPILOG = """\b
Examples:
  precheck-gate policy explain --item srcDbBinlogIsOff --status FAILED --policy FILE
  precheck-gate policy explain answers/ --policy FILE --item 'src*'
"""


@click.command("explain", epilog=_EPILOG)
@click.argument("answers", nargs=-1, type=PATH, metavar="[ANSWER.json]...")
@plain_option(
    "--item", metavar="NAME|GLOB", help="The item. With answers, a glob that selects items."
)
@plain_option(
    "--task",
    "tasks",
    multiple=True,
    metavar="ID",
    help="The task. With answers, repeat it to select several.",
)
@plain_option(
    "--status",
    type=click.Choice(["PASSED", "ALARM", "FAILED", "unknown", "absent"], case_sensitive=False),
    help="Without answers: the item's status. Default: all of them.",
)
@plain_option("--group", metavar="NAME", help="Without answers: the item's group.")
@plain_option("--failed-reason", metavar="CODE", help="Without answers: DRS's failed_reason.")
@plain_option("--direction", metavar="up|down|non-dbs", help="Without answers: the direction.")
@plain_option("--sub-task", metavar="ID|NAME", help="Without answers: the item's sub-task.")
@plain_option("--skipped", is_flag=True, help="Without answers: the item was skipped in DRS.")
@plain_option("--all", "everything", is_flag=True, help="With answers: show PASSED items too.")
@policy_command()
def explain_command(
    answers: Sequence[Path],
    item: str | None,
    tasks: Sequence[str],
    everything: bool,
    policy: Path | None,
    today: date,
    options: PolicyOptions,
    **subject: Any,
) -> int:
    """Explain the effect of a policy on an item: each rule and waiver that was considered.

    Describe an item with --item and further options, or give saved answers of DRS, as for
    'evaluate'. Exits 0 whatever the effect is.
    """
    from precheck_gate.cli.options.tasks import NamedTask, select_tasks
    from precheck_gate.policy.loading import load_policy

    _check(answers, item, tasks, subject, everything=everything)
    named = select_tasks([NamedTask(one, "--task") for one in tasks]) if tasks else []
    loaded = load_policy(policy, options)
    page = _Page(Console(), any_waivers=bool(loaded.waivers))
    if answers:
        _explain_answers(page, loaded, answers, named, item, today, everything=everything)
    else:
        of_item = Subject(
            task=named[0] if named else "",
            direction=subject["direction"] or "",
            item=item or "",
            group=subject["group"] or "",
            status=None,
            failed_reason=subject["failed_reason"] or "",
            skipped=subject["skipped"],
            sub_task=(subject["sub_task"],) if subject["sub_task"] else (),
        )
        _explain_item(page, loaded, of_item, subject["status"], today)
    return finish(page.console)


def _check(
    answers: Sequence[Path],
    item: str | None,
    tasks: Sequence[str],
    subject: Mapping[str, Any],
    *,
    everything: bool,
) -> None:
    if not answers:
        if not item:
            raise UsageError(
                "There is nothing to explain.",
                hint="Name an item with --item, or give a saved answer of DRS.",
            )
        if len(tasks) > 1 or everything:
            option = "--all" if everything else "More than one --task"
            raise UsageError(f"{option} needs answers.", hint="Give a saved answer of DRS.")
        return
    given = [f"--{name.replace('_', '-')}" for name in _OF_AN_ITEM if subject[name]]
    if given:
        raise UsageError(
            f"{', '.join(given)} cannot be combined with answers.",
            hint="Select from the answers with --task and --item, or remove the answers.",
        )


class _Page:
    """Prints explanations, with all texts cleaned."""

    def __init__(self, console: Console, *, any_waivers: bool) -> None:
        self.console = console
        self._any_waivers = any_waivers
        self._first = True

    def heading(self, name: str, status: str, style: str = Style.STRONG) -> None:
        """Print the first line of a block, after an empty line."""
        if not self._first:
            self.console.print_result("")
        self._first = False
        result = self.console.result
        strong = self.console.paint(result, Style.STRONG, name)
        rest = f"  {self.console.paint(result, style, status)}" if status else ""
        self.console.print_result(f"{strong}{rest}")

    def line(self, text: str, indent: int = 2) -> None:
        """Print a line, wrapped."""
        blank = " " * indent
        for line in textwrap.wrap(
            clean(text),
            WIDTH,
            initial_indent=blank,
            subsequent_indent=blank + "  ",
            break_long_words=False,
            break_on_hyphens=False,
        ):
            self.console.print_result(line)

    def item(self, finding: Finding) -> None:
        """Print the effect on one item, and why."""
        effect = finding.effect
        name = finding.title + (f" of {finding.sub_task}" if finding.sub_task else "")
        absent = "absent" if finding.kind is FindingKind.REQUIRED else "no status"
        self.heading(name, f"{finding.status or absent}: {effect.value}", _STYLES[effect])
        for step in finding.trace or ["no rule and no requirement"]:
            self.line(f"considered  {step}")
        by_policy = not finding.decided_by.startswith("gate: ")
        looked = any(step.startswith("waiver ") for step in finding.trace)
        if self._any_waivers and by_policy and not looked:
            self.line("waivers     not considered, as nothing blocks")
        # After a waiver, the effect is not that of the line that decided.
        said = "" if finding.waived_by else f": {effect.value}"
        self.line(f"decided by  {finding.decided_by}{said}")
        if finding.reason:
            self.line(f"reason      {finding.reason}")
        if finding.waived_by:
            until = f"{finding.waived_by} until {finding.waived_until}"
            self.line(f"waived by   {until}: {finding.waiver_reason}")


def _explain_item(
    page: _Page, policy: Policy, subject: Subject, status: str | None, today: date
) -> None:
    """Print the effect on a subject, for one status or for each of them."""
    policy = for_task(policy, subject.task) if subject.task else policy
    group = subject.group or group_of(subject.item)
    from_catalogue = bool(group) and not subject.group
    subject = subject._replace(group=group)
    required = not subject.sub_task and any(
        one.item == subject.item
        and one.applies(subject.task, subject.direction).holds(protects=True)
        for one in policy.required
    )
    names = [status] if status else [one.value for one in Status] + ["absent"] * required
    for name in names:
        if name == "absent" and not required:
            page.heading(subject.item, "absent")
            page.line("an absent item matters only if it is required")
            continue
        of_status = subject._replace(status=None if name == "absent" else Status(name))
        ruling = rule_on(policy, of_status, today)
        waiver = ruling.waiver
        page.item(
            Finding(
                kind=FindingKind.ITEM,
                verdict=_VERDICTS[ruling.effect],
                title=subject.item,
                message="",
                status=f"{name}, skipped in DRS" if subject.skipped else name,
                sub_task=" ".join(subject.sub_task),
                decided_by=str(ruling.decision.origin),
                reason=ruling.decision.reason,
                trace=ruling.trace,
                waived_by=waiver.id if waiver else "",
                waived_until=str(waiver.expires) if waiver else "",
                waiver_reason=f"{waiver.reason} (owner {waiver.owner})" if waiver else "",
            )
        )
    page.heading("Notes", "")
    if from_catalogue:
        page.line(f"group {group} comes from the catalogue; --group overrides it")
    matches = [rule.match for rule in policy.rules] + [one.match for one in policy.waivers]
    unknown = [
        f"--{key.replace('_', '-')}"
        for key in _KEYS
        if not getattr(subject, key) and any(getattr(match, key) is not None for match in matches)
    ]
    if unknown:
        page.line(f"the policy also depends on {', '.join(unknown)}")
    if policy.tasks and not subject.task:
        page.line("the policy has settings for some tasks; select one with --task")
    page.line(_DRS_REFUSES)


def _explain_answers(
    page: _Page,
    policy: Policy,
    answers: Sequence[Path],
    tasks: Sequence[str],
    item: str | None,
    today: date,
    *,
    everything: bool,
) -> None:
    """Print the effect on each task of saved answers, and on the chosen items.

    Raises:
        UsageError: the answers cannot be used, or no item of any task matches ``item``.
    """
    from precheck_gate.judgement.context import JudgementContext
    from precheck_gate.judgement.task import judge_task
    from precheck_gate.policy.linting import suggest
    from precheck_gate.saved.answers import SavedAnswers

    saved = SavedAnswers(answers)
    if saved.unreadable:
        raise UsageError("\n".join(trouble.message for trouble in saved.unreadable))
    requested = tasks or saved.tasks
    if not requested:
        raise UsageError("The answers contain no task.", hint="Give an answer with a task.")
    context = JudgementContext(policy, today, advise, group_of=group_of)
    wanted = None if item is None else Patterns([item])
    seen: dict[str, None] = {}
    for observation in saved.observations(requested):
        task = judge_task(observation, context)
        items = [one for one in task.findings if one.kind is not FindingKind.TASK]
        seen.update(dict.fromkeys(one.title for one in items))
        if wanted is not None:
            chosen = [one for one in items if wanted.match(one.title)]
        else:
            chosen = [
                one
                for one in items
                if everything or one.verdict is not Verdict.PASSED or one.status != "PASSED"
            ]
        _explain_task(page, task)
        for finding in chosen:
            page.item(finding)
        if wanted is None and len(chosen) < len(items):
            plain = len(items) - len(chosen)
            of = "1 item is PASSED and" if plain == 1 else f"{plain} items are PASSED and"
            page.heading(f"{of} allowed", "(--all shows them)", Style.FAINT)
    if item is not None and wanted is not None and not any(map(wanted.match, seen)):
        raise UsageError(
            f"No item in the answers matches {item!r}.",
            hint=suggest(item, list(seen)) or "Without --item, all are explained.",
        )


def _explain_task(page: _Page, task: TaskVerdict) -> None:
    style = Style.GOOD if task.verdict.green else Style.BAD
    page.heading(f"task {task.task_id}", task.verdict.value.replace("_", " "), style)
    waived = any(finding.waived_by for finding in task.findings)
    for finding in task.findings:
        if finding.kind is not FindingKind.TASK:
            continue
        page.line(f"{finding.message} ({finding.decided_by})")
        if finding.decided_by == "gate: result must be true" and not finding.verdict.green:
            more = ", nor do the waivers below" if waived else ""
            page.line(
                f"DRS does not let the task start. No rule and no waiver changes that{more}", 4
            )
