"""``precheck-gate run``: ask the service, wait, judge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.cli.app.execution import JudgeOptions, execute
from precheck_gate.cli.options.live import LiveOptions, live_options
from precheck_gate.cli.options.sections import SectionedCommand, section
from precheck_gate.cli.options.service import read_service, service_files, service_options
from precheck_gate.cli.options.shared import judge_options, many, option, tasks_argument
from precheck_gate.cli.options.task_list import named_tasks, replaced_variables, source_of_tasks
from precheck_gate.cli.options.types import DURATION, PATH, PLACE, Duration
from precheck_gate.errors import UsageError
from precheck_gate.runtime.process import Runtime
from precheck_gate.runtime.reading import read_before

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from precheck_gate.gate import Gate

__all__ = ["run"]

_EPILOG = """\b
Example:
  export PRECHECK_GATE_TOKEN=...   # or --token-file; never as an option's value
  precheck-gate run 140b5236-88ad-43c8-811c-1268453jb101 \\
      --region eu-west-101 --project-id 054ba152d480d55b2f5dc0069e7ddef0 \\
      --policy precheck-policy.yaml --junit junit.xml --timeout 30m

Every option has an environment variable: --max-staleness is PRECHECK_GATE_MAX_STALENESS, and so on;
PRECHECK_GATE_TASKS holds task IDs. An empty option or variable is refused, and so is a variable of
that prefix that the gate does not know. Tasks that the command line names, as arguments or with
--tasks-from or --select, replace those of the environment. The token is read from
PRECHECK_GATE_TOKEN, HW_AUTH_TOKEN or OS_TOKEN, the region also from HW_REGION_NAME and
OS_REGION_NAME, the project also from HUAWEICLOUD_SDK_PROJECT_ID, HW_PROJECT_ID and OS_PROJECT_ID,
its name from HW_PROJECT_NAME, OS_PROJECT_NAME and OS_TENANT_NAME.
Without a token, an access key, an IAM user, the CI's identity or the shared credentials file does:
docs/credentials.md; 'precheck-gate doctor' says which one would be used and whether it works.

\b
Exit codes: 0 passed (or with warnings), 1 blocked, 2 usage, 3 incomplete, 4 service or
  authentication error, 5 a report could not be written, 70 bug, 130/143 interrupted.
"""

_TASKS_FROM = section(
    "Tasks",
    option(
        "--tasks-from",
        type=PLACE,
        metavar="FILE|-",
        help="Read task IDs from a file or stdin: one a line with # comments, a JSON array, or "
        "what 'terraform output -json' prints.",
    ),
)
_WAITING = section(
    "Waiting",
    option(
        "--timeout",
        type=Duration(least=1),
        default="30m",
        show_default=True,
        help="Time limit for the whole run, the verdict and the reports included. What it cuts "
        "off is incomplete (exit 3).",
    ),
    option(
        "--interval",
        type=Duration(least=1),
        help="Ask at this fixed interval. Without it the gate starts short and grows.",
    ),
    option(
        "--grace",
        type=DURATION,
        default="60s",
        show_default=True,
        help="How long a task may be unanswered, in error, or at 100 % with an item that has no "
        "status, or the service out of reach at the start, before that is final.",
    ),
    option(
        "--max-staleness",
        type=Duration(least=1),
        default="60s",
        show_default=True,
        help="The greatest age of an answer that the verdict rests on. Older answers are "
        "confirmed once, when the last pre-check has ended.",
    ),
)
_LANGUAGE = section(
    "Service",
    option(
        "--language",
        type=click.Choice(["en-us", "zh-cn"]),
        default="en-us",
        show_default=True,
        help="The language of the service's messages.",
    ),
)
_SAVE_ANSWERS = section(
    "Output",
    option(
        "--save-answers",
        type=PATH,
        metavar="DIR",
        help="Keep every answer as it came, and what the run made of them, for audit and for "
        "'evaluate'.",
    ),
)


@click.command(cls=SectionedCommand, epilog=_EPILOG)
@tasks_argument
@many(*_TASKS_FROM)
@service_options
@many(*_LANGUAGE, *_WAITING)
@live_options
@judge_options
@many(*_SAVE_ANSWERS)
@click.pass_context
def run(ctx: click.Context, /, **options: Any) -> int:
    """Wait until the pre-check of every task has ended, and judge it.

    Asks DRS for the pre-check results of the tasks (TASK_ID), again and again until each is at
    100 %, judges every item by the policy, writes the reports, prints the verdict with all that
    blocks and what to do next, and exits with a code that says it. Exit 0 means: every task
    answered, reached 100 %, and passed.
    """
    judging = JudgeOptions.take(options)
    runtime = ctx.ensure_object(Runtime)
    replaced = replaced_variables(ctx, options)
    source = source_of_tasks(ctx, "the command line")

    def body(gate: Gate) -> int:
        if replaced and not judging.quiet:
            gate.console.say(f"the command line names the tasks, not {' and '.join(replaced)}")
        return _run(gate, runtime, judging, options, source)

    with read_before(options["timeout"]):
        return execute(
            "run",
            judging,
            runtime,
            body,
            [*service_files(options), *_own_files(options)],
        )


def _own_files(options: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    if options["tasks_from"] and options["tasks_from"] != "-":
        yield "the list of tasks", Path(options["tasks_from"])
    if options["save_answers"] is not None:
        yield "an answer in", options["save_answers"]


def _run(
    gate: Gate, runtime: Runtime, judging: JudgeOptions, options: dict[str, Any], source: str
) -> int:
    from precheck_gate.cli.live.run import gate_live
    from precheck_gate.cli.options.task_lists import select_tasks
    from precheck_gate.polling.poller import GENTLE_SECONDS, PollOptions

    live = LiveOptions.take(options)
    named = named_tasks(options, source)
    if live.select and (named or options["tasks_from"]):
        raise UsageError(
            "Tasks are both named and selected.",
            hint="Name them, or give --select; the environment counts as well.",
        )
    tasks = [] if live.select else select_tasks(named)
    service = read_service(options, options["language"])
    staleness: float = options["max_staleness"]
    polling = PollOptions(
        timeout=options["timeout"],
        grace=options["grace"],
        max_staleness=staleness,
        pace=1.0 / live.max_rps,
        gentle=live.interval or min(GENTLE_SECONDS, staleness),
    )
    return gate_live(
        gate, runtime, tasks=tasks, service=service, polling=polling, judging=judging, live=live
    )
