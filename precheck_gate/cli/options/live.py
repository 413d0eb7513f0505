"""The options of ``run``, and the values of those that say what to do on the service."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.cli.options import many, option, section
from precheck_gate.cli.options.judging import judge_options
from precheck_gate.cli.options.service import service_options
from precheck_gate.cli.options.tasks import parse_filter, tasks_argument
from precheck_gate.cli.options.types import DURATION, PATH, PLACE, SPAN, Number, Parsed
from precheck_gate.errors import UsageError
from precheck_gate.model.snapshots import is_task_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from precheck_gate.cli.options.tasks import Filter

_QUERY = re.compile(r"[!-~]{1,200}")


def _query_id(text: str) -> tuple[str, str]:
    task, _, query = text.partition("=")
    if not is_task_id(task) or not _QUERY.fullmatch(query):
        raise ValueError(f"{text!r} is not TASK_ID=ID")
    return task, query


_SELECT = Parsed("key=value", parse_filter, begins=r"(?:name|tag:[^=\s]+|status|type|engine)=")


live_options = many(
    tasks_argument,
    *section(
        "Tasks",
        option(
            "--tasks-from",
            type=PLACE,
            metavar="FILE|-",
            help="Read task IDs from a file, or from stdin with '-': one ID per line with # "
            "comments, a JSON array, or the output of 'terraform output -json'.",
        ),
        option(
            "--select",
            type=_SELECT,
            multiple=True,
            metavar="KEY=VALUE",
            help="Select tasks of the project by name=GLOB, tag:KEY=VALUE, status=STATUS, "
            "type=migration|sync|cloudDataGuard or engine=NAME. Repeatable: a task must match all "
            "conditions. It is an error if no task matches.",
        ),
        option(
            "--expect-tasks",
            type=click.IntRange(min=1),
            metavar="N",
            help="Exit 2 unless exactly N tasks are named or selected.",
        ),
        option(
            "--no-details",
            is_flag=True,
            help="Do not look up the names of tasks, which reports show beside the IDs.",
        ),
    ),
    service_options,
    *section(
        "Service",
        option(
            "--language",
            type=click.Choice(["en-us", "zh-cn"]),
            default="en-us",
            help="Language of DRS messages.",
        ),
        option(
            "--api",
            type=click.Choice(["auto", "v3", "v5"]),
            default="auto",
            help="API version; auto uses v3, or v5 where v3 no longer exists.",
        ),
        option(
            "--query-id",
            "query_ids",
            type=Parsed("task=id", _query_id),
            multiple=True,
            metavar="TASK_ID=ID",
            help="With v5, the query ID of a pre-check that was started elsewhere. Repeatable.",
        ),
        option(
            "--max-rps",
            type=Number(min=0.1, max=100.0),
            default=10.0,
            metavar="N",
            help="Maximum number of requests per second.",
        ),
        option(
            "--max-retries",
            type=click.IntRange(min=0),
            default=60,
            metavar="N",
            help="Maximum number of retries per minute; 0 makes the first failed request final. "
            "--timeout limits how long the gate keeps trying.",
        ),
    ),
    *section(
        "Waiting",
        option(
            "--timeout",
            type=SPAN,
            default="30m",
            help="Time limit for the whole run, including reports. Tasks that are not finished by "
            "then are incomplete (exit 3).",
        ),
        option(
            "--interval",
            type=SPAN,
            help="Poll at a fixed interval. Default: short intervals that grow.",
        ),
        option(
            "--grace",
            type=DURATION,
            default="60s",
            help="How long to tolerate a task without an answer, a task in error, an item without "
            "a status at 100 %, or an unreachable service at the start.",
        ),
        option(
            "--max-staleness",
            type=SPAN,
            default="60s",
            help="Maximum age of an answer when the verdict is reached. Older answers are "
            "confirmed once, after the last pre-check has finished.",
        ),
    ),
    *section(
        "Starting pre-checks",
        option(
            "--start-precheck",
            is_flag=True,
            help="Start new pre-checks and judge only their results.",
        ),
        option(
            "--mode",
            type=click.Choice(["forStartJob", "forRetryJob", "auto"]),
            default="auto",
            help="How to start: forStartJob before a task's first start, forRetryJob after a "
            "failure; auto decides by the task's status.",
        ),
        option(
            "--until",
            type=click.Choice(["ended", "passed"]),
            default="ended",
            help="Wait until the pre-checks end, or until they pass, however often they run until "
            "--timeout.",
        ),
        option(
            "--restart-every",
            type=SPAN,
            help="With --until passed, restart a blocked pre-check at this interval.",
        ),
    ),
    judge_options,
    *section(
        "Output",
        option(
            "--save-answers",
            type=PATH,
            metavar="DIR",
            help="Save each answer of the service, and what the run concluded from it, for audit "
            "and for 'evaluate'.",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Those values of `live_options` that say what to do on the service."""

    select: Sequence[Filter] = ()
    expect_tasks: int | None = None
    no_details: bool = False
    start_precheck: bool = False
    mode: str = "auto"
    until: str = "ended"
    restart_every: float | None = None
    api: str = "auto"
    query_ids: Sequence[tuple[str, str]] = ()
    max_rps: float = 10.0
    max_retries: int | None = 60
    interval: float | None = None
    save_answers: Path | None = None
    debug_http: bool = False

    @classmethod
    def take(cls, options: Mapping[str, Any]) -> LiveOptions:
        """Return the values from all of a command's options.

        Raises:
            UsageError: they contradict each other.
        """
        taken = cls(**{field.name: options[field.name] for field in fields(cls)})
        if taken.restart_every is not None and taken.until != "passed":
            raise UsageError("--restart-every needs --until passed.", hint="Give both, or neither.")
        if taken.mode != "auto" and not taken.start_precheck and taken.restart_every is None:
            raise UsageError("--mode needs --start-precheck.", hint="Give both, or neither.")
        tasks = [task for task, _ in taken.query_ids]
        if len(set(tasks)) < len(tasks):
            raise UsageError("A task has two query IDs.", hint="Check --query-id.")
        if taken.query_ids and taken.api == "v3":
            raise UsageError("--query-id has no meaning with --api v3.", hint="Use --api v5.")
        if taken.save_answers is not None and taken.api == "v5":
            raise UsageError("--save-answers saves only answers of v3.", hint="Leave it out.")
        return taken
