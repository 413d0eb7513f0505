"""``precheck-gate run``: ask the service, wait, judge."""

from __future__ import annotations

import os
import random
import select
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.cli.execution import JudgeOptions, Runtime, execute
from precheck_gate.cli.options import DURATION, Duration, judge_options, option
from precheck_gate.cli.service import open_access, open_transport, read_service, service_options
from precheck_gate.clock import SLICE_SECONDS
from precheck_gate.errors import Interrupted, UsageError
from precheck_gate.model import Observation
from precheck_gate.text import clean_line, hide_credentials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.answers import AnswerArchive
    from precheck_gate.bench import Bench
    from precheck_gate.clock import Clock
    from precheck_gate.drs.transport import Reply
    from precheck_gate.findings import Verdict
    from precheck_gate.gate import Gate
    from precheck_gate.interrupts import Interrupts
    from precheck_gate.model import Snapshot
    from precheck_gate.polling.poller import PollOptions
    from precheck_gate.progress.plain import Progress
    from precheck_gate.selection import NamedTask
    from precheck_gate.settings import ServiceSettings

__all__ = ["gate_live", "run"]

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
@click.argument("tasks", nargs=-1, envvar="PRECHECK_GATE_TASKS", metavar="[TASK_ID]...")
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
@judge_options
@option(
    "--save-answers",
    type=click.Path(path_type=Path),
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
    from precheck_gate.polling.poller import PollOptions
    from precheck_gate.selection import select_tasks

    tasks = select_tasks(_named_tasks(options["tasks"], options["tasks_from"], runtime))
    service = read_service(options, options["language"])
    polling = PollOptions(
        timeout=options["timeout"],
        grace=options["grace"],
        max_staleness=options["max_staleness"],
    )
    return gate_live(
        gate,
        runtime,
        tasks=tasks,
        service=service,
        polling=polling,
        interval=options["interval"],
        judging=judging,
        save_answers=options["save_answers"],
        debug_http=options["debug_http"],
    )


def gate_live(
    gate: Gate,
    runtime: Runtime,
    *,
    tasks: Sequence[str],
    service: ServiceSettings,
    polling: PollOptions,
    judging: JudgeOptions,
    interval: float | None = None,
    save_answers: Path | None = None,
    debug_http: bool = False,
) -> int:
    """Poll a service for tasks and judge what it says; return the exit code.

    Raises:
        UsageError: the policy cannot be used; nothing was asked then.
    """
    from precheck_gate.drs.client import DrsClient
    from precheck_gate.gate import Case
    from precheck_gate.polling.cadence import AdaptiveCadence, FixedCadence
    from precheck_gate.polling.poller import Poller

    ci = gate.outputs.ci
    # Before a word is printed that could hold one of them.
    ci.hide(service.found.secrets)
    clock = runtime.the_clock()
    bench = judging.bench(clock.now().date())
    archive = _archive(save_answers, clock)
    transport = open_transport(service.ca_bundle, runtime, gate.console, debug_http=debug_http)
    access = open_access(service, transport, runtime)
    client = DrsClient(
        service.endpoint,
        access.project_id,
        access.post,
        clock,
        language=service.language,
        on_reply=None if archive is None else lambda ids, reply: _save(archive, ids, reply),
        advice=access.advice,
    )
    observer = _observer(gate, clock, tasks, bench)
    poller = Poller(
        client,
        clock,
        FixedCadence(interval) if interval is not None else AdaptiveCadence(),
        replace(polling, heartbeat=min(polling.heartbeat, observer.heartbeat)),
        observer,
        random.random,
    )
    for warning in service.found.warnings:
        gate.console.warn(warning)
    if not gate.outputs.quiet:
        ci.open_section("precheck-gate: waiting for the pre-checks")
        _announce(gate, service, bench.policy.name, len(tasks))
    started, began = clock.now(), clock.monotonic()
    try:
        poller.poll(tasks)
    except Interrupted:
        observer.close()
        gate.console.say("interrupted; writing what is known (again: end at once)")
    finally:
        observer.close()
    if not gate.outputs.quiet:
        ci.close_section()
    observations = poller.observations()
    if archive is not None and archive.failure:
        gate.losses.append(f"the answers could not be saved to {save_answers}: {archive.failure}")
    gate.facts = replace(
        gate.facts,
        started_at=started.isoformat(timespec="seconds"),
        seconds=round(clock.monotonic() - began, 1),
        endpoint=clean_line(hide_credentials(service.endpoint)),
        project_id=clean_line(access.known_project_id),
        requests=access.requests,
        retries=poller.retries,
    )
    return gate.judge(
        Case(
            requested=tasks,
            observations=observations,
            bench=bench,
            strict_waivers=judging.strict_waivers,
            troubles=[poller.trouble] if poller.trouble else [],
            remarks=poller.remarks,
        )
    )


def _archive(folder: Path | None, clock: Clock) -> AnswerArchive | None:
    if folder is None:
        return None
    from precheck_gate.answers import AnswerArchive

    return AnswerArchive(folder, clock)


def _save(archive: AnswerArchive, task_ids: Sequence[str], reply: Reply) -> None:
    archive.save(task_ids, reply.status, reply.body, reply.headers.get("X-Request-Id", ""))


def _announce(gate: Gate, service: ServiceSettings, policy: str, tasks: int) -> None:
    gate.console.say(
        f"precheck-gate: {tasks} task{'' if tasks == 1 else 's'}, {service.endpoint}, "
        f"policy {policy}, {service.found.description}"
    )


def _observer(gate: Gate, clock: Clock, tasks: Sequence[str], bench: Bench) -> Progress:
    from precheck_gate.progress.plain import NoProgress, PlainProgress

    console, verbose = gate.console, gate.outputs.verbose
    if gate.outputs.quiet:
        return NoProgress()
    if console.columns(console.progress) is None:
        return PlainProgress(console, clock, len(tasks), verbose=verbose)
    from precheck_gate.judgement import judge_task
    from precheck_gate.progress.live import LiveProgress

    def judge(snapshot: Snapshot) -> Verdict:
        return judge_task(Observation(snapshot.task_id, snapshot), bench).verdict

    return LiveProgress(console, clock, tasks, judge, verbose=verbose)


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
        reason = error.strerror or type(error).__name__
        raise UsageError(
            f"The list of tasks {name} cannot be read: {reason}.",
            hint="Check the path and its permissions.",
        ) from None
    return named + parse_task_list(content, name)
