"""``precheck-gate run``: query the service, wait, judge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.cli.app.execution import execute
from precheck_gate.cli.options import Command
from precheck_gate.cli.options.judging import JudgeOptions
from precheck_gate.cli.options.live import LiveOptions, live_options
from precheck_gate.cli.options.service import read_service, service_files
from precheck_gate.cli.options.tasks import (
    named_tasks,
    replaced_variables,
    select_tasks,
    source_of_tasks,
)
from precheck_gate.errors import EXIT_CODE_MEANINGS, UsageError
from precheck_gate.runtime.process import Runtime
from precheck_gate.runtime.reading import read_before

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from precheck_gate.gate import Gate

_BRIEF = {
    "tasks_from": "Read task IDs from a file, or from stdin with '-'.",
    "region": "Huawei Cloud region, such as eu-west-101.",
    "project_id": "Project of the tasks. Default: looked up in IAM.",
    "token_file": "File that contains an IAM token.",
    "policy": "Policy file. Default: builtin:default.",
    "start_precheck": "Start new pre-checks and judge only their results.",
    "timeout": "Time limit for the whole run. Default: 30m.",
    "junit": "Write a JUnit report.",
    "reports": "Write another report, such as html=report.html.",
    "advisory": "Exit 0 if blocked. Reports still say blocked.",
}
_BRIEF_TEXT = (
    "Exit codes: 0 passed, 1 blocked, 2 usage error, 3 incomplete, 4 service error, 5 report not "
    "written, 70 bug, 130 or 143 interrupted."
)
_BRIEF_EXAMPLE = "precheck-gate run TASK_ID --region eu-west-101 --junit junit.xml"

_EPILOG = """\b
Example:
  export PRECHECK_GATE_TOKEN=...   # or --token-file; never as an option's value
  precheck-gate run 140b5236-88ad-43c8-811c-1268453jb101 \\
      --region eu-west-101 --project-id 054ba152d480d55b2f5dc0069e7ddef0 \\
      --policy precheck-policy.yaml --junit junit.xml --timeout 30m

Each option has an environment variable: PRECHECK_GATE_MAX_STALENESS for --max-staleness, and so on.
PRECHECK_GATE_TASKS holds task IDs. An option or variable that is empty is an error, and so is an
unknown variable that begins with PRECHECK_GATE_. Tasks named on the command line (as arguments, or
by --tasks-from or --select) replace those named in the environment.

The token is read from PRECHECK_GATE_TOKEN, HW_AUTH_TOKEN or OS_TOKEN, the region also from
HW_REGION_NAME and OS_REGION_NAME, the project ID also from HUAWEICLOUD_SDK_PROJECT_ID,
HW_PROJECT_ID and OS_PROJECT_ID, and the project's name from HW_PROJECT_NAME, OS_PROJECT_NAME and
OS_TENANT_NAME.

Instead of a token, you can use an access key, an IAM user, the identity of the CI job, or the
shared credentials file: see docs/credentials.md. 'precheck-gate doctor' shows which of them is
found, and checks it.
"""


@click.command(
    cls=Command,
    exit_codes=EXIT_CODE_MEANINGS,
    brief=_BRIEF,
    brief_text=_BRIEF_TEXT,
    brief_example=_BRIEF_EXAMPLE,
    epilog=_EPILOG,
)
@live_options
@click.pass_context
def run(ctx: click.Context, /, **options: Any) -> int:
    """Wait for pre-checks, judge them by a policy, and set the exit code.

    Polls DRS until the pre-check of each task (TASK_ID) has reached 100 %, judges each item by the
    policy, writes reports, and prints the verdict with everything that blocks and what to do about
    it. Exit code 0 means that every task answered, reached 100 %, and passed.
    """
    judging = JudgeOptions.take(options)
    runtime = ctx.ensure_object(Runtime)
    replaced = replaced_variables(ctx, options)
    source = source_of_tasks(ctx, "the command line")

    def body(gate: Gate) -> int:
        if replaced and not judging.quiet:
            gate.console.say(
                f"tasks are named on the command line; ignoring {' and '.join(replaced)}"
            )
        return _run(gate, runtime, judging, options, source)

    with read_before(options["timeout"]):
        return execute("run", judging, runtime, body, [*service_files(options), *_files(options)])


def _files(options: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    if options["tasks_from"] and options["tasks_from"] != "-":
        yield "the list of tasks", Path(options["tasks_from"])
    if options["save_answers"] is not None:
        yield "an answer in", options["save_answers"]


def _run(
    gate: Gate, runtime: Runtime, judging: JudgeOptions, options: dict[str, Any], source: str
) -> int:
    from precheck_gate.cli.live.run import gate_live
    from precheck_gate.polling.poller import GENTLE_SECONDS, PollOptions

    live = LiveOptions.take(options)
    named = named_tasks(options, source)
    if live.select and (named or options["tasks_from"]):
        raise UsageError(
            "Tasks are both named and selected.",
            hint="Name them, or use --select. Check the environment, too.",
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
