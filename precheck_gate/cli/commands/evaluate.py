"""``precheck-gate evaluate``: judge saved answers, without the service."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.cli.app.execution import execute
from precheck_gate.cli.options import Command, many, option, section
from precheck_gate.cli.options.judging import JudgeOptions, judge_options
from precheck_gate.cli.options.tasks import TASKS_VARIABLE, NamedTask, select_tasks, source_of_tasks
from precheck_gate.cli.options.types import PATH
from precheck_gate.errors import UsageError
from precheck_gate.runtime.process import Runtime

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from precheck_gate.gate import Gate


_EPILOG = """\b
Examples:
  precheck-gate run ... --save-answers answers && precheck-gate evaluate answers
  precheck-gate evaluate answer.json --task 140b5236-88ad-43c8-811c-1268453jb101

Exit codes are those of 'run'. A folder whose run did not end is incomplete (3). Two files that
differ about a task are a contradiction, which blocks (1).
"""

_BRIEF = {
    "tasks": "Task that was requested. Repeatable.",
    "policy": "Policy file. Default: builtin:default.",
    "profile": "Profile of the policy.",
    "now": "Judge as of this date. Default: today.",
    "baseline": "Earlier JSON report; its findings are marked as known.",
    "junit": "Write a JUnit report.",
    "reports": "Write another report, such as html=report.html.",
    "summary": "How much to print at the end. Default: full.",
    "advisory": "Exit 0 if blocked. Reports still say blocked.",
}


@click.command(cls=Command, brief=_BRIEF, epilog=_EPILOG)
@click.argument("answers", nargs=-1, required=True, type=PATH, metavar="ANSWER.json...")
@many(
    *section(
        "Tasks",
        option(
            "--task",
            "tasks",
            multiple=True,
            envvar=TASKS_VARIABLE,
            metavar="ID",
            help="A task to judge; may be repeated. Default: PRECHECK_GATE_TASKS, else all tasks "
            "in the answers.",
        ),
    )
)
@judge_options
@click.pass_context
def evaluate(
    ctx: click.Context, /, answers: Sequence[Path], tasks: Sequence[str], **options: Any
) -> int:
    """Judge saved answers of DRS as 'run' judges live ones, without the service.

    ANSWER.json is the body of an answer to batch-precheck-result, or a folder that
    'run --save-answers' wrote. A folder gets the verdict of its run, by the policy given here. The
    same answers, policy and day give the same reports, byte for byte.

    Without --task, an answer with fewer results than its count is incomplete (3).
    """
    judging = JudgeOptions.take(options)
    runtime = ctx.ensure_object(Runtime)
    source = source_of_tasks(ctx, "--task")
    named = [NamedTask(task_id, source) for task_id in tasks]
    return execute(
        "evaluate",
        judging,
        runtime,
        lambda gate: _evaluate(gate, runtime, judging, answers, named),
        [("the answer", path) for path in answers],
    )


def _evaluate(
    gate: Gate,
    runtime: Runtime,
    judging: JudgeOptions,
    answers: Sequence[Path],
    named: Sequence[NamedTask],
) -> int:
    from precheck_gate.gate import Case
    from precheck_gate.saved.answers import SavedAnswers
    from precheck_gate.saved.run_file import RUN_FILE

    clock = runtime.the_clock()
    context = judging.context(clock)
    saved = SavedAnswers(answers, runtime.interrupts)
    requested = select_tasks(named) if named else saved.tasks
    if not requested and not saved.troubles:
        raise UsageError("The answers contain no task.", hint="Name the tasks with --task.")
    wanted = set(requested)
    remarks = [
        f"the answers also contain task {task_id}, which was not requested"
        for task_id in saved.held
        if task_id not in wanted
    ]
    if not (named or saved.listed):
        remarks.insert(0, "no --task was given, so only the tasks in the answers are judged")
    # The list grows while the answers are read.
    saved.remarks[:0] = remarks
    return gate.judge(
        Case(
            requested=requested,
            observations=saved.observations(requested, named[0].file if named else RUN_FILE),
            context=replace(context, today=judging.day(clock)),
            strict_waivers=judging.strict_waivers,
            troubles=[*saved.troubles, *([] if named else saved.shortfalls)],
            remarks=saved.remarks,
        )
    )
