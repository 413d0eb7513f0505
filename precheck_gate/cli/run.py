"""``precheck-gate run``: ask the service, wait, judge."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.cli.execution import JudgeOptions, Runtime, execute
from precheck_gate.cli.live import gate_live
from precheck_gate.cli.live_options import LiveOptions, live_options
from precheck_gate.cli.options import (
    DURATION,
    PATH,
    Duration,
    judge_options,
    option,
    tasks_argument,
)
from precheck_gate.cli.service import read_service, service_options
from precheck_gate.clock import SLICE_SECONDS
from precheck_gate.errors import UsageError, unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.gate import Gate
    from precheck_gate.interrupts import Interrupts
    from precheck_gate.selection import NamedTask

__all__ = ["run"]

MAX_LIST_BYTES = 16 * 1024 * 1024

_EPILOG = """\b
Example:
  export PRECHECK_GATE_TOKEN=...   # or --token-file; never as an option's value
  precheck-gate run 140b5236-88ad-43c8-811c-1268453jb101 \\
      --region eu-west-101 --project-id 054ba152d480d55b2f5dc0069e7ddef0 \\
      --policy precheck-policy.yaml --junit junit.xml --timeout 30m

Every option has an environment variable: --max-staleness is PRECHECK_GATE_MAX_STALENESS, and so on;
PRECHECK_GATE_TASKS holds task IDs. The token is read from PRECHECK_GATE_TOKEN, HW_AUTH_TOKEN or
OS_TOKEN, the region also from HW_REGION_NAME and OS_REGION_NAME, the project also from
HUAWEICLOUD_SDK_PROJECT_ID, HW_PROJECT_ID and OS_PROJECT_ID. Without a token, an access key, an IAM
user, the CI's identity or the shared credentials file does: docs/credentials.md; 'precheck-gate
doctor' says which one would be used and whether it works.

\b
Exit codes: 0 passed (or with warnings), 1 blocked, 2 usage, 3 incomplete, 4 service or
  authentication error, 5 a report could not be written, 70 bug, 130/143 interrupted.
"""


@click.command(epilog=_EPILOG)
@tasks_argument
@option(
    "--tasks-from",
    metavar="FILE|-",
    help="Read task IDs from a file or stdin: one a line with # comments, a JSON array, or "
    "what 'terraform output -json' prints.",
)
@service_options
@option(
    "--timeout",
    type=Duration(least=1),
    default="30m",
    show_default=True,
    help="How long to wait in all; never exceeded.",
)
@option(
    "--interval",
    type=Duration(least=1),
    help="Ask at this fixed interval. Without it the gate starts short and grows.",
)
@option(
    "--grace",
    type=DURATION,
    default="60s",
    show_default=True,
    help="How long a task may be unanswered or in error, or the service out of reach at the "
    "start, before that is final.",
)
@option(
    "--max-staleness",
    type=Duration(least=1),
    default="60s",
    show_default=True,
    help="The greatest age of an answer that the verdict rests on; older ones are asked again.",
)
@option(
    "--language",
    type=click.Choice(["en-us", "zh-cn"]),
    default="en-us",
    show_default=True,
    help="The language of the service's messages.",
)
@live_options
@judge_options
@option(
    "--save-answers",
    type=PATH,
    metavar="DIR",
    help="Keep every answer as it came, for audit and for 'evaluate'.",
)
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
    return execute("run", judging, runtime, lambda gate: _run(gate, runtime, judging, options))


def _run(gate: Gate, runtime: Runtime, judging: JudgeOptions, options: dict[str, Any]) -> int:
    from precheck_gate.polling.poller import GENTLE_SECONDS, PollOptions
    from precheck_gate.selection import select_tasks

    live = LiveOptions.take(options)
    named = _named_tasks(options["tasks"], options["tasks_from"], runtime)
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
        spacing=0.0,  # the transport keeps to --max-rps
        gentle=live.interval or min(GENTLE_SECONDS, staleness),
    )
    return gate_live(
        gate, runtime, tasks=tasks, service=service, polling=polling, judging=judging, live=live
    )


def _read_stdin(interrupts: Interrupts) -> bytes:
    """Return all that comes from stdin; a signal ends the wait for it, as any other wait."""
    content = bytearray()
    try:
        descriptor = sys.stdin.fileno()
    except OSError:  # no file behind it, so nothing to wait for
        return sys.stdin.buffer.read()
    with interrupts.waiting():
        while len(content) < MAX_LIST_BYTES:
            # In slices: a signal that comes in the moment before the wait is seen at its end.
            if os.name == "posix" and not select.select([descriptor], [], [], SLICE_SECONDS)[0]:
                continue
            chunk = os.read(descriptor, 64 * 1024)
            if not chunk:
                break
            content += chunk
    return bytes(content)


def _named_tasks(
    arguments: Sequence[str], tasks_from: str | None, runtime: Runtime
) -> list[NamedTask]:
    from precheck_gate.selection import NamedTask, parse_task_list

    named = [NamedTask(task_id, "the command line") for task_id in arguments]
    if not tasks_from:
        return named
    name = "stdin" if tasks_from == "-" else tasks_from
    try:
        if tasks_from == "-":
            content = _read_stdin(runtime.interrupts)
        else:
            content = Path(tasks_from).read_bytes()
    except OSError as error:
        raise unreadable("The list of tasks", name, error) from None
    return named + parse_task_list(content, name)
