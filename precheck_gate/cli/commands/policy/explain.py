"""``precheck-gate policy explain``: what the policy makes of an item or an answer, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from precheck_gate.cli.commands.policy.files import finish
from precheck_gate.cli.options.environment import plain_option
from precheck_gate.cli.options.shared import policy_options
from precheck_gate.cli.options.types import PATH
from precheck_gate.errors import UsageError
from precheck_gate.runtime.process import Runtime

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from precheck_gate.policy.model import Policy

__all__ = ["explain_command"]

# The options that make up an item that nobody has to have seen.
_OF_AN_ITEM = ("status", "group", "failed_reason", "direction", "sub_task", "skipped")

_EPILOG = """\b
Examples:
  precheck-gate policy explain --item srcDbBinlogIsOff --status FAILED --policy FILE
  precheck-gate policy explain answers/ --policy FILE --item 'src*'
"""


@click.command("explain", epilog=_EPILOG)
@click.argument("answers", nargs=-1, type=PATH, metavar="[ANSWER.json]...")
@plain_option("--item", metavar="NAME|GLOB", help="The item; with answers a glob, to choose some.")
@plain_option(
    "--task",
    "tasks",
    multiple=True,
    metavar="ID",
    help="The task; with answers it may be given again, to choose some.",
)
@plain_option(
    "--status",
    type=click.Choice(["PASSED", "ALARM", "FAILED", "unknown", "absent"], case_sensitive=False),
    help="Without answers: the item's status; all of them where none is named.",
)
@plain_option("--group", metavar="NAME", help="Without answers: the item's group.")
@plain_option("--failed-reason", metavar="CODE", help="Without answers: DRS's failed_reason.")
@plain_option("--direction", metavar="up|down|non-dbs", help="Without answers: the direction.")
@plain_option("--sub-task", metavar="ID|NAME", help="Without answers: the item is a sub-task's.")
@plain_option("--skipped", is_flag=True, help="Without answers: it was skipped in DRS.")
@plain_option("--all", "everything", is_flag=True, help="With answers: PASSED items too.")
@policy_options
@click.pass_context
def explain_command(
    ctx: click.Context,
    /,
    answers: Sequence[Path],
    item: str | None,
    tasks: Sequence[str],
    everything: bool,
    policy: Path | None,
    profile: str | None,
    allow_outside: bool,
    now: date | None,
    **subject: Any,
) -> int:
    """Tell what the policy makes of an item, and why: each rule and waiver that was looked at.

    Either name an item that may come, with --item and what is known of it; or give answers of DRS,
    as 'evaluate' takes them. Exits 0 whatever the effect is.
    """
    from precheck_gate.cli.options.task_lists import NamedTask, select_tasks
    from precheck_gate.policy import PolicyOptions, load_policy

    _check(answers, item, tasks, subject, everything=everything)
    named = select_tasks([NamedTask(one, "--task") for one in tasks]) if tasks else []
    today = now or ctx.ensure_object(Runtime).the_clock().now().date()
    loaded = load_policy(policy, PolicyOptions(profile, today, allow_outside))
    if answers:
        return _explain_answers(loaded, answers, named, item, today, everything=everything)
    return _explain_item(loaded, item or "", named, today, subject)


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
            option = "--all" if everything else "Several --task"
            raise UsageError(f"{option} need answers.", hint="Give a saved answer of DRS.")
        return
    given = [f"--{name.replace('_', '-')}" for name in _OF_AN_ITEM if subject[name]]
    if given:
        raise UsageError(
            f"{', '.join(given)} cannot be given together with answers, which tell that.",
            hint="Choose from the answers with --task and --item, or leave the answers out.",
        )


def _explain_item(
    policy: Policy, item: str, tasks: Sequence[str], today: date, subject: Mapping[str, Any]
) -> int:
    from precheck_gate.cli.commands.policy.explain_item import explain_item
    from precheck_gate.cli.commands.policy.explain_text import Explanation
    from precheck_gate.policy.evaluation import Subject
    from precheck_gate.runtime.console import Console

    sub_task = subject["sub_task"]
    of_item = Subject(
        task=tasks[0] if tasks else "",
        direction=subject["direction"] or "",
        item=item,
        group=subject["group"] or "",
        status=None,
        failed_reason=subject["failed_reason"] or "",
        skipped=subject["skipped"],
        sub_task=(sub_task,) if sub_task else (),
    )
    console = Console()
    explain_item(Explanation(console), policy, of_item, subject["status"], today)
    return finish(console)


def _explain_answers(
    policy: Policy,
    answers: Sequence[Path],
    tasks: Sequence[str],
    item: str | None,
    today: date,
    *,
    everything: bool,
) -> int:
    from precheck_gate.cli.commands.policy.explain_answers import explain_observations
    from precheck_gate.cli.commands.policy.explain_text import Explanation
    from precheck_gate.runtime.console import Console
    from precheck_gate.saved.answers import SavedAnswers

    saved = SavedAnswers(answers)
    if saved.unreadable:
        raise UsageError("\n".join(trouble.message for trouble in saved.unreadable))
    requested = tasks or saved.tasks
    if not requested:
        raise UsageError("The answers hold no task.", hint="Give an answer that holds one.")
    console = Console()
    observations = saved.observations(requested)
    explain_observations(
        Explanation(console), policy, observations, today, item, everything=everything
    )
    return finish(console)
